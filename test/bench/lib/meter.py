"""Runs one program at a time and says what it cost.

CPU time and memory come from wait4(2) of that very child: exact, complete (its own waited-for children included) and
without a race. Node offers no such call: process.resourceUsage() leaves children out, and /proc/PID/stat is gone when
the child is, and counts in ticks of 10 ms. The wall clock runs from before the spawn (vfork, so that the size of this
process does not matter) until the child was reaped.

One request a line on stdin, one answer a line on stdout, both JSON; ends with its input.
Request: {argv, env, stdout: "null" | "pipe" | "keep" | PATH, timeoutS}. `pipe` tells when lines came, `keep` the text too.
"""

import gc
import json
import os
import signal
import sys
import tempfile
import time

CHUNK_BYTES = 1 << 16


def main():
    gc.disable()
    child = {"pid": 0}
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child["pid"], signal.SIGKILL))
    for line in iter(sys.stdin.readline, ""):
        print(json.dumps(measure(json.loads(line), child)), flush=True)


def measure(request, child):
    stdout = request["stdout"]
    reader, writer = os.pipe() if stdout in ("pipe", "keep") else (-1, -1)
    errors = tempfile.TemporaryFile()
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if reader >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, writer, 1))
    else:
        path = "/dev/null" if stdout == "null" else stdout
        actions.append((os.POSIX_SPAWN_OPEN, 1, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    actions.append((os.POSIX_SPAWN_DUP2, errors.fileno(), 2))
    argv, env = request["argv"], request["env"]
    start = time.perf_counter()
    # Python ignores SIGPIPE; the child must not.
    child["pid"] = os.posix_spawn(argv[0], argv, env, file_actions=actions, setsigdef=[signal.SIGPIPE])
    signal.setitimer(signal.ITIMER_REAL, request["timeoutS"])
    answer = {}
    if reader >= 0:
        os.close(writer)
        answer = read_lines(reader, start, stdout == "keep")
    _, status, usage = os.wait4(child["pid"], 0)
    end = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, 0)
    code = os.waitstatus_to_exitcode(status)
    answer.update(
        code=code,
        wallMs=(end - start) * 1000,
        cpuMs=(usage.ru_utime + usage.ru_stime) * 1000,
        rssMiB=usage.ru_maxrss / 1024,
        stderr=text_of(errors) if code != 0 else "",
    )
    return answer


def read_lines(reader, start, keep):
    first = last = None
    size = lines = 0
    chunks = []
    while chunk := os.read(reader, CHUNK_BYTES):
        last = (time.perf_counter() - start) * 1000
        newlines = chunk.count(b"\n")
        if newlines and first is None:
            first = last
        size += len(chunk)
        lines += newlines
        if keep:
            chunks.append(chunk)
    os.close(reader)
    answer = {"firstLineMs": first, "lastLineMs": last, "bytes": size, "lines": lines}
    return {**answer, "stdout": b"".join(chunks).decode()} if keep else answer


def text_of(file):
    file.seek(0)
    return file.read(2000).decode(errors="replace")


if __name__ == "__main__":
    main()
