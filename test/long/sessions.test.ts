/** Many sessions while everything that carries them is killed at random; and output that ends the moment it is printed. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "../integration/support/cluster.ts";
import { Terminal } from "../integration/support/terminal.ts";

const SESSIONS = Number(process.env.MGPU_LONG_SESSIONS ?? 200);
const AT_ONCE = 20;
const LINES = 150;
const BODY = Array.from({ length: LINES }, (_, index) => `line ${index + 1}\r\n`).join("");
const SCRIPT = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo line $i; sleep 0.04; done; exit 7`;

const cluster = new TestCluster({ env: { MGPU_CPUS: "64" } });
let controller: Running;
let node: Running;
beforeAll(async () => {
  ({ controller, node } = await cluster.startSeparate());
});
afterAll(async () => {
  // Daemons that have just started are ended in order only once they know one another.
  await cluster.until(
    async () => (await cluster.run("mgpu-sinfo", ["-h", "-o", "%T"])).stdout === "idle\n",
    "all is up",
  );
  await cluster.stop();
});

/** The same numbers in each run: what is killed when is no matter of luck. */
let seed = Number(process.env.MGPU_LONG_SEED ?? 1);
function random(): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
}

async function killSomething(): Promise<void> {
  if (random() < 0.5) {
    kill(node.pid, "SIGKILL");
    await node.ended;
    node = cluster.start("mgpud", ["--node-id", "n1"]);
  } else {
    kill(controller.pid, "SIGKILL");
    await controller.ended;
    controller = cluster.start("mgpuctld", []);
  }
}

test(`${SESSIONS} sessions print numbered lines while daemons are killed: each line once, in order, exit codes right`, async () => {
  let kills = 0;
  for (let from = 0; from < SESSIONS; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, SESSIONS - from);
    const terminals = Array.from(
      { length: count },
      () => new Terminal(cluster, ["mgpu-srun", "-Q", "sh", "-c", `echo ready; ${SCRIPT}`]),
    );
    await Promise.all(terminals.map((terminal) => terminal.shows("ready\r\n")));
    let areOver = false;
    const ended = Promise.all(terminals.map((terminal) => terminal.ended)).finally(() => {
      areOver = true;
    });
    while (!areOver) {
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 800));
      if (areOver) break;
      await killSomething();
      kills++;
    }
    for (const ran of await ended) {
      expect(ran.stdout.replace(/mgpu-srun: [^\r]*\r\n/g, "")).toBe(`ready\r\n${BODY}`);
      expect(ran.code).toBe(7);
    }
  }
  console.log(`${SESSIONS} sessions, ${kills} kills of controller or node daemon`);
  expect(kills).toBeGreaterThan(SESSIONS / AT_ONCE);
});

test("seq 1 50000 is complete in 100 of 100 runs", async () => {
  const all = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\r\n`).join("");
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "all is up");
  let complete = 0;
  for (let run = 0; run < 100; run++) {
    const { code, stdout } = await new Terminal(cluster, ["mgpu-srun", "seq", "1", "50000"]).ended;
    if (code === 0 && stdout === all) complete++;
  }
  expect(complete).toBe(100);
});

/** The most memory that each process of the cluster ever had, in MiB, by its command. */
function peaksMiB(): Map<string, number> {
  const peaks = new Map<string, number>();
  for (const { pid, command } of cluster.processes()) {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    peaks.set(`${command} (${pid})`, Number(kib ?? 0) / 1024);
  }
  return peaks;
}

test.each([
  ["srun whose reader stands still", "mgpu-srun -J flood --no-pty yes 2>/dev/null | sleep 10"],
  ["a session that nobody looks at", "mgpu-sbatch -J flood --pty -o /dev/null --wrap yes; sleep 10"],
])("a flood of 10 s: %s; no process above 150 MB", async (_, line) => {
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "all is up");
  const flooded = cluster.start("sh", ["-c", line]);
  let peaks = new Map<string, number>();
  let isOver = false;
  void flooded.ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    peaks = new Map([...peaks, ...peaksMiB()]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await cluster.ok("mgpu-scancel", ["-n", "flood"]);
  expect([...peaks].filter(([, mib]) => mib > 150)).toEqual([]);
  expect(peaks.size).toBeGreaterThan(3);
});
