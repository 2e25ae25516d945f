/** Steps within an allocation: srun in batch scripts, over several nodes, with other programs' help. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";

const NODES = [
  { name: "n1", cpus: 4, gpus: 2 },
  { name: "n2", cpus: 4, gpus: 2 },
];

const cluster = new TestCluster();
beforeAll(async () => {
  await cluster.startNodes(NODES);
});
afterAll(() => cluster.stop());

let files = 0;

/** Runs a batch script to its end; answers with its output. */
async function batch(text: string, ...args: string[]): Promise<{ output: string; jobId: number }> {
  const name = `out-${++files}.txt`;
  const jobId = await cluster.submit(`#!/bin/bash\n${text}`, ["-o", name, ...args]);
  await cluster.until(
    async () => /^(COMPLETED|FAILED|CANCELLED|TIMEOUT)$/.test(await cluster.state(jobId)),
    "it is over",
  );
  return { output: cluster.read(name), jobId };
}

/** An allocation without anybody in it. */
async function allocate(...args: string[]): Promise<number> {
  const { code, stderr } = await cluster.run("mgpu-salloc", ["--no-shell", ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return Number(/Granted job allocation (\d+)/.exec(stderr)?.[1]);
}

const lines = (text: string): string[] => text.trimEnd().split("\n").sort();

describe("in a batch script", () => {
  test("srun takes the job's tasks; steps are numbered; codes come back", async () => {
    const { output } = await batch(
      `mgpu-srun -l sh -c 'echo $SLURM_PROCID/$SLURM_NTASKS on $SLURMD_NODENAME in $SLURM_STEP_ID' | sort
mgpu-srun -n1 sh -c 'exit 6'
echo code $?
mgpu-srun -N1 -n1 -w n2 sh -c 'echo $SLURM_STEP_ID on $SLURMD_NODENAME'
`,
      ...["-N2", "-n3"],
    );
    expect(output.replace(/^mgpu-srun: error.*\n/m, "")).toBe(
      "0: 0/3 on n1 in 0\n1: 1/3 on n1 in 0\n2: 2/3 on n2 in 0\ncode 6\n2 on n2\n",
    );
  });
  test("parallel steps get different GPUs, and wait for room", async () => {
    const { output } = await batch(
      `for i in 1 2 3; do
  mgpu-srun -Q --exact -n1 --gpus=1 sh -c 'echo start $CUDA_VISIBLE_DEVICES; until [ -e go ]; do sleep 0.02; done' &
done
until [ "$(mgpu-scontrol show step $SLURM_JOB_ID | grep -c "StepId=[0-9]*[.][0-9]")" = 2 ]; do sleep 0.02; done
touch go
wait
`,
      ...["-N1", "-n2", "--gpus=2"],
    );
    const gpus = output.match(/start \d/g) ?? [];
    expect(gpus.slice(0, 2).sort()).toEqual(["start 0", "start 1"]);
    expect(gpus).toHaveLength(3);
  });
  test("requeue from inside answers, and the same job runs again", async () => {
    const { output, jobId } = await batch(
      `echo "run \${SLURM_RESTART_COUNT:-0} of $SLURM_JOB_ID" >> runs.txt
if [ -z "$SLURM_RESTART_COUNT" ]; then mgpu-scontrol requeue $SLURM_JOB_ID; echo "answer $?" >> runs.txt; sleep 60; fi
echo end
`,
    );
    expect(cluster.read("runs.txt")).toBe(`run 0 of ${jobId}\nanswer 0\nrun 1 of ${jobId}\n`);
    expect(output).toContain("end\n");
  });
});

describe("a step", () => {
  test("reads its srun's input on all nodes, to its end", async () => {
    const text = `${"x".repeat(1000)}\n`.repeat(300);
    const jobId = await allocate("-N2", "-n2");
    const { code, stdout } = await cluster.run("mgpu-srun", ["--jobid", `${jobId}`, "-n2", "md5sum"], { input: text });
    expect(code).toBe(0);
    const [one, two] = lines(stdout);
    expect(one).toMatch(/^[0-9a-f]{32} {2}-$/);
    expect(two).toBe(one);
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("--multi-prog, per-task files, one task's input", async () => {
    const jobId = await allocate("-n3");
    cluster.write("conf", "0 echo zero %t\n* sh -c 'echo other %t %o'\n");
    const own = ["--jobid", `${jobId}`, "-n3"];
    expect(lines(await cluster.ok("mgpu-srun", [...own, "-l", "--multi-prog", "conf"]))).toEqual([
      ...["0: zero 0", "1: other 1 0", "2: other 2 1"],
    ]);
    await cluster.ok("mgpu-srun", [...own, "-o", "task-%t.txt", "sh", "-c", "echo $SLURM_PROCID"]);
    expect([0, 1, 2].map((task) => cluster.read(`task-${task}.txt`))).toEqual(["0\n", "1\n", "2\n"]);
    expect(await cluster.ok("mgpu-srun", [...own, "-l", "-i1", "cat"], { input: "hi\n" })).toBe("1: hi\n");
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("--kill-on-bad-exit and --wait end those that are left", async () => {
    const jobId = await allocate("-N2", "-n2");
    const own = ["--jobid", `${jobId}`, "-n2"];
    const script = "[ $SLURM_PROCID = 0 ] && exit 3; exec sleep 1000";
    const killed = await cluster.run("mgpu-srun", [...own, "-K", "sh", "-c", script]);
    expect(killed.code).toBe(143);
    expect(killed.stderr).toMatch(/n1: task 0: Exited with exit code 3\nmgpu-srun: Terminating StepId=\d+\.0\n/);
    const waited = await cluster.run("mgpu-srun", [
      ...own,
      "-W1",
      "sh",
      "-c",
      "[ $SLURM_PROCID = 0 ] || exec sleep 1000",
    ]);
    expect(waited.code).toBe(143);
    expect(waited.stderr).toContain("mgpu-srun: First task exited 1s ago\n");
    expect(await cluster.state(jobId)).toBe("RUNNING");
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("is cancelled by itself, or dies with its job; either is told", async () => {
    const jobId = await allocate("-n1");
    const own = ["--jobid", `${jobId}`, "-n1", "sh", "-c", "echo up; exec sleep 1000"];
    const first = cluster.start("mgpu-srun", own);
    await cluster.until(() => first.stdout() === "up\n", "the first step runs");
    await cluster.ok("mgpu-scancel", [`${jobId}.0`]);
    const one = await first.ended;
    expect(one.code).toBe(143);
    expect(one.stderr).toContain("mgpu-srun: Job step aborted: Waiting up to 32 seconds for job step to finish.\n");
    expect(one.stderr).toMatch(new RegExp(`\\*\\*\\* STEP ${jobId}\\.0 ON n\\d CANCELLED AT \\S+ \\*\\*\\*`));
    const second = cluster.start("mgpu-srun", own);
    await cluster.until(() => second.stdout() === "up\n", "the second step runs");
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
    expect((await second.ended).stderr).toMatch(/task 0: Terminated/);
    await cluster.untilState(jobId, "CANCELLED");
  });
  test("is waited for through a restart of the controller", async () => {
    const jobId = await allocate("-N1", "-n1");
    const own = ["--jobid", `${jobId}`, "--exact", "-n1"];
    const first = cluster.start("mgpu-srun", [...own, "sh", "-c", "echo up; read x"]);
    await cluster.until(() => first.stdout() === "up\n", "the first step runs");
    const second = cluster.start("mgpu-srun", [...own, "echo", "second"]);
    await cluster.until(() => second.stderr().includes("temporarily disabled"), "the second step waits");
    kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
    cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
    first.child.stdin?.end("\n");
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await second.ended).toMatchObject({ code: 0, stdout: "second\n" });
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("what can't be is said", async () => {
    const jobId = await allocate("-n1");
    const own = ["--jobid", `${jobId}`];
    const node = await cluster.run("mgpu-srun", [...own, "-w", "n9", "true"]);
    expect(node).toMatchObject({ code: 1 });
    expect(node.stderr).toContain(`mgpu-srun: error: Unable to create step for job ${jobId}: `);
    const job = await cluster.run("mgpu-srun", ["true"], { env: { SLURM_JOB_ID: "99999" } });
    expect(job.code).toBe(1);
    expect(job.stderr).toContain("Unable to confirm allocation for job 99999: Invalid job id specified");
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("srun --bcast makes a job of its own where there is none", async () => {
    const path = `${cluster.work}/own-copy`;
    const ran = await cluster.run("mgpu-srun", [`--bcast=${path}`, "-n2", "-l", "sh", "-c", "echo $0; exit 3"]);
    expect(ran.stdout.split("\n").sort()).toEqual(["", `0: ${path}`, `1: ${path}`]);
    expect(ran.code).toBe(3);
    expect(await cluster.queue("%i", "-n", "sh")).toEqual([]);
  });
});

describe("beside a step", () => {
  test("sattach shows what comes, and gives input", async () => {
    const jobId = await allocate("-N2", "-n2");
    const own = ["--jobid", `${jobId}`, "-n2", "-l"];
    const step = cluster.start("mgpu-srun", [...own, "sh", "-c", "echo up; read x; echo got $x"]);
    await cluster.until(() => lines(step.stdout()).length === 2, "the step runs");
    expect(await cluster.ok("mgpu-sattach", ["--layout", `${jobId}.0`])).toContain("Node 1 (n2), 1 task(s): 1\n");
    const watcher = cluster.start("mgpu-sattach", ["-l", `${jobId}.0`]);
    watcher.child.stdin?.write("hello\n");
    const [seen, own2] = await Promise.all([watcher.ended, step.ended]);
    expect(seen.code).toBe(0);
    expect(lines(seen.stdout)).toEqual(["0: got hello", "1: got hello"]);
    expect(lines(own2.stdout)).toEqual(["0: got hello", "0: up", "1: got hello", "1: up"]);
    expect((await cluster.run("mgpu-sattach", [`${jobId}.0`])).code).toBe(1);
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("sbcast copies to the job's nodes, and srun --bcast runs the copy", async () => {
    const jobId = await allocate("-n1");
    const own = { env: { SLURM_JOB_ID: `${jobId}` } };
    cluster.write("data", "content\n");
    await cluster.ok("mgpu-sbcast", ["data", "copy"], own);
    expect(cluster.read("copy")).toBe("content\n");
    const again = await cluster.run("mgpu-sbcast", ["data", "copy"], own);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/sbcast: error: REQUEST_FILE_BCAST\(n\d\): \S+: File exists/);
    await cluster.ok("mgpu-sbcast", ["-f", "data", "copy"], own);
    const path = `${cluster.work}/my-echo`;
    expect(await cluster.ok("mgpu-srun", [`--bcast=${path}`, "-n1", "echo", "ran"], own)).toBe("ran\n");
    expect(cluster.has("my-echo")).toBe(true);
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
  });
  test("srun --bcast makes a job of its own where there is none", async () => {
    const path = `${cluster.work}/own-copy`;
    const ran = await cluster.run("mgpu-srun", [`--bcast=${path}`, "-n2", "-l", "sh", "-c", "echo $0; exit 3"]);
    expect(ran.stdout.split("\n").sort()).toEqual(["", `0: ${path}`, `1: ${path}`]);
    expect(ran.code).toBe(3);
    expect(await cluster.queue("%i", "-n", "sh")).toEqual([]);
  });
});
