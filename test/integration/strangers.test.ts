/** GPUs that processes of others load get no new jobs, wherever one asks why; and they come back by themselves. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({
  env: {
    ...{ MGPU_NODE_ID: "n1", MGPU_HEARTBEAT_MS: "100", MGPU_GPU_QUERY_INTERVAL: "0.05" },
    ...{ MGPU_GPU_UTILIZATION_WINDOW: "1" },
  },
});
const file = join(cluster.folder, "gpus.json");
/** What others do on each of the two GPUs. */
function strangers(...gpus: readonly (readonly { pid: number; memoryMiB?: number; utilisationPercent?: number }[])[]) {
  const list = [0, 1].map((at) => ({ model: "Fake", memoryMiB: 1000, processes: gpus[at] ?? [] }));
  writeFileSync(file, JSON.stringify(list));
}

beforeAll(async () => {
  strangers();
  await cluster.ok("mgpu-srun", ["true"], { env: { MGPU_FAKE_GPUS: file } });
});
afterAll(() => cluster.stop());

const closed = async () =>
  (await cluster.ok("mgpu", ["gpu", "list"])).split("\n").filter((line) => /more than/.test(line));

test("a GPU over a threshold gets no new jobs; those that run stay; it comes back when the others go", async () => {
  const held = await cluster.hold(["--node-gpu-ids=n1:0"]);
  strangers([{ pid: process.pid, memoryMiB: 100 }], [{ pid: process.pid, memoryMiB: 900 }]);
  await cluster.until(async () => (await closed()).length === 1, "GPU 1 is closed");
  const why = `processes of others (${process.pid} `;
  expect((await closed())[0]).toContain(why);
  const waiting = cluster.start("mgpu-srun", ["--gpus=1", "-J", "waits", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"]);
  const look = async (program: string, ...args: string[]) => (await cluster.run(program, args)).stdout;
  const listed = async () => (await look("mgpu-squeue", "-h", "-n", "waits", "-o", "%i %r")).trim();
  await cluster.until(async () => /Resources/.test(await listed()), "it waits");
  const [jobId = ""] = (await listed()).split(" ");
  const reason = "GPU 1 gets no new jobs: processes of others";
  expect(await look("mgpu", "why", jobId)).toContain(reason);
  expect(await look("mgpu", "queue")).toContain("gpu1 processes of others");
  expect(await look("mgpu", "status", "--detailed")).toContain("gpu1 processes of others");
  expect(await look("mgpu-squeue", "-j", jobId, "--json")).toContain(reason);
  expect(await look("mgpu-scontrol", "show", "node", "n1")).toMatch(
    /ClosedGPUs=gpu:1 processes of others .*900 of its 1000/,
  );
  expect(await look("mgpu-sinfo", "-N", "-h", "-o", "%E")).toContain("gpu:1 processes of others");

  strangers([{ pid: process.pid, memoryMiB: 100 }]);
  expect((await waiting.ended).stdout).toBe("1\n");
  expect(await closed()).toEqual([]);
  // Load, of a GPU that no job has.
  strangers([], [{ pid: process.pid, utilisationPercent: 100 }]);
  await cluster.until(async () => /100% busy/.test((await closed()).join()), "GPU 1 is closed for its load");
  await cluster.ok("mgpu", ["pause-gpu", "1", "--reason", "fan"]);
  expect(await look("mgpu", "gpu", "list")).toMatch(/paused: fan\n/);
  strangers();
  await cluster.ok("mgpu", ["resume-gpu", "1"]);
  await cluster.until(async () => (await closed()).length === 0, "GPU 1 is back");
  expect((await held.release()).code).toBe(0);
});
