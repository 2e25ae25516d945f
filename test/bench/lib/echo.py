"""Types into a program on a terminal and waits for each echo: echo.py COUNT PROGRAM [ARGS...]

The program says "ready" once it echoes, for instance: sh -c 'stty raw -echo; echo ready; exec cat'.
Prints one round trip a line, in milliseconds.
"""

import os
import pty
import select
import sys
import time

LIMIT_S = 30


def read(master):
    ready, _, _ = select.select([master], [], [], LIMIT_S)
    if not ready:
        sys.exit("no answer from the program")
    return os.read(master, 65536)


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
    os.close(master)


main()
