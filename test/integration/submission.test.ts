/** What a submission takes along, and what sbatch says and waits for, with the real programs. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_CPUS: "8" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const sbatch = (args: string[], input = "#!/bin/sh\ntrue\n") => cluster.run("mgpu-sbatch", args, { input });
const shell = (line: string) => cluster.ok("bash", ["-c", line]);

describe("--wait", () => {
  test.each<[string, number]>([
    ["exit 7", 7],
    ["kill -KILL $$", 1],
    ["true", 0],
  ])("%s: sbatch ends with %i", async (command, expected) => {
    const { code, stdout } = await sbatch(["-W", "-o", "/dev/null", "--wrap", command]);
    expect(code).toBe(expected);
    expect(stdout).toMatch(/^Submitted batch job \d+\n$/);
  });
  test("the worst task of an array", async () => {
    const command = "exit $SLURM_ARRAY_TASK_ID";
    expect((await sbatch(["-W", "-a1-3%2", "-o", "/dev/null", "--wrap", command])).code).toBe(3);
  });
});

describe("what goes along", () => {
  test("limits and mask of the shell", async () => {
    const job = "mgpu-sbatch -W -o limits.txt --wrap 'ulimit -Sn; umask'";
    // The shell must still be there: bash becomes the last command of a line by itself.
    await shell(`ulimit -Sn 512 -Sc 0; umask 027; ${job}; true`);
    expect(cluster.read("limits.txt")).toBe("512\n0027\n");
  });
  test("a file of variables, also through a descriptor", async () => {
    writeFileSync(join(cluster.work, "variables"), "FROM_FILE=a b\0SECOND=x\ny\0");
    const wrap = "--wrap 'echo \"$FROM_FILE|$SECOND|$OURS\"'";
    await shell(`OURS=1 mgpu-sbatch -W -o file.txt --export-file=variables ${wrap}`);
    expect(cluster.read("file.txt")).toBe("a b|x\ny|\n");
    await shell(`printf 'FROM_FILE=fd\\0' | mgpu-sbatch -W -o fd.txt --export-file=5 5<&0 ${wrap}`);
    expect(cluster.read("fd.txt")).toBe("fd||\n");
  });
  test("what the login shell says, below the user's own", async () => {
    const line = "OURS=1 PATH=$PATH:/ours mgpu-sbatch -W -o login.txt --get-user-env --wrap 'echo $OURS $PATH $SHELL'";
    await shell(line);
    expect(cluster.read("login.txt")).toMatch(/^1 \S+:\/ours \/\S+\n$/);
  });
  test("the command as it was typed", async () => {
    const ran = await sbatch(["--parsable", "-W", "-o", "/dev/null", "--comment=a b", "--wrap", "true"]);
    const shown = await cluster.ok("mgpu-scontrol", ["show", "job", ran.stdout.trim()]);
    expect(shown).toContain("Comment=a b");
  });
});

test("--cpu-bind binds each task to a CPU that it may use, and says so", async () => {
  const allowed = await cluster.ok("mgpu-srun", ["grep", "Cpus_allowed_list", "/proc/self/status"]);
  const cpu = /(\d+)\n$/.exec(allowed)?.[1] ?? "0";
  const script = "grep Cpus_allowed_list /proc/self/status; echo $SLURM_CPU_BIND";
  const { stdout, stderr } = await cluster.run("mgpu-srun", [`--cpu-bind=verbose,map_cpu:${cpu}`, "sh", "-c", script]);
  expect(stdout).toBe(`Cpus_allowed_list:\t${cpu}\nverbose,map_cpu:${cpu}\n`);
  const mask = (1n << BigInt(cpu)).toString(16);
  expect(stderr).toMatch(new RegExp(`^cpu-bind=MAP  - n1, task  0  0 \\[\\d+\\]: mask 0x${mask} set\n$`));
});

test("--test-only says when and where, and queues nothing", async () => {
  const before = await cluster.queue("%i", "-t", "all");
  const { code, stdout, stderr } = await sbatch(["--test-only", "-n2"]);
  expect([code, stdout]).toEqual([0, ""]);
  expect(stderr).toMatch(
    /^mgpu-sbatch: Job \d+ to start at \d{4}-\d\d-\d\dT\S+ using 2 processors on nodes n1 in partition main\n$/,
  );
  expect(await cluster.queue("%i", "-t", "all")).toEqual(before);
});

test("a job within a job wants nothing of the outer one's", async () => {
  const inner = "mgpu-sbatch -W -o inner.txt --wrap 'echo $SLURM_NTASKS $SLURM_CPUS_PER_TASK $SLURM_GPUS'";
  expect((await sbatch(["-W", "-n2", "-c2", "-G2", "-o", "/dev/null", "--wrap", inner])).code).toBe(0);
  expect(cluster.read("inner.txt")).toBe("1\n");
});

describe("steps take after their job", () => {
  const outputOf = async (args: string[], command: string) => {
    const ran = await sbatch(["-W", "-o", "steps.txt", ...args, "--wrap", command]);
    expect(ran.code).toBe(0);
    return cluster.read("steps.txt").trim().split("\n").sort();
  };
  test("as many tasks, each with its GPU", async () => {
    const lines = await outputOf(
      ["-n2", "--gpus-per-task=1"],
      "mgpu-srun sh -c 'echo $SLURM_PROCID $CUDA_VISIBLE_DEVICES'",
    );
    expect(lines).toEqual(["0 0", "1 1"]);
  });
  test("fewer when told so", async () => {
    expect(await outputOf(["-n4"], "mgpu-srun -n1 echo one; mgpu-srun -n2 echo two")).toEqual(["one", "two", "two"]);
  });
});

test("a program runs in the environment of Python that was asked for, or not at all", async () => {
  const prefix = join(cluster.folder, "miniconda3/envs/torch");
  for (const folder of ["bin", "conda-meta"]) mkdirSync(join(prefix, folder), { recursive: true });
  writeFileSync(join(prefix, "bin/python"), "#!/bin/sh\necho $CONDA_DEFAULT_ENV $VIRTUAL_ENV\n");
  chmodSync(join(prefix, "bin/python"), 0o755);
  const wrap = ["--wrap", "python; mgpu-srun python"];
  expect((await sbatch(["--conda-env=torch", "-W", "-o", "conda.txt", ...wrap])).code).toBe(0);
  expect(cluster.read("conda.txt")).toBe("torch\ntorch\n");
  expect(await cluster.ok("mgpu-srun", [`--venv=${prefix}`, "python"])).toBe(`${prefix}\n`);
  expect(await cluster.ok("mgpu-salloc", ["--conda-env", "torch", "mgpu-srun", "python"])).toBe("torch\n");
  const missing = await cluster.run("mgpu-srun", ["--conda-env", "jax", "touch", "started.txt"]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain(
    `no conda environment "jax": looked for conda-meta in ${cluster.folder}/miniconda3/`,
  );
  expect(() => cluster.read("started.txt")).toThrow("ENOENT");
  const two = await cluster.run("mgpu-srun", ["--conda-env", "torch", "--venv", prefix, "true"]);
  expect(two.stderr).toContain("a program runs in one environment, name one of them");
});
