/** Elastic nodes on Debian's own Slurm: a cluster without machines of its own works through its queue on lent ones. */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Ran, TestCluster } from "../integration/support/cluster.ts";
import { SlurmCluster } from "./support/slurm-cluster.ts";

let slurm: SlurmCluster;
let cluster: TestCluster;
let wrapped: string;

/** Of one wait: other tests run besides. */
const PATIENCE_MS = 90_000;

beforeAll(async () => {
  slurm = await SlurmCluster.start({ nodes: 4, gpus: 4 });
  const variables = { SLURM_CONF: slurm.env.SLURM_CONF ?? "", MGPU_ELASTIC_INTERVAL: "1" };
  cluster = new TestCluster({ env: variables });
  cluster.start("mgpuctld", []);
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
  // An sbatch that can be told to refuse, or to let its jobs believe that they are on another machine.
  wrapped = join(cluster.folder, "wrapped");
  mkdirSync(wrapped);
  writeFileSync(
    join(wrapped, "sbatch"),
    `#!/bin/bash
for last; do :; done
[[ -e ${wrapped}/refuse && $* != *--test-only* ]] && { echo "sbatch: error: Batch job submission failed: Job violates policy" >&2; exit 1; }
sed -i 's/^\\(if \\[ "$(cat [^ ]* = \\)[^ ]*/\\1elsewhere/' "$last"
exec /usr/bin/sbatch "$@"
`,
  );
  chmodSync(join(wrapped, "sbatch"), 0o755);
}, 180_000);

afterAll(async () => {
  await cluster?.stop();
  await slurm?.stop();
}, 180_000);

// What a test that failed left must not fail the next one.
afterEach(async () => {
  await cluster.run("mgpu-scancel", ["--user=root"]);
  await removed();
}, 120_000);

const alloc = (...words: string[]): Promise<Ran> => cluster.run("mgpu", ["alloc", ...words]);
const list = async (): Promise<string> => (await alloc("list")).stdout;
const log = async (queue: string): Promise<string> => (await alloc("log", queue)).stdout;
const until = (condition: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> =>
  cluster.until(condition, what, PATIENCE_MS);

/** Numbers of the jobs that came to their end, one for each time. */
function done(): number[] {
  const path = join(cluster.work, "done");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(Number) : [];
}

interface Listed {
  readonly queues: readonly {
    readonly nodes: readonly { node: string; state: string; outerId: string; jobs: number }[];
  }[];
}

async function nodes(): Promise<Listed["queues"][number]["nodes"]> {
  const { queues } = JSON.parse(await cluster.ok("mgpu", ["alloc", "list", "--json"])) as Listed;
  return queues.flatMap((queue) => queue.nodes);
}

async function removed(): Promise<void> {
  if ((await list()).startsWith("no queues")) return;
  await cluster.ok("mgpu", [
    "alloc",
    "remove",
    "--force",
    ...(await list()).split("\n").flatMap((line) => /^slurm\d+(?= )/.exec(line) ?? []),
  ]);
  let left = "";
  await until(
    async () => {
      left = await list();
      return left.startsWith("no queues");
    },
    () => `the queue is gone: ${left}`,
  );
}

test("200 jobs run once each on four allocations, one of which is killed, while Slurm's controller is away for a while", async () => {
  // Slurm's TERM may reach a script's program before the script: one whose work was cut short is not at its end.
  cluster.write("work.sh", `#!/bin/sh\nset -e\nsleep 1\necho "$1" >>${cluster.work}/done\n`);
  const lines = Array.from({ length: 200 }, (_, at) => `1,work.sh,,${at + 1},\n`);
  cluster.write("jobs.txt", lines.join(""));
  await cluster.ok("mgpu", ["alloc", "add", "slurm", "--gpus=4", "--time=20m", "--max=4", "--backlog=4", "--idle=30s"]);
  expect(await cluster.ok("mgpu", ["feed", "--gpus=1", "--time=5", "jobs.txt"])).toContain("200 jobs queued");

  await until(
    async () => (await nodes()).filter(({ state }) => state === "running").length === 4,
    "four nodes are there",
  );
  expect(await cluster.ok("mgpu-sinfo", ["-h", "-o", "%D %f %G"])).toBe("4 slurm,slurm1 gpu:fake:4\n");

  await until(() => done().length >= 10, "some jobs are over");
  await slurm.stopController();
  const before = done().length;
  await until(async () => /Slurm has not answered for/.test(await list()), "the list says that Slurm does not answer");
  await until(() => done().length > before, "jobs go on without Slurm's controller");
  await slurm.startController();

  const [killed] = (await nodes()).filter(({ jobs }) => jobs > 0);
  if (!killed) throw new Error(`no node is busy: ${await list()}`);
  await slurm.ok("scancel", [killed.outerId]);
  await until(
    () => done().length >= 200,
    () => `200 jobs are over, not ${done().length}`,
  );
  expect(await log("slurm1")).toContain(`${killed.node} is over: Slurm job ${killed.outerId} is over: CANCELLED`);
  await until(async () => (await cluster.queue("%i")).length === 0, "the queue is empty");
  expect([...done()].sort((a, b) => a - b)).toEqual(lines.map((_, at) => at + 1));
  const ends = await cluster.ok("mgpu-sacct", ["-n", "-X", "-D", "-P", "-o", "State"]);
  const states = ends.trim().split("\n");
  expect(states.filter((state) => state === "COMPLETED")).toHaveLength(200);
  // What the killed node ran was started again.
  expect(states.filter((state) => state === "NODE_FAIL").length).toBeGreaterThan(0);
  await removed();
  expect(await slurm.ok("squeue", ["-h", "-t", "running,pending"])).toBe("");
  expect(await cluster.ok("mgpu-sinfo", ["-h", "-N"])).toBe("");
}, 300_000);

test("a node on another machine joins with a token that nobody sees, and takes no job that it would not outlive", async () => {
  const path = `${wrapped}:${process.env.PATH}`;
  const words = ["alloc", "add", "slurm", "--gpus=2", "--cpus=2", "--mem=1G", "--time=10m", "--idle=1m"];
  await cluster.ok("mgpu", words, { env: { PATH: `${join(import.meta.dirname, "../../bin")}:${path}` } });
  const job = await cluster.submit("#!/bin/sh\necho $CUDA_VISIBLE_DEVICES $(nproc --all >/dev/null; hostname)\n", [
    "--gpus=2",
    "--time=5",
    "--output=%j.out",
  ]);
  const long = await cluster.submit("#!/bin/sh\n", ["--gpus=1", "--time=11", "--output=/dev/null"]);
  const endless = await cluster.submit("#!/bin/sh\n", ["--gpus=1", "--output=/dev/null"]);
  await until(async () => (await nodes()).some(({ state }) => state === "starting"), "the allocation has begun");
  expect((await list()).match(/^slurm\d+-\d+ .*$/gm)).toHaveLength(1);
  const port = 20_000 + (process.pid % 20_000);
  await cluster.ok("mgpu", ["up", "--listen", `127.0.0.1:${port}`]);
  await cluster.untilState(job, "COMPLETED");
  expect(cluster.read(`${job}.out`)).toBe("0,1 n1\n");
  const [node] = await nodes();
  expect(await cluster.ok("mgpu-scontrol", ["show", "node", node?.node ?? ""])).toMatch(/Comment=Slurm job \d+ on n1/);
  expect(await cluster.ok("mgpu", ["why", `${long}`])).toContain("its allocation ends before the job would be over");
  expect(await cluster.ok("mgpu", ["why", `${endless}`])).toContain("its allocation ends before the job would be over");
  expect(await slurm.ok("squeue", ["-h", "-o", "%k"])).toBe(`node ${node?.node} of mgpu cluster mgpu\n`);
  const left = readdirSync(join(cluster.home, "elastic")).filter((name) => /\.(join|sh)$/.test(name));
  expect(left).toEqual([`${node?.node}.sh`]);
  expect(statSync(join(cluster.home, "elastic", `${node?.node}.sh`)).mode & 0o77).toBe(0);
  await cluster.ok("mgpu-scancel", [`${long}`, `${endless}`]);
  await removed();
}, 300_000);

test("what is refused is said, waits longer each time, and goes on when told to", async () => {
  const env = { PATH: `${join(import.meta.dirname, "../../bin")}:${wrapped}:${process.env.PATH}` };
  writeFileSync(join(wrapped, "refuse"), "");
  const name = /^slurm\d+/.exec(await cluster.ok("mgpu", ["alloc", "add", "slurm", "--time=10m"], { env }))?.[0] ?? "";
  const job = await cluster.submit("#!/bin/sh\n", ["--time=5", "--output=/dev/null"]);
  await until(async () => /1 failure in a row, the next try in/.test(await list()), "the refusal is listed");
  expect(await list()).toMatch(new RegExp(`^${name} +backing off`, "m"));
  expect(await log(name)).toContain("was refused: Batch job submission failed: Job violates policy");
  expect(await cluster.ok("mgpu", ["why", `${job}`])).toContain(
    `${name} asks for no more now: it waits after a failure`,
  );
  await cluster.ok("mgpu", ["alloc", "pause", name]);
  expect(await list()).toMatch(new RegExp(`^${name} +paused`, "m"));
  await cluster.ok("mgpu-scancel", [`${job}`]);
  await cluster.ok("mgpu", ["alloc", "remove", name]);
  expect(await list()).toMatch(/^no queues/);
}, 180_000);

test("a dry run shows all and leaves nothing; wrong options are told together", async () => {
  const shown = await alloc("add", "slurm", "--gpus=2", "--time=1h", "--dry-run", "--", "--exclude=n1");
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain("#SBATCH --gres=gpu:2\n");
  expect(shown.stdout).toMatch(/^\S*\/sbatch --parsable --exclude=n1 \S+\.sh$/m);
  expect(shown.stdout).toMatch(/# Slurm would take it \(sbatch --test-only\):\n# Job \d+ to start at/);
  expect(await slurm.ok("squeue", ["-h"])).toBe("");
  expect(await list()).toMatch(/^no queues/);

  const wrong = await alloc("add", "slurm", "--gpus=x", "--time=never", "--max=0", "--idle=5x", "--mem=much", "--json");
  expect(wrong.code).toBe(2);
  for (const part of [
    "--gpus: expected",
    "--time: expected",
    "--max: ",
    "--idle: expected",
    "--mem: expected",
    "--json does",
  ]) {
    expect(wrong.stderr).toContain(part);
  }
  const idle = await alloc("add", "slurm", "--time=4m", "--idle=5m", "--max=2", "--backlog=3", "--", "--array=1-3");
  expect(idle).toMatchObject({ code: 1 });
  for (const part of [
    "--idle: an allocation is over before",
    "--backlog: more than --max",
    "sbatch option --array=1-3",
  ]) {
    expect(idle.stderr).toContain(part);
  }
  const partition = await alloc("add", "slurm", "--time=1h", "--", "--partition=nope");
  expect(partition).toMatchObject({ code: 1 });
  expect(partition.stderr).toMatch(/Slurm would not take it: .*nope/);
  const big = await alloc("add", "slurm", "--gpus=16", "--time=1h");
  expect(big.stderr).toContain("no node of Slurm has --gpus 16; nodes have 4");
  for (const [words, told] of [
    [["add", "pbs", "--time=1h"], 'expected slurm behind add, got "pbs"'],
    [["add", "slurm"], "--time: how long is each allocation to last?"],
    [["log", "slurm9"], "slurm9: no such queue"],
    [["pause"], "pause needs a queue"],
    [["fly"], 'got "fly"'],
  ] as const) {
    const ran = await alloc(...words);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(told);
  }
}, 120_000);

test("a restart of the controller finds its allocations again, and cancels those that nobody knows of", async () => {
  await cluster.ok("mgpu", ["alloc", "add", "slurm", "--gpus=1", "--time=10m", "--idle=2m"]);
  const job = await cluster.submit("#!/bin/sh\nsleep 1000\n", ["--gpus=1", "--time=5", "--output=/dev/null"]);
  await cluster.untilState(job, "RUNNING");
  const [before] = await nodes();
  // As if it had been submitted right before a crash that lost its record.
  const name = (await slurm.ok("squeue", ["-h", "-o", "%j"])).trim().replace(/-\d+$/, "-999");
  const stray = await slurm.submit("#!/bin/sh\nsleep 1000\n", ["--job-name", name]);
  process.kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
  cluster.start("mgpuctld", []);
  await slurm.untilState(stray, "CANCELLED");
  await until(async () => (await nodes())[0]?.state === "running", "the node is back");
  expect((await nodes()).map(({ node, outerId }) => [node, outerId])).toEqual([[before?.node, before?.outerId]]);
  expect(await cluster.state(job)).toBe("RUNNING");
  await cluster.ok("mgpu-scancel", [`${job}`]);
  await removed();
}, 180_000);
