/** What a job's programs find in their environment: Slurm's variables, and of their user's what was to be passed on. */

import { hostname, userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunOptions, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_CLUSTER_NAME: "lab" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

type Variables = Record<string, string>;

/** Reads what `env -0` printed. */
function parse(text: string): Variables {
  const entries = text.split("\0").filter((entry) => entry !== "");
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

async function ofSrun(args: readonly string[] = [], options: RunOptions = {}): Promise<Variables> {
  return parse(await cluster.ok("mgpu-srun", [...args, "env", "-0"], options));
}

async function ofSbatch(args: readonly string[] = [], options: RunOptions = {}, directive = ""): Promise<Variables> {
  // With -p, bash passes on what it finds as it finds it; dash drops names that are no identifiers.
  const input = `#!/bin/bash -p\n${directive}\nexec env -0\n`;
  const id = Number(await cluster.ok("mgpu-sbatch", ["--parsable", "-o", "env.out", ...args], { ...options, input }));
  await cluster.untilState(id, "COMPLETED");
  return parse(cluster.read("env.out"));
}

/** The variables of one kind, without those that are of no interest. */
function slurmOf(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => /^(SLURM|CUDA|GPU_)/.test(name)));
}

describe("who am I", () => {
  test("srun: each task finds its place, and all that the job is", async () => {
    const args = ["-J", "who", "-n", "2", "-c", "2", "--gpus", "2", "--mem", "100", "--time", "10"];
    await cluster.ok("mgpu-srun", [...args, "sh", "-c", "env -0 >task-$SLURM_PROCID"]);
    const tasks = [0, 1].map((task) => parse(cluster.read(`task-${task}`)));
    const id = tasks[0]?.SLURM_JOB_ID ?? "";
    const start = Number(tasks[0]?.SLURM_JOB_START_TIME);
    const { username, uid, gid } = userInfo();
    const [gpus = ""] = await cluster.queue("%i", "-t", "all", "-j", id);
    expect(gpus).toBe(id);
    const visible = tasks[0]?.CUDA_VISIBLE_DEVICES;
    expect(visible).toMatch(/^\d,\d$/);
    const common = {
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      CUDA_VISIBLE_DEVICES: visible,
      GPU_DEVICE_ORDINAL: visible,
      SLURMD_NODENAME: "n1",
      SLURM_CLUSTER_NAME: "lab",
      SLURM_CPUS_ON_NODE: "4",
      SLURM_CPUS_PER_TASK: "2",
      SLURM_DISTRIBUTION: "block",
      SLURM_GPUS: "2",
      SLURM_GPUS_ON_NODE: "2",
      SLURM_GTIDS: "0,1",
      SLURM_JOBID: id,
      SLURM_JOB_CPUS_PER_NODE: "4",
      SLURM_JOB_END_TIME: `${start + 600}`,
      SLURM_JOB_GID: `${gid}`,
      SLURM_JOB_GPUS: visible,
      SLURM_JOB_ID: id,
      SLURM_JOB_NAME: "who",
      SLURM_JOB_NODELIST: "n1",
      SLURM_JOB_NUM_NODES: "1",
      SLURM_JOB_PARTITION: "main",
      SLURM_JOB_START_TIME: `${start}`,
      SLURM_JOB_UID: `${uid}`,
      SLURM_JOB_USER: username,
      SLURM_LAUNCH_NODE_IPADDR: "127.0.0.1",
      SLURM_MEM_PER_NODE: "100",
      SLURM_NNODES: "1",
      SLURM_NODEID: "0",
      SLURM_NODELIST: "n1",
      SLURM_NPROCS: "2",
      SLURM_NTASKS: "2",
      SLURM_SRUN_COMM_HOST: "127.0.0.1",
      SLURM_STEPID: "0",
      SLURM_STEP_GPUS: visible,
      SLURM_STEP_ID: "0",
      SLURM_STEP_NODELIST: "n1",
      SLURM_STEP_NUM_NODES: "1",
      SLURM_STEP_NUM_TASKS: "2",
      SLURM_STEP_TASKS_PER_NODE: "2",
      SLURM_SUBMIT_DIR: cluster.work,
      SLURM_SUBMIT_HOST: hostname().split(".")[0],
      SLURM_TASKS_PER_NODE: "2",
      SLURM_TOPOLOGY_ADDR: "n1",
      SLURM_TOPOLOGY_ADDR_PATTERN: "node",
      SLURM_UMASK: "0022",
      SLURM_TASK_PID: expect.stringMatching(/^\d+$/),
    };
    for (const task of [0, 1]) {
      const own = { SLURM_PROCID: `${task}`, SLURM_LOCALID: `${task}` };
      expect(slurmOf(tasks[task] ?? {})).toEqual({ ...common, ...own });
    }
    expect(Math.abs(start - Date.now() / 1000)).toBeLessThan(60);
  });

  test("torch finds its peers where there are several tasks, and thinks it is alone where there is one", async () => {
    await cluster.ok("mgpu-srun", ["-n", "2", "sh", "-c", "env -0 >rank-$SLURM_PROCID"]);
    const [first, second] = [0, 1].map((task) => parse(cluster.read(`rank-${task}`)));
    const shared = { WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2", NODE_RANK: "0", MASTER_ADDR: "127.0.0.1" };
    expect(first).toMatchObject({ ...shared, RANK: "0", LOCAL_RANK: "0" });
    expect(second).toMatchObject({ ...shared, RANK: "1", LOCAL_RANK: "1", MASTER_PORT: first?.MASTER_PORT });
    expect(Number(first?.MASTER_PORT)).toBeGreaterThanOrEqual(20_000);
    const alone = await ofSrun();
    expect(Object.keys(alone).filter((name) => /RANK|WORLD/.test(name))).toEqual([]);
    const own = await ofSrun(["-n", "1"], { env: { MASTER_PORT: "1234", RANK: "7" } });
    expect(own).toMatchObject({ MASTER_PORT: "1234", RANK: "7" });
  });

  test("sbatch: the job's variables and no step's", async () => {
    const found = await ofSbatch(["-J", "batch", "-n", "3"]);
    expect(found).toMatchObject({
      CUDA_VISIBLE_DEVICES: "",
      ENVIRONMENT: "BATCH",
      SLURM_JOB_NAME: "batch",
      SLURM_NTASKS: "3",
      SLURM_PROCID: "0",
      SLURM_SUBMIT_DIR: cluster.work,
    });
    const steps = Object.keys(found).filter((name) => /^SLURM_STEP|^(RANK|WORLD_SIZE)$/.test(name));
    expect(steps).toEqual([]);
  });

  test("wishes that nobody had are not there", async () => {
    const wishes =
      /^SLURM_(CPUS_PER_TASK|NTASKS_PER_NODE|GPUS.*|MEM_PER_NODE|JOB_GPUS|STEP_GPUS|RESTART_COUNT|ARRAY_.*)$/;
    for (const found of [await ofSrun(), await ofSbatch()]) {
      expect(Object.keys(found).filter((name) => wishes.test(name))).toEqual([]);
      expect(found.CUDA_VISIBLE_DEVICES).toBe("");
    }
  });

  test("the submit folder is where the command was typed, also with --chdir", async () => {
    expect(await ofSrun(["-D", "/"])).toMatchObject({ SLURM_SUBMIT_DIR: cluster.work, PWD: expect.anything() });
  });
});

describe("the user's own variables", () => {
  const env = {
    "BASH_FUNC_greet%%": "() {  x=1\ny=2\n echo hello\n}",
    "dotted.name": "1",
    EMPTY: "",
    LINES: "a\nb\n",
    UMLAUT: "äöü €",
    QUOTES: `'"\\$x`,
    LONG: "x".repeat(100_000),
    NODE_EXTRA_CA_CERTS: "/ca.pem",
  };

  test("arrive as they are", async () => {
    for (const found of [await ofSrun([], { env }), await ofSbatch([], { env })]) {
      expect(Object.keys(env).filter((name) => found[name] !== env[name as keyof typeof env])).toEqual([]);
      expect(Object.keys(found).filter((name) => /^MGPU_(PROGRAM|NODE_EXTRA|TERMINAL|ODD|HANGUP)/.test(name))).toEqual(
        [],
      );
    }
  });

  test("functions that bash exported are there: module load works in scripts and under srun", async () => {
    const line = [
      'module() { echo "loaded $1"; }; export -f module',
      "mgpu-srun bash -c 'module torch'",
      "printf '#!/bin/bash\\nmodule cuda\\n' | mgpu-sbatch --parsable -o module.txt",
    ].join("\n");
    const [loaded, id] = (await cluster.ok("bash", ["-c", line])).split("\n");
    expect(loaded).toBe("loaded torch");
    await cluster.untilState(Number(id), "COMPLETED");
    expect(cluster.read("module.txt")).toBe("loaded cuda\n");
  });

  test("the program is looked for in the user's PATH", async () => {
    cluster.write("only-here", "");
    const path = `${process.env.PATH}:${cluster.work}/tools`;
    await cluster.ok("bash", [
      "-c",
      "mkdir tools && printf '#!/bin/sh\\necho mine\\n' >tools/my-tool && chmod +x tools/*",
    ]);
    const env = { PATH: `${process.cwd()}/bin:${path}` };
    expect(await cluster.ok("mgpu-srun", ["my-tool"], { env })).toBe("mine\n");
  });
});

describe("--export", () => {
  const env = { A: "1", B: "2", SLURM_X: "x", LOGNAME: "me" };
  const USUAL = { HOME: cluster.folder, SLURM_X: "x", LOGNAME: "me", PATH: expect.stringContaining("/usr/bin") };

  test.each([
    ["ALL", { A: "1", B: "2", ...USUAL }, []],
    ["ALL,K=V,A=9", { A: "9", B: "2", K: "V", ...USUAL }, []],
    ["ALL,K='x,y'", { A: "1", K: "x,y", ...USUAL }, []],
    ["NONE", USUAL, ["A", "B", "LANG", "MGPU_HOME"]],
    ["A,K=V", { A: "1", K: "V", ...USUAL }, ["B", "LANG"]],
    ["A,MISSING", { A: "1", ...USUAL }, ["MISSING", "B"]],
  ])("%s", async (text, there, gone) => {
    const found = await ofSrun([`--export=${text}`], { env });
    expect(found).toMatchObject(there);
    expect(gone.filter((name) => name in found)).toEqual([]);
    expect(found.SLURM_JOB_ID).toMatch(/^\d+$/);
  });

  test("of sbatch: typed, in a directive, in a variable", async () => {
    expect(await ofSbatch(["--export=NONE"], { env })).not.toHaveProperty("A");
    const chosen = await ofSbatch([], { env }, "#SBATCH --export=A,K=V");
    expect(chosen).toMatchObject({ A: "1", K: "V" });
    expect(chosen).not.toHaveProperty("B");
    expect(await ofSbatch([], { env: { ...env, SBATCH_EXPORT: "B" } })).toMatchObject({ B: "2" });
    expect(await ofSrun([], { env: { ...env, SLURM_EXPORT_ENV: "NONE" } })).not.toHaveProperty("A");
  });
});

describe("PYTHONUNBUFFERED", () => {
  test("is set where output goes through a pipe, unless the user set it or exports nothing", async () => {
    expect((await ofSrun()).PYTHONUNBUFFERED).toBe("1");
    expect((await ofSrun([], { env: { PYTHONUNBUFFERED: "" } })).PYTHONUNBUFFERED).toBe("");
    expect(await ofSrun(["--export=NONE"])).not.toHaveProperty("PYTHONUNBUFFERED");
  });
});

test("srun inside of a job is a step of it", async () => {
  const script = "#!/bin/sh\nexport MINE=1\nmgpu-srun -n 1 -c 1 --gpus 1 -J inner env -0 >inner.env\n";
  const args = ["-J", "outer", "-o", "outer.out", "--gpus=2", "-n", "2", "-c", "3", "--mem=50"];
  const id = await cluster.submit(script, args);
  await cluster.untilState(id, "COMPLETED");
  const found = parse(cluster.read("inner.env"));
  expect(found).toMatchObject({
    ...{ MINE: "1", ENVIRONMENT: "BATCH" },
    ...{ SLURM_JOB_ID: `${id}`, SLURM_JOB_NAME: "outer", SLURM_JOB_CPUS_PER_NODE: "6", SLURM_MEM_PER_NODE: "50" },
    ...{ SLURM_STEP_ID: "0", SLURM_NTASKS: "1", SLURM_GPUS: "1", SLURM_CPUS_PER_TASK: "1", SLURM_CPUS_ON_NODE: "1" },
  });
  expect(found.CUDA_VISIBLE_DEVICES).toMatch(/^\d$/);
  expect(found.SLURM_JOB_GPUS).toMatch(/^\d,\d$/);
});

describe("a job that was submitted inside of a job", () => {
  test("has nothing of that one's variables", async () => {
    const script = "#!/bin/sh\nexport MINE=1\nmgpu-sbatch --wait -J inner -o inner.env --wrap 'env -0'\n";
    const args = ["-o", "outer.out", "--gpus=2", "-n", "2", "-c", "3", "--mem=50"];
    const id = await cluster.submit(script, args);
    await cluster.untilState(id, "COMPLETED");
    const found = parse(cluster.read("inner.env"));
    expect(found).toMatchObject({ MINE: "1", SLURM_JOB_NAME: "inner", SLURM_NTASKS: "1", CUDA_VISIBLE_DEVICES: "" });
    expect(found.SLURM_JOB_ID).not.toBe(`${id}`);
    for (const name of ["SLURM_CPUS_PER_TASK", "SLURM_GPUS", "SLURM_MEM_PER_NODE", "SLURM_JOB_GPUS"]) {
      expect(found).not.toHaveProperty(name);
    }
  });

  test("does not end with the job that submitted it", async () => {
    const script =
      "#!/bin/sh\nmgpu-sbatch --parsable -o inner.txt --wrap 'until [ -e outer-over ]; do sleep 0.05; done; echo on'\n";
    const outer = await cluster.submit(script, ["-o", "id.txt"]);
    await cluster.untilState(outer, "COMPLETED");
    const inner = Number(cluster.read("id.txt"));
    expect(await cluster.state(inner)).toBe("RUNNING");
    cluster.write("outer-over", "");
    await cluster.untilState(inner, "COMPLETED");
    expect(cluster.read("inner.txt")).toBe("on\n");
  });
});
