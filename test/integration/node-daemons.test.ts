/** Several node daemons on one machine, each with a name, an offer and state of its own; and memory that is kept to. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: {} });

beforeAll(async () => {
  cluster.start("mgpuctld", []);
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
  const { socket } = JSON.parse(cluster.read("../home/endpoint.json"));
  cluster.start("mgpud", ["--node-id", "a", "--cpus", "4", "--memory", "4000", "--gpu-count", "2", "--features", "ib"]);
  // Its state is elsewhere.
  const env = { MGPU_HOME: `${cluster.folder}/b`, MGPU_FAKE_GPUS: "0" };
  cluster.start("mgpud", ["--node-id", "b", "--cpus", "2", "--memory", "2000", "--controller", socket], { env });
  const names = async () => (await cluster.run("mgpu-sinfo", ["-h", "-N", "-o", "%N"])).stdout.split("\n").sort();
  await cluster.until(async () => (await names()).join() === ",a,b", "both nodes are there");
});
afterAll(() => cluster.stop());

test("each offers what its flags say", async () => {
  const offers = await cluster.ok("mgpu-sinfo", ["-h", "-N", "-o", "%N %c %m %G"]);
  expect(offers.trim().split("\n").sort()).toEqual(["a 4 4000 gpu:fake:2", expect.stringMatching(/^b 2 2000 /)]);
});

test("a step's tasks find each other, whichever daemon runs them", async () => {
  const show = "echo $SLURM_PROCID $SLURMD_NODENAME $SLURM_NODEID $SLURM_LOCALID $RANK/$WORLD_SIZE $MASTER_ADDR";
  const output = await cluster.ok("mgpu-srun", ["-N2", "-n4", "--ntasks-per-node=2", "sh", "-c", show]);
  expect(output.trim().split("\n").sort()).toEqual([
    "0 a 0 0 0/4 127.0.0.1",
    "1 a 0 1 1/4 127.0.0.1",
    "2 b 1 0 2/4 127.0.0.1",
    "3 b 1 1 3/4 127.0.0.1",
  ]);
});

test("a job above its memory is killed, and says so", async () => {
  const hog = "#!/bin/sh\nexec dd if=/dev/zero of=/dev/null bs=80M count=1000000 2>/dev/null\n";
  const id = await cluster.submit(hog, ["--mem=40", "-o", "oom.txt"]);
  await cluster.untilState(id, "OUT_OF_MEMORY");
  expect(cluster.read("oom.txt")).toBe(
    `slurmstepd: error: Detected 1 oom_kill event in StepId=${id}.batch. Some of the step tasks have been OOM Killed.\n`,
  );
});
