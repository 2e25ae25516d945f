"""Types into a program on a terminal and waits for each echo: echo.py COUNT PROGRAM [ARGS...]

The program says "ready" once it echoes, and ends by the key ^C: sh -c 'stty raw isig -echo; echo ready; exec cat'.
Prints one round trip a line, in milliseconds. Ends once the program has: a session outlives its terminal, and those of
earlier rounds would have all CPUs of the node.
"""

import os
import pty
import select
import sys
import time

LIMIT_S = 30
INTERRUPT = b"\x03"


def read(master):
    ready, _, _ = select.select([master], [], [], LIMIT_S)
    if not ready:
        sys.exit("no answer from the program")
    return os.read(master, 65536)


def until_end(master):
    try:
        while read(master):
            pass
    except OSError:
        # EIO: nobody has the other side open any more.
        pass


def main():
    count, *program = sys.argv[1:]
    child, master = pty.fork()
    if child == 0:
        os.execvp(program[0], program)
    seen = b""
    while b"ready" not in seen:
        seen += read(master)
    # What came before this echo has been read with it.
    os.write(master, b"#")
    while b"#" not in read(master):
        pass
    for _ in range(int(count)):
        start = time.perf_counter()
        os.write(master, b"x")
        while b"x" not in read(master):
            pass
        print(f"{(time.perf_counter() - start) * 1000:.4f}")
        # Slower than any typist, and than what the holder joins into one part.
        time.sleep(0.01)
    os.write(master, INTERRUPT)
    until_end(master)
    os.waitpid(child, 0)


main()
