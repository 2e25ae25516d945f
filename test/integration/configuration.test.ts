/** The configuration file: read by daemons at their start and again on request, checked and shown by mgpu config. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_FAKE_GPUS: "", MGPU_NODE_ID: "n1" } });
afterAll(() => cluster.stop());

const folder = join(cluster.folder, ".config/mgpu");
const path = join(folder, "config.yaml");
function configure(text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
}

const setting = async (key: string) =>
  new RegExp(`^${key}\\s*= (.*)$`, "m").exec(await cluster.ok("mgpu-scontrol", ["show", "config"]))?.[1];

test("one that is wrong keeps mgpu from starting, with every problem; a right one holds; changes are taken over", async () => {
  configure("limits:\n  min_job_age: soon\nnods: {}\n");
  const wrong = await cluster.run("mgpu-srun", ["true"]);
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toContain(`${path}:2:16: limits.min_job_age: expected seconds, got "soon"`);
  expect(wrong.stderr).toContain(`${path}:3:1: nods: there is no such section; did you mean node?`);
  const checked = await cluster.run("mgpu", ["config", "check"]);
  expect(checked.code).toBe(1);
  expect(checked.stderr).toContain(`${path}:2:16: limits.min_job_age`);
  const env = { MGPU_FEEDS_INTERVAL: "often" };
  const both = await cluster.run("mgpu", ["config", "check"], { env });
  expect(both.stderr).toContain(`${path}:2:16: limits.min_job_age`);
  expect(both.stderr).toContain('MGPU_FEEDS_INTERVAL: expected seconds, at least 0.1, got "often"');

  configure("cluster: {name: lab}\nlimits: {min_job_age: 77}\nnodes:\n  n1: {fake_gpus: 3}\n");
  expect(await cluster.ok("mgpu", ["config", "check"])).toBe(`${path}: 3 settings, no problem\n`);
  expect((await cluster.ok("mgpu-srun", ["--gpus", "3", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"])).trim()).toBe(
    "0,1,2",
  );
  expect(await setting("ClusterName")).toBe("lab");
  expect(await setting("MinJobAge")).toBe("77 sec");
  expect(await cluster.ok("mgpu", ["config", "show"])).toMatch(
    /^limits\.min_job_age\s+= 77\s+# \S+config\.yaml:2:23$/m,
  );

  configure("cluster: {name: other}\nlimits: {min_job_age: 66}\nnodes:\n  n1: {fake_gpus: 3}\n");
  const again = await cluster.run("mgpu-scontrol", ["reconfigure"]);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stderr).toBe(
    "scontrol: limits.min_job_age: 77 -> 66\n" +
      "scontrol: cluster.name: lab -> other needs a restart of mgpuctld; jobs run on meanwhile\n",
  );
  expect(await setting("MinJobAge")).toBe("66 sec");
  expect(await setting("ClusterName")).toBe("lab");

  configure("limits: {min_job_age: never}\n");
  const refused = await cluster.run("mgpu-scontrol", ["reconfigure"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`${path}:1:23: limits.min_job_age: expected seconds, got "never"`);
  expect(await setting("MinJobAge")).toBe("66 sec");

  configure("limits: {min_job_age: 55}\n");
  const [controller] = cluster.processes().filter(({ command }) => command.includes("mgpuctld"));
  process.kill(controller?.pid as number, "SIGHUP");
  await cluster.until(async () => (await setting("MinJobAge")) === "55 sec", "a hangup makes it read the file again");
});

test("GPUs by the name of a model: asked for, found in the program's words, said; unknown names are refused", async () => {
  configure("models: {tiny: 0.5, big: 2}\nnodes:\n  n1: {fake_gpus: 3}\n");
  await cluster.ok("mgpu-scontrol", ["reconfigure"]);
  const count = ["sh", "-c", "echo $CUDA_VISIBLE_DEVICES"];
  const named = await cluster.run("mgpu-srun", ["--model", "big", ...count]);
  expect(named).toMatchObject({ code: 0, stdout: "0,1\n" });
  expect(named.stderr).toContain("mgpu-srun: model big gets --gpus=2 (models: big;");
  const found = await cluster.run("mgpu-srun", [...count, "train.py", "--llm", "org/BIG"]);
  expect(found).toMatchObject({ code: 0, stdout: "0,1\n" });
  const own = await cluster.run("mgpu-srun", ["--gpus=1", ...count, "train.py", "--model", "big"]);
  // A busy machine may say that the job was queued first.
  expect(own).toMatchObject({ code: 0, stdout: "0\n", stderr: expect.not.stringContaining("model") });
  const unknown = await cluster.run("mgpu-srun", ["--model", "bgi", "true"]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain("nobody knows how many GPUs bgi needs");
  expect(unknown.stderr).toContain("known are tiny, big");
  const batch = await cluster.run("mgpu-sbatch", ["--parsable", "--hold", "--wrap", "python train.py --model tiny"]);
  expect(batch.stderr).toContain("model tiny gets --gpus=0.5");
  expect(await cluster.queue("%b", "-j", batch.stdout.trim())).toEqual([expect.stringMatching(/gpu:0\.5/)]);
  await cluster.ok("mgpu-scancel", [batch.stdout.trim()]);
});

test("limits: a full queue refuses, what may not run yet waits with the reason, memory is given by default", async () => {
  configure("limits: {max_running: 1, max_queued: 1, default_memory: 77}\nnodes:\n  n1: {fake_gpus: 3}\n");
  await cluster.ok("mgpu-scontrol", ["reconfigure"]);
  const submit = () => cluster.run("mgpu-sbatch", ["--parsable", "-o", "/dev/null", "--wrap", "sleep 600"]);
  const running = (await submit()).stdout.trim();
  await cluster.until(async () => (await cluster.queue("%T %m", "-j", running))[0] === "RUNNING 77M", "the first runs");
  const waiting = (await submit()).stdout.trim();
  const reason = async () => (await cluster.queue("%r", "-j", waiting))[0];
  await cluster.until(async () => (await reason()) === "AssocGrpJobsLimit", "the second waits");
  const refused = await submit();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("The queue is full");
  expect(refused.stderr).toContain("1 job waits, limits.max_queued is 1");
  configure("limits: {max_running: 2}\nnodes:\n  n1: {fake_gpus: 3}\n");
  await cluster.ok("mgpu-scontrol", ["reconfigure"]);
  await cluster.until(async () => (await cluster.queue("%T", "-j", waiting))[0] === "RUNNING", "it starts by itself");
  await cluster.ok("mgpu-scancel", [running, waiting]);
});

test("partitions come, change and go while mgpuctld runs; one with a waiting job goes with it", async () => {
  const again = async (partitions: string): Promise<string> => {
    configure(`partitions: ${partitions}\nnodes:\n  n1: {fake_gpus: 3}\n`);
    const ran = await cluster.run("mgpu-scontrol", ["reconfigure"]);
    expect(ran.code).toBe(0);
    return ran.stderr;
  };
  const listed = async () => (await cluster.ok("mgpu-sinfo", ["-h", "-o", "%P %a %l"])).trim().split("\n").sort();
  expect(await again("{gpu: {nodes: [n1], max_time: 60}, old: {}}")).toContain("partitions.gpu: added (nodes=n1");
  expect(await listed()).toEqual(["gpu* up 1:00:00", "old up infinite"]);
  const waiting = (await cluster.ok("mgpu-sbatch", ["--parsable", "-p", "old", "--hold", "--wrap", "true"])).trim();
  const said = await again("{gpu: {nodes: [n1], max_time: 30}}");
  expect(said).toContain("scontrol: partitions.gpu: nodes=n1 max_time=60 -> nodes=n1 max_time=30");
  expect(said).toContain("partitions.old: removed");
  expect(said).toContain("partitions.old: takes no new jobs, and goes with the last of those in it");
  expect(await listed()).toEqual(["gpu* up 30:00", "old drain infinite"]);
  await cluster.ok("mgpu-scancel", [waiting]);
  await cluster.until(async () => (await listed()).join() === "gpu* up 30:00", "the old partition is gone");
  configure("partitions: {gpu: {nods: n1}}\n");
  const wrong = await cluster.run("mgpu-scontrol", ["reconfigure"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain(`${path}:1:20: partitions.gpu.nods: there is no such key; did you mean nodes?`);
  await again("{}");
  expect(await listed()).toEqual(["main* up infinite"]);
});
