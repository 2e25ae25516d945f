/** Time limits: TERM when the time is over, KILL after the kill wait (2 s here), and nothing of the job left. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, type Running, TestCluster } from "./support/cluster.ts";

const KILL_WAIT_S = 2;

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_KILL_WAIT: String(KILL_WAIT_S) } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const LIMIT = "--time=0:01";

function sh(script: string, ...options: string[]): Running {
  return cluster.start("mgpu-srun", [LIMIT, ...options, "sh", "-c", script]);
}

/** What is said in the output of a job that was ended by its limit. */
function limitLine(what: string): RegExp {
  const at = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d";
  return new RegExp(`^slurmstepd: error: \\*\\*\\* ${what} ON n1 CANCELLED AT ${at} DUE TO TIME LIMIT \\*\\*\\*$`, "m");
}

const stepLine = (job: number): RegExp => limitLine(`STEP ${job}\\.0`);

async function secondsOf(running: Running): Promise<number> {
  const start = process.hrtime.bigint();
  await running.ended;
  return Number(process.hrtime.bigint() - start) / 1e9;
}

describe("srun", () => {
  test("a program that goes when it is told to", async () => {
    const running = sh("echo $SLURM_JOB_ID; exec sleep 1000");
    const seconds = await secondsOf(running);
    const { code, stderr, stdout } = await running.ended;
    const id = Number(stdout);
    expect(code).toBe(143);
    expect(stderr).toMatch(stepLine(id));
    expect(stderr).toMatch(/\nmgpu-srun: error: n1: task 0: Terminated\n$/);
    expect(seconds).toBeGreaterThan(0.9);
    await cluster.untilState(id, "TIMEOUT");
    expect(await cluster.queue("%T %r %l %M", "-t", "all", "-j", `${id}`)).toEqual(["TIMEOUT TimeLimit 0:01 0:01"]);
  });

  test("a program that ignores TERM is killed, after the kill wait and not before", async () => {
    const running = sh("trap 'echo told' TERM; echo $SLURM_JOB_ID; while :; do sleep 0.1; done");
    const seconds = await secondsOf(running);
    const { code, stderr, stdout } = await running.ended;
    expect(code).toBe(137);
    expect(stdout).toMatch(/^\d+\ntold\n$/);
    expect(stderr).toMatch(stepLine(Number.parseInt(stdout, 10)));
    expect(stderr).toMatch(/task 0: Killed\n$/);
    expect(seconds).toBeGreaterThan(1 + KILL_WAIT_S - 0.1);
  });

  test("a program that cleans up and ends well was too late all the same", async () => {
    const running = sh("trap 'echo saved; exit 0' TERM; echo $SLURM_JOB_ID; while :; do sleep 0.05; done");
    const { stdout, stderr } = await running.ended;
    expect(stdout).toMatch(/^\d+\nsaved\n$/);
    expect(stderr).toMatch(stepLine(Number.parseInt(stdout, 10)));
    await cluster.untilState(Number.parseInt(stdout, 10), "TIMEOUT");
  });

  test("a TERM handler has time for its commands, and is told once", async () => {
    const script = `
      trap 'echo told; sleep 1 && echo saved >saved.txt; exit 4' TERM
      echo $SLURM_JOB_ID
      while :; do sleep 0.05; done`;
    const { stdout, code } = await sh(script).ended;
    expect([stdout.replace(/^\d+\n/, ""), code]).toEqual(["told\n", 4]);
    expect(cluster.read("saved.txt")).toBe("saved\n");
    await cluster.untilState(Number.parseInt(stdout, 10), "TIMEOUT");
  });

  test("where the tasks' errors go to a file, it is said there and here", async () => {
    const running = sh("echo $SLURM_JOB_ID; exec sleep 1000", "-e", "step.err");
    const { stdout, stderr } = await running.ended;
    expect(cluster.read("step.err")).toMatch(stepLine(Number(stdout)));
    const [aborted, said] = stderr.split("\n");
    expect(aborted).toBe("mgpu-srun: Job step aborted: Waiting up to 32 seconds for job step to finish.");
    expect(said).toMatch(/^mgpu-srun: error: \*\*\* STEP \d+\.0 ON n1 CANCELLED AT .* DUE TO TIME LIMIT \*\*\*$/);
  });

  test("all tasks", async () => {
    const { code, stderr } = await sh("exec sleep 1000", "-n", "3").ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/\nmgpu-srun: error: n1: tasks 0-2: Terminated\n$/);
  });

  test("the whole tree, with daemons that left their session, closed everything and ignore TERM", async () => {
    const daemon = `
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/")
with open(sys.argv[1], "w") as file: file.write(f"{os.getpid()}\\n")
os.closerange(0, 64)
while True: time.sleep(0.1)
`;
    cluster.write("daemon.py", daemon);
    const script = `
      python3 daemon.py "$PWD/daemon.pid"
      (setsid sh -c 'trap "" TERM; echo $$ >setsid.pid; while :; do sleep 0.1; done' &)
      (trap '' TERM; while :; do sleep 0.1; done) & echo $! >child.pid
      until [ -s daemon.pid ] && [ -s setsid.pid ]; do sleep 0.02; done
      echo $SLURM_JOB_ID
      exec sleep 1000`;
    const running = cluster.start("mgpu-srun", ["--time=0:03", "--gpus=4", "sh", "-c", script]);
    await cluster.until(() => running.stdout() !== "", "everything is started");
    const pids = ["daemon.pid", "setsid.pid", "child.pid"].map((name) => Number(cluster.read(name)));
    expect(pids.filter(isAlive)).toEqual(pids);
    const { code, stdout } = await running.ended;
    expect(code).toBe(143);
    await cluster.untilState(Number(stdout), "TIMEOUT");
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("the GPUs are given on when all is gone, not earlier", async () => {
    const first = sh("trap '' TERM; echo up; while :; do date +%s%N >last-sign; sleep 0.05; done", "--gpus=4");
    await cluster.until(() => first.stdout() !== "", "the first one has the GPUs");
    const second = cluster.start("mgpu-srun", ["-Q", "--gpus=1", "date", "+%s%N"]);
    expect((await first.ended).code).toBe(137);
    const { stdout, code } = await second.ended;
    expect(code).toBe(0);
    expect(BigInt(stdout.trim())).toBeGreaterThan(BigInt(cluster.read("last-sign").trim()));
  });
});

describe("sbatch", () => {
  test("the script is told, and its children too", async () => {
    const script = `#!/bin/bash
#SBATCH --time=0:01 -o batch.txt -e none
trap 'echo script told; wait; exit 0' TERM
(trap 'echo child told; exit 0' TERM; while :; do sleep 0.05; done) &
wait
wait
`;
    const id = await cluster.submit(script);
    await cluster.untilState(id, "TIMEOUT");
    expect(cluster.read("batch.txt").split("\n").sort()).toEqual(["", "child told", "script told"]);
  });

  test("the job's output says why it ends, before the script does", async () => {
    const script = `#!/bin/sh
trap 'echo told; sleep 1 && echo saved; exit 0' TERM
echo ready
sleep 1000 &
wait
`;
    const id = await cluster.submit(script, [LIMIT, "-o", "limit.txt"]);
    await cluster.untilState(id, "TIMEOUT");
    const lines = cluster.read("limit.txt").split("\n");
    expect(lines[1]).toMatch(limitLine(`JOB ${id}`));
    expect(lines.toSpliced(1, 1)).toEqual(["ready", "told", "saved", ""]);
  });

  test("a script that does not go is killed", async () => {
    const script = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n";
    const id = await cluster.submit(script, [LIMIT, "-o", "none"]);
    await cluster.untilState(id, "COMPLETING");
    await cluster.untilState(id, "TIMEOUT");
    expect(cluster.processes().filter(({ command }) => command.includes("sleep"))).toEqual([]);
  });
});

test("a job that is done in time, and one without a limit, are left alone", async () => {
  expect((await cluster.run("mgpu-srun", ["--time=1", "true"])).code).toBe(0);
  const { stdout } = await cluster.run("mgpu-srun", ["--time=0", "sh", "-c", "echo $SLURM_JOB_ID"]);
  expect(await cluster.queue("%l %T", "-t", "all", "-j", stdout.trim())).toEqual(["UNLIMITED COMPLETED"]);
});
