"""A client of mgpu in Python. The wire is MessagePack-RPC with a length in front of each frame.

client.py lists the jobs; client.py GPUS COMMAND queues a job, follows its states, and ends with its exit code.
"""

import json, os, pathlib, socket, struct, subprocess, sys

try:
    import msgpack
except ImportError:
    sys.exit("client.py needs the package msgpack: python3 -m pip install msgpack")


class Mgpu:
    def __init__(self):
        home = pathlib.Path(os.environ.get("MGPU_HOME") or pathlib.Path.home() / ".local/state/mgpu")
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(json.loads((home / "endpoint.json").read_text())["socket"])
        self.stream = self.link.makefile("rb")
        self.calls = 0
        user = {"uid": os.getuid(), "gid": os.getgid(), "name": os.environ.get("USER", "me")}
        protocol = {"major": 1, "minor": 0}
        self.call("hello", {"role": "client", "protocol": protocol, "version": "python", "user": user})

    def call(self, method, params, on_item=None):
        """The answer of a call; on_item gets what streams before it."""
        self.calls += 1
        self.send([0, self.calls, method, params])
        while True:
            kind, *rest = self.receive()
            if kind == 1:
                return sys.exit(f"{method}: {rest[1]['message']}") if rest[1] else rest[2]
            if rest[0] == "stream.item":
                on_item(rest[1]["value"])
                # What was taken makes room for more.
                self.send([2, "stream.ack", {"call": rest[1]["call"], "bytes": self.size}])

    def send(self, message):
        frame = msgpack.packb(message)
        self.link.sendall(struct.pack(">I", len(frame)) + frame)

    def receive(self):
        (self.size,) = struct.unpack(">I", self.stream.read(4))
        return msgpack.unpackb(self.stream.read(self.size))

    def jobs(self, fields):
        """One list of the fields' values a job."""
        rows = []
        every = {"ids": [], "users": [], "states": [], "names": [], "partitions": []}
        self.call("jobs.list", {"filter": every, "fields": fields}, lambda item: rows.extend(item["rows"]))
        return rows

    def watch(self, job, on_row):
        """Hands over the job's record now and after each change, until the job is over."""
        self.call("job.watch", {"jobId": job, "owner": False}, lambda item: on_row(item["row"]))


def submit_job(gpus, command):
    """The number of a queued job. Options, scripts and their checks are mgpu-sbatch's."""
    words = ["mgpu-sbatch", "--parsable", f"--gpus={gpus}", "--output=/dev/null", f"--wrap={command}"]
    return int(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        for row in Mgpu().jobs(["id", "state", "name"]):
            print(*row)
    else:
        last = []

        def show(row):
            if [row["state"]] != last[-1:]:
                last.append(row["state"])
                print(row["id"], row["state"])
            globals()["exit_code"] = row["exitCode"]

        Mgpu().watch(submit_job(sys.argv[1], sys.argv[2]), show)
        sys.exit(exit_code)
