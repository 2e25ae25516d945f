/** Several node daemons on one machine, each with a name, an offer and state of its own; and memory that is kept to. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: {} });

beforeAll(async () => {
  cluster.start("mgpuctld", []);
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
  const { socket } = JSON.parse(await cluster.ok("mgpu", ["status", "--json"]));
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
  const event = `Detected 1 oom_kill event in StepId=${id}.batch. Some of the step tasks have been OOM Killed.`;
  expect(cluster.read("oom.txt")).toMatch(
    new RegExp(`^slurmstepd: error: ${event}\nslurmstepd: error: It (used|reached) .*40 MiB.*\n$`),
  );
});

describe("sixteen of them", () => {
  const NAMES = Array.from({ length: 16 }, (_, index) => `n${String(index + 1).padStart(2, "0")}`);
  const gang = new TestCluster({ env: { MGPU_HEARTBEAT_MS: "1000", MGPU_NODE_TIMEOUT: "2" } });
  let daemons: readonly Running[];

  beforeAll(async () => {
    daemons = await gang.startNodes(NAMES.map((name) => ({ name, cpus: 1, gpus: 0 })));
  }, 90_000);
  afterAll(() => gang.stop(), 60_000);

  const busy = async (): Promise<string> => gang.ok("mgpu-sinfo", ["-h", "-N", "-t", "alloc,mix,comp", "-o", "%N"]);

  test("start one job as a gang: all of it runs, or nothing", async () => {
    const output = await gang.ok("mgpu-srun", ["-N16", "sh", "-c", "echo $SLURMD_NODENAME $SLURM_NNODES"]);
    expect(output.trim().split("\n").sort()).toEqual(NAMES.map((name) => `${name} 16`));
    const held = await gang.hold(["-w", "n05"]);
    const wide = gang.start("mgpu-srun", ["-N16", "sh", "-c", "echo $SLURMD_NODENAME"]);
    await gang.until(async () => (await gang.queue("%T %D")).includes("PENDING 16"), "the gang waits");
    expect(await busy()).toBe("n05\n");
    await held.release();
    expect((await wide.ended).stdout.trim().split("\n").sort()).toEqual(NAMES);
  }, 60_000);

  test("end it together when one task fails", async () => {
    const script = "test $SLURM_PROCID = 7 && exit 3; exec sleep 600";
    const ran = await gang.run("mgpu-srun", ["-N16", "--kill-on-bad-exit=1", "sh", "-c", script]);
    // The worst of all: those that were ended got SIGTERM.
    expect(ran.code).toBe(143);
    await gang.until(async () => (await busy()) === "", "all nodes are free again");
  }, 60_000);

  test("and give all of it back when one of them dies while it starts", async () => {
    const dying = daemons[9];
    if (!dying) throw new Error("no daemon");
    kill(dying.pid, "SIGSTOP");
    const ran = gang.start("mgpu-srun", ["-N16", "sleep", "600"]);
    await gang.until(async () => (await gang.queue("%T %D")).includes("RUNNING 16"), "the other fifteen start");
    kill(dying.pid, "SIGKILL");
    expect((await ran.ended).code).not.toBe(0);
    await gang.until(async () => (await busy()) === "", "all nodes are free again");
    expect(await gang.ok("mgpu-sinfo", ["-h", "-N", "-t", "down", "-o", "%N %E"])).toBe("n09 Not responding\n");
    expect(await gang.ok("mgpu-srun", ["-N15", "sh", "-c", "echo here"])).toBe("here\n".repeat(15));
  }, 60_000);
});
