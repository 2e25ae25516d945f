/** Heterogeneous jobs on several node daemons: a script with steps over both components, salloc, srun, cancelling. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: {} });

beforeAll(async () => {
  cluster.start("mgpuctld", []);
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
  const { socket } = JSON.parse(await cluster.ok("mgpu", ["status", "--json"]));
  cluster.start("mgpud", ["--node-id", "a", "--cpus", "2", "--memory", "2000", "--gpu-count", "0"]);
  // Its state is elsewhere.
  const env = { MGPU_HOME: `${cluster.folder}/b`, MGPU_FAKE_GPUS: "2" };
  cluster.start("mgpud", ["--node-id", "b", "--cpus", "4", "--memory", "2000", "--controller", socket], { env });
  const names = async () => (await cluster.run("mgpu-sinfo", ["-h", "-N", "-o", "%N"])).stdout.split("\n").sort();
  await cluster.until(async () => (await names()).join() === ",a,b", "both nodes are there");
});
afterAll(() => cluster.stop());

const sorted = (text: string): string[] => text.trim().split("\n").sort();

const SCRIPT = `#!/bin/bash
#SBATCH -n1 -w a -o het.txt
#SBATCH hetjob
#SBATCH -n2 -w b --gpus=2
echo script $SLURM_JOB_NODELIST $SLURM_HET_SIZE $SLURM_JOB_NODELIST_HET_GROUP_1 $SLURM_NTASKS_HET_GROUP_1
mgpu-srun -l --het-group=0,1 sh -c 'echo $SLURM_PROCID/$SLURM_NTASKS $SLURMD_NODENAME $SLURM_NODEID/$SLURM_NNODES $SLURM_JOB_ID'
mgpu-srun -o task-%t.txt sh -c 'echo A $SLURM_PROCID' : sh -c 'echo B $SLURM_PROCID $CUDA_VISIBLE_DEVICES; test $SLURM_PROCID = 1 || exit 3'
echo rc $?
mgpu-srun sh -c 'echo one $SLURM_NTASKS'
mgpu-squeue -h -o '%i %T %N'
exit 4
`;

test("a script's steps run in one component or in several, as one", async () => {
  cluster.write("het.sh", SCRIPT);
  const { code, stdout } = await cluster.run("mgpu-sbatch", ["--wait", "het.sh"]);
  expect(code).toBe(4);
  const id = Number(/\d+/.exec(stdout)?.[0]);
  expect(sorted(cluster.read("het.txt"))).toEqual(
    sorted(`script a 2 b 2
0: 0/3 a 0/2 ${id}
1: 1/3 b 1/2 ${id}
2: 2/3 b 1/2 ${id}
mgpu-srun: error: b: task 2: Exited with exit code 3
rc 3
one 1
${id}+0 RUNNING a
${id}+1 RUNNING b`),
  );
  expect([0, 1, 2].map((task) => cluster.read(`task-${task}.txt`))).toEqual(["A 0\n", "B 1 0,1\n", "B 2 0,1\n"]);
  const states = () => cluster.queue("%i %T", "-t", "all", "-j", String(id));
  await cluster.until(async () => (await states()).join() === `${id}+0 FAILED,${id}+1 FAILED`, "both are over");
});

test("srun alone: one job, tasks counted through, the highest exit code", async () => {
  const show = 'echo $SLURM_PROCID/$SLURM_NTASKS $SLURMD_NODENAME; exit "$SLURM_PROCID"';
  const argv = ["-l", "-n1", "-w", "a", "sh", "-c", show, ":", "-n2", "-w", "b", "sh", "-c", show];
  const { code, stdout } = await cluster.run("mgpu-srun", argv);
  expect({ code, lines: sorted(stdout) }).toEqual({ code: 2, lines: ["0: 0/3 a", "1: 1/3 b", "2: 2/3 b"] });
});

test("salloc has all components at once and gives all back", async () => {
  const inside = "mgpu-squeue -h -o '%i %T'; mgpu-srun sh -c 'echo x' : sh -c 'echo y'";
  const { code, stdout } = await cluster.run("mgpu-salloc", ["-n1", ":", "-n1", "--gpus=1", "sh", "-c", inside]);
  expect(code).toBe(0);
  expect(stdout.match(/\+[01] RUNNING|^[xy]$/gm)?.sort()).toEqual(["+0 RUNNING", "+1 RUNNING", "x", "y"]);
  await cluster.until(async () => (await cluster.queue("%i")).length === 0, "nothing is left");
});

test("no component starts before all can; the whole is cancelled by its number", async () => {
  const held = await cluster.hold(["-w", "a", "-n2"]);
  cluster.write("sleep.sh", "#!/bin/sh\nsleep 600\n");
  const id = (
    await cluster.ok("mgpu-sbatch", ["--parsable", "-n1", "-w", "b", ":", "-n1", "-w", "a", "sleep.sh"])
  ).trim();
  const states = (...more: string[]) => cluster.queue("%i %T", "-j", id, ...more);
  await cluster.until(
    async () => (await cluster.queue("%r", "-j", id)).join() === "Resources,Resources",
    "both wait for room",
  );
  const refused = await cluster.run("mgpu-scancel", [`${id}+1`]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Operation not permitted on individual component of heterogeneous job");
  await held.release();
  await cluster.until(async () => (await states()).join() === `${id}+0 RUNNING,${id}+1 RUNNING`, "both run");
  await cluster.ok("mgpu-scancel", [`${id}+1`]);
  await cluster.until(async () => (await states()).join() === `${id}+0 RUNNING`, "one component is gone");
  await cluster.ok("mgpu-scancel", [id]);
  await cluster.until(async () => (await states()).length === 0, "the rest is gone");
  expect(await states("-t", "all")).toEqual([`${id}+0 CANCELLED`, `${id}+1 CANCELLED`]);
});
