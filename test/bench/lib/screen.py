"""Opens a full-screen program on a terminal of its own, presses a key for a while, and says what that cost.

Usage: screen.py JSON, with {argv, columns, rows, mark, settleS, seconds, key, keysPerS, bytesPerS}: once `mark` is shown and
`settleS` are over, `key` is pressed `keysPerS` times a second for `seconds`; then the program is told to end (SIGTERM).
`bytesPerS` reads no faster than that, as a slow line does; 0 for as fast as it comes.

Answers with one JSON object: cpuMs of the whole run from wait4(2), of a launcher's children too; markMs until the mark;
and of the pressing alone: share of one core, rssMiB before and after, bytes that were shown.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

MS_A_TICK = 10
CHUNK_BYTES = 65536
LIMIT_S = 120


def main():
    request = json.loads(sys.argv[1])
    start = time.monotonic()
    child, master = pty.fork()
    if child == 0:
        os.execvp(request["argv"][0], request["argv"])
    size = struct.pack("HHHH", request["rows"], request["columns"], 0, 0)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    terminal = Terminal(master, request.get("bytesPerS", 0))
    signal.alarm(LIMIT_S)
    mark = request["mark"].encode()
    shown = b""
    while mark not in shown:
        shown = (shown + terminal.read(1))[-CHUNK_BYTES:]
    answer = {"markMs": (time.monotonic() - start) * 1000}
    program = innermost(child)
    if request["seconds"] > 0:
        terminal.read_for(request["settleS"])
        answer.update(press(request, terminal, program))
    os.kill(program, signal.SIGTERM)
    while terminal.is_open:
        terminal.read(1)
    _, _, usage = os.wait4(child, 0)
    answer["cpuMs"] = (usage.ru_utime + usage.ru_stime) * 1000
    print(json.dumps(answer))


class Terminal:
    def __init__(self, master, bytes_per_s):
        self.master = master
        self.rate = bytes_per_s
        self.is_open = True
        self.bytes = 0

    def read(self, limit_s):
        """What is shown within this time; empty for nothing."""
        ready, _, _ = select.select([self.master], [], [], limit_s)
        if not ready:
            return b""
        try:
            data = os.read(self.master, min(CHUNK_BYTES, max(1, self.rate // 20)) if self.rate else CHUNK_BYTES)
        except OSError:
            data = b""
        if not data:
            self.is_open = False
        self.bytes += len(data)
        if self.rate and data:
            time.sleep(len(data) / self.rate)
        return data

    def read_for(self, seconds):
        end = time.monotonic() + seconds
        while self.is_open and (left := end - time.monotonic()) > 0:
            self.read(left)


def press(request, terminal, program):
    """Presses the key; what the program used meanwhile."""
    rss, cpu, start = rss_of(program), cpu_of(program), time.monotonic()
    sent = terminal.bytes
    end = start + request["seconds"]
    pause = 1 / request["keysPerS"] if request["keysPerS"] else request["seconds"]
    while terminal.is_open and time.monotonic() < end:
        if request["keysPerS"]:
            os.write(terminal.master, request["key"].encode())
        terminal.read_for(min(pause, max(0, end - time.monotonic())))
    wall = (time.monotonic() - start) * 1000
    used = cpu_of(program) - cpu
    return {"share": used / wall, "rssBefore": rss, "rssAfter": rss_of(program), "bytes": terminal.bytes - sent}


def innermost(pid):
    """The program that a launcher waits for; the process itself if it has none."""
    while True:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
        if not children:
            return pid
        pid = int(children[0])


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * MS_A_TICK


def rss_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


main()
