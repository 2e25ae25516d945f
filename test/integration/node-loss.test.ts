/** Nodes that are lost while jobs run there: what becomes of the jobs, and of what the node still runs when it is back. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { isAlive, kill, type Running, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({
  env: { MGPU_NODE_TIMEOUT: "2", MGPU_HEARTBEAT_MS: "500", MGPU_DRAIN_AFTER_DEATHS: "3" },
});

const ROWS = ["-h", "-N", "-o", "%N %t %E"];

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it is not there");
  return value;
}

let daemons: readonly Running[];

beforeAll(async () => {
  daemons = await cluster.startNodes([
    { name: "n1", cpus: 4, gpus: 0 },
    { name: "n2", cpus: 4, gpus: 0 },
  ]);
}, 60_000);
afterAll(() => cluster.stop(), 60_000);

/** Says who and where it is, then goes on until its file is made. */
const script = (name: string): string =>
  `#!/bin/sh\nn=\${SLURM_RESTART_COUNT:-0}\necho $$ > ${name}.$n.pid\nwhile ! test -e ${name}.end; do echo start $n; sleep 0.1; done\n` +
  `echo $SLURMD_NODENAME $n > ${name}.ran\n`;

const pidOf = (file: string): number => Number(cluster.read(file));
const holds = (file: string): boolean => cluster.has(file) && cluster.read(file).endsWith("\n");

test("jobs of a silent node start elsewhere, end or go on, as they asked; the older start loses", async () => {
  await cluster.ok("mgpu-scontrol", ["update", "nodename=n2", "state=drain", "reason=later"]);
  const again = await cluster.submit(script("again"), ["-o", "again.out"]);
  const never = await cluster.submit(script("never"), ["--no-requeue"]);
  await cluster.until(() => holds("again.0.pid") && holds("never.0.pid"), "both scripts run");
  await cluster.ok("mgpu-scontrol", ["update", "nodename=n2", "state=resume"]);
  const wide = cluster.start("mgpu-srun", ["-N2", "-n2", "--no-kill", "sh", "-c", "echo $SLURMD_NODENAME; read -r x"]);
  await cluster.until(() => wide.stdout().split("\n").length === 3, "the step runs on both nodes");
  const old = [pidOf("again.0.pid"), pidOf("never.0.pid")];
  const node = must(daemons[1]);
  kill(node.pid, "SIGKILL");
  await node.ended;

  await cluster.until(() => holds("again.1.pid"), "the lost job runs again, on the other node");
  expect(await cluster.ok("mgpu-sinfo", ROWS)).toBe("n1 down* Not responding\nn2 mix none\n");
  expect(await cluster.ok("mgpu-sinfo", ["-R", "-h", "-o", "%N %E"])).toBe("n1 Not responding\n");
  expect(await cluster.state(never)).toBe("NODE_FAIL");
  expect(await cluster.queue("%T %N %R", "-n", "sh")).toEqual(["RUNNING n2 n2"]);
  expect(old.map(isAlive)).toEqual([true, true]);

  cluster.start("mgpud", ["--node-id", "n1", "--cpus", "4", "--memory", "4000", "--gpu-count", "0"]);
  await cluster.until(() => !old.some(isAlive), "what the node still ran is ended");
  await cluster.until(async () => (await cluster.ok("mgpu-sinfo", ROWS)).includes("n1 idle"), "the node is back");
  cluster.write("again.end", "");
  await cluster.untilState(again, "COMPLETED");
  expect(cluster.read("again.ran")).toBe("n2 1\n");
  expect(cluster.has("never.ran")).toBe(false);
  // Both wrote all the time, but not into the same file.
  expect(new Set(cluster.read("again.out").trim().split("\n"))).toEqual(new Set(["start 1"]));
  wide.child.stdin?.end("go\n");
  const ended = await wide.ended;
  expect([ended.stdout.split("\n").sort(), ended.code]).toEqual([["", "n1", "n2"], 143]);
}, 120_000);

test("a node on which scripts die at once that live elsewhere is drained, and resume takes it back", async () => {
  const run = async (text: string, node: string): Promise<void> => {
    await cluster.untilState(await cluster.submit(text, ["-w", node]), "COMPLETED", "FAILED");
  };
  // A user's broken scripts are no fault of the node.
  for (const word of ["1", "2", "3", "4"]) await run(`#!/bin/sh\n# ${word}\nexit 1\n`, "n2");
  const picky = "#!/bin/sh\ntest $SLURMD_NODENAME = n2\n";
  await run(picky, "n2");
  for (let count = 0; count < 3; count++) await run(picky, "n1");
  const reason = expect.stringMatching(/^n1 drain 3 jobs in a row died within 10 s: \d+,\d+,\d+\n/);
  await cluster.until(async () => (await cluster.ok("mgpu-sinfo", ROWS)).includes("n1 drain"), "n1 is drained");
  expect(await cluster.ok("mgpu-sinfo", ROWS)).toEqual(reason);
  expect(await cluster.ok("mgpu-sinfo", ["-R", "-h", "-o", "%N %u %E"])).toMatch(/^n1 \S+ 3 jobs in a row/);
  const status = await cluster.run("mgpu", ["status"]);
  expect(status.stdout).toMatch(/problem +node n1 is drained: 3 jobs in a row .* state=resume puts it back/);
  await cluster.ok("mgpu-scontrol", ["update", "nodename=n1", "state=resume"]);
  for (let count = 0; count < 2; count++) await run(picky, "n1");
  expect(await cluster.ok("mgpu-sinfo", ROWS)).toBe("n1 idle none\nn2 idle none\n");
}, 120_000);
