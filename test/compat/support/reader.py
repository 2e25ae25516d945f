"""A program of 20 lines: reads `squeue --json`, then asks the controller itself, and says what both know of each job."""
import json, os, pathlib, socket, struct, subprocess
import msgpack

listing = json.loads(subprocess.run(["squeue", "--json", "--states=all"], check=True, capture_output=True).stdout)
told = {job["job_id"]: [job["job_state"][0], job["name"], job["nodes"]] for job in listing["jobs"]}
link = socket.socket(socket.AF_UNIX)
link.connect(json.loads((pathlib.Path(os.environ["MGPU_HOME"]) / "endpoint.json").read_text())["socket"])
stream, rows = link.makefile("rb"), []

def call(number, method, params):
    frame = msgpack.packb([0, number, method, params])
    link.sendall(struct.pack(">I", len(frame)) + frame)
    while (answer := msgpack.unpackb(stream.read(struct.unpack(">I", stream.read(4))[0])))[0] != 1:
        rows.extend(answer[2].get("value", {}).get("rows", []))

user = {"uid": os.getuid(), "gid": os.getgid(), "name": os.environ["USER"]}
call(1, "hello", {"role": "client", "protocol": {"major": 1, "minor": 0}, "version": "python", "user": user})
every = {"ids": [], "users": [], "states": [], "names": [], "partitions": []}
call(2, "jobs.list", {"filter": every, "fields": ["id", "state", "name", "nodeList"]})
print(json.dumps({str(job): told.get(job) == rest for job, *rest in rows}), listing["meta"]["slurm"]["release"])
