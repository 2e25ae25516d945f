"""Runs a program on a new terminal, as a terminal emulator would.

Usage: terminal.py COLUMNS ROWS PROGRAM [ARGS...]

Standard output gets what the terminal shows, byte for byte. Standard input takes one order a line:
    type HEX        types these bytes
    resize C R      makes the terminal so large
    close           closes the terminal
Ends with the program's exit code, or 128 + signal. No echo and no line editing but the terminal's own.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

MASTER_CHUNK = 65536


def set_size(descriptor, columns, rows):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obey(line, master):
    """Follows an order; False once the terminal is closed."""
    word, *rest = line.split()
    if word == "type":
        data = bytes.fromhex(rest[0])
        while data:
            data = data[os.write(master, data) :]
    elif word == "resize":
        set_size(master, int(rest[0]), int(rest[1]))
    elif word == "close":
        os.close(master)
    return word != "close"


def show(master):
    """Passes on what the terminal shows; False once nobody has it open any more."""
    try:
        data = os.read(master, MASTER_CHUNK)
    except OSError:
        return False
    while data:
        data = data[os.write(1, data) :]
    return True


def main():
    columns, rows, *program = sys.argv[1:]
    child, master = pty.fork()
    if child == 0:
        set_size(0, int(columns), int(rows))
        os.execvp(program[0], program)
    orders = b""
    sources = [0, master]
    while master in sources:
        ready, _, _ = select.select(sources, [], [])
        if 0 in ready:
            data = os.read(0, MASTER_CHUNK)
            if not data:
                sources.remove(0)
            *lines, orders = (orders + data).split(b"\n")
            if not all([obey(line.decode(), master) for line in lines]):
                break
        if master in ready and not show(master):
            sources.remove(master)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


main()
