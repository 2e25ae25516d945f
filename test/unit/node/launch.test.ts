import { describe, expect, it } from "vitest";
import { buildStepLaunch, taskCount } from "../../../src/node/launch.ts";
import { masterPort } from "../../../src/node/launch-peers.ts";
import type { StepLaunch } from "../../../src/protocol/holder.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import * as samples from "../support/samples.ts";
import { batchLaunch, part, request, runLaunch, share } from "./sample-launch.ts";

function build(launch: NodeLaunch, name = "n1", gpuProvider = "nvidia"): StepLaunch {
  const built = buildStepLaunch(launch, { name, gpuProvider, spoolFolder: "/spool/x" });
  if ("problem" in built) throw new Error(built.problem);
  return built.step;
}

/** All that one task sees. */
function environment(launch: NodeLaunch, name = "n1", task = 0, provider = "nvidia"): Record<string, string> {
  const step = build(launch, name, provider);
  return { ...step.environment, ...step.tasks[task]?.environment };
}

const WISHES = samples.request({
  tasks: 4,
  cpusPerTask: 2,
  memory: { per: "node", mib: 2048 },
  gpus: { per: "job", wishes: [{ type: "a100", thousandths: 2000 }] },
});
const TWO_NODES = runLaunch({
  job: request({ request: WISHES }),
  allocation: [share("n1", 2, [0, 3], 4), share("n2", 2, [], 4)],
  key: { jobId: 7, attempt: 3, stepId: 0 },
  limitS: 3600,
});

describe("a job's variables", () => {
  it("of a single task are these", () => {
    expect(environment(runLaunch())).toEqual({
      HOME: "/home/ann",
      PATH: "/usr/bin",
      MASTER_ADDR: "127.0.0.1",
      MASTER_PORT: "20007",
      MGPU_STEP_DEFAULTS: "MASTER_ADDR=127.0.0.1,MASTER_PORT=20007",
      CUDA_VISIBLE_DEVICES: "",
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      GPU_DEVICE_ORDINAL: "",
      SLURMD_NODENAME: "n1",
      SLURM_CLUSTER_NAME: "lab",
      SLURM_CPUS_ON_NODE: "1",
      SLURM_GTIDS: "0",
      SLURM_JOBID: "7",
      SLURM_JOB_CPUS_PER_NODE: "1",
      SLURM_JOB_GID: "100",
      SLURM_JOB_ID: "7",
      SLURM_JOB_NAME: "train",
      SLURM_JOB_NODELIST: "n1",
      SLURM_JOB_NUM_NODES: "1",
      SLURM_JOB_PARTITION: "main",
      SLURM_JOB_START_TIME: "1700000001",
      SLURM_JOB_UID: "1001",
      SLURM_JOB_USER: "ann",
      SLURM_LAUNCH_NODE_IPADDR: "127.0.0.1",
      SLURM_LOCALID: "0",
      SLURM_NNODES: "1",
      SLURM_NODEID: "0",
      SLURM_NODELIST: "n1",
      SLURM_NPROCS: "1",
      SLURM_NTASKS: "1",
      SLURM_PROCID: "0",
      SLURM_SRUN_COMM_HOST: "127.0.0.1",
      SLURM_STEPID: "0",
      SLURM_STEP_ID: "0",
      SLURM_STEP_NODELIST: "n1",
      SLURM_STEP_NUM_NODES: "1",
      SLURM_STEP_NUM_TASKS: "1",
      SLURM_STEP_TASKS_PER_NODE: "1",
      SLURM_SUBMIT_DIR: "/home/ann/work",
      SLURM_SUBMIT_HOST: "login",
      SLURM_TASKS_PER_NODE: "1",
      SLURM_TOPOLOGY_ADDR: "n1",
      SLURM_TOPOLOGY_ADDR_PATTERN: "node",
      SLURM_UMASK: "0022",
      SLURM_DISTRIBUTION: "block",
    });
  });

  it("of the second node's second task tell where it is", () => {
    expect(environment(TWO_NODES, "n2", 1)).toMatchObject({
      SLURM_JOB_NODELIST: "n[1-2]",
      SLURM_NNODES: "2",
      SLURM_NTASKS: "4",
      SLURM_TASKS_PER_NODE: "2(x2)",
      SLURM_JOB_CPUS_PER_NODE: "4(x2)",
      SLURM_STEP_TASKS_PER_NODE: "2(x2)",
      SLURM_CPUS_PER_TASK: "2",
      SLURM_CPUS_ON_NODE: "4",
      SLURM_MEM_PER_NODE: "2048",
      SLURM_GPUS: "a100:2",
      SLURM_NODEID: "1",
      SLURM_PROCID: "3",
      SLURM_LOCALID: "1",
      SLURM_GTIDS: "2,3",
      SLURMD_NODENAME: "n2",
      SLURM_RESTART_COUNT: "2",
      SLURM_JOB_END_TIME: "1700003601",
      MASTER_ADDR: "n1",
      SLURM_LAUNCH_NODE_IPADDR: "n1",
      RANK: "3",
      LOCAL_RANK: "1",
      WORLD_SIZE: "4",
      LOCAL_WORLD_SIZE: "2",
      NODE_RANK: "1",
    });
  });

  it("of a batch script have no step and no rank", () => {
    const seen = environment(batchLaunch({ allocation: [share("n1", 4)] }));
    expect(seen).toMatchObject({
      ENVIRONMENT: "BATCH",
      SLURM_PROCID: "0",
      SLURM_LOCALID: "0",
      SLURM_NODEID: "0",
      SLURM_GTIDS: "0",
      SLURM_NTASKS: "4",
      MASTER_PORT: "20007",
    });
    const names = Object.keys(seen).filter((name) => /^SLURM_STEP|RANK|WORLD_SIZE|LAUNCH_NODE|COMM_HOST/.test(name));
    expect(names).toEqual([]);
  });

  it.each([
    ["SLURM_CPUS_PER_TASK"],
    ["SLURM_NTASKS_PER_NODE"],
    ["SLURM_MEM_PER_NODE"],
    ["SLURM_GPUS"],
    ["SLURM_GPUS_ON_NODE"],
    ["SLURM_JOB_GPUS"],
    ["SLURM_STEP_GPUS"],
    ["SLURM_RESTART_COUNT"],
    ["SLURM_JOB_END_TIME"],
    ["SLURM_JOB_ACCOUNT"],
    ["SLURM_TASK_PID"],
    ["RANK"],
    ["NVIDIA_VISIBLE_DEVICES"],
  ])("leave out %s when nobody asked for it", (name) => {
    expect(environment(runLaunch())).not.toHaveProperty(name);
  });

  it.each([
    [[{ type: null, thousandths: 500 }], "0.5"],
    [[{ type: null, thousandths: 2500 }], "2.5"],
    [[{ type: "h100", thousandths: 1000 }], "h100:1"],
    [
      [
        { type: "h100", thousandths: 1000 },
        { type: "a100", thousandths: 2000 },
      ],
      "h100:1,a100:2",
    ],
  ])("GPUs %j are SLURM_GPUS=%s", (wishes, text) => {
    const asked = samples.request({ gpus: { per: "job", wishes } });
    expect(environment(runLaunch({ job: request({ request: asked }) })).SLURM_GPUS).toBe(text);
  });

  it.each([
    [{ tasksPerNode: 3 }, { SLURM_NTASKS_PER_NODE: "3" }],
    [{ cpusPerTask: 1 }, { SLURM_CPUS_PER_TASK: "1" }],
    [{ cpusPerGpu: 4 }, { SLURM_CPUS_PER_GPU: "4" }],
    [{ tasksPerGpu: 2 }, { SLURM_NTASKS_PER_GPU: "2" }],
    [{ memory: { per: "cpu", mib: 100 } }, { SLURM_MEM_PER_CPU: "100" }],
    [{ memory: { per: "gpu", mib: 100 } }, { SLURM_MEM_PER_GPU: "100" }],
    [{ gpus: { per: "node", wishes: [{ type: null, thousandths: 2000 }] } }, { SLURM_GPUS_PER_NODE: "2" }],
    [{ gpus: { per: "task", wishes: [{ type: "v100", thousandths: 1000 }] } }, { SLURM_GPUS_PER_TASK: "v100:1" }],
    [{ gpus: { per: "job", wishes: [] } }, {}],
    [{ overcommit: true }, { SLURM_OVERCOMMIT: "1" }],
  ] as const)("repeat the wish %j, and no other", (wish, variables) => {
    const plain = environment(batchLaunch());
    const job = { ...batchLaunch().job, request: samples.request(wish) };
    expect(environment(batchLaunch({ job }))).toEqual({ ...plain, ...variables });
  });

  it("say what the job was given beyond its geometry", () => {
    const job = request({
      ...{ account: "lab1", qos: "high", reservation: "monday", comment: "a try", wckey: "w" },
      licenses: [{ name: "matlab", count: 2 }],
      dependency: { any: false, terms: [{ type: "afterok", jobId: 3, taskId: null, delayMin: 0 }] },
      het: { offset: 1, size: 3 },
    });
    const array = { jobId: 5, taskId: 9, count: 4, min: 3, max: 12, step: 3 };
    expect(environment(runLaunch({ job, array }))).toMatchObject({
      SLURM_JOB_ACCOUNT: "lab1",
      SLURM_JOB_QOS: "high",
      SLURM_JOB_RESERVATION: "monday",
      SLURM_JOB_COMMENT: "a try",
      SLURM_WCKEY: "w",
      SLURM_JOB_LICENSES: "matlab:2",
      SLURM_JOB_DEPENDENCY: "afterok:3",
      SLURM_HET_SIZE: "3",
      SLURM_ARRAY_JOB_ID: "5",
      SLURM_ARRAY_TASK_ID: "9",
      SLURM_ARRAY_TASK_COUNT: "4",
      SLURM_ARRAY_TASK_MIN: "3",
      SLURM_ARRAY_TASK_MAX: "12",
      SLURM_ARRAY_TASK_STEP: "3",
    });
  });

  it.each([
    ["cyclic", { SLURM_DISTRIBUTION: "cyclic" }],
    [{ plane: 2 }, { SLURM_DISTRIBUTION: "plane", SLURM_DIST_PLANESIZE: "2" }],
    [{ arbitrary: [0] }, { SLURM_DISTRIBUTION: "arbitrary" }],
  ] as const)("tell the distribution %j", (distribution, variables) => {
    expect(environment(runLaunch({ job: request({ distribution }) }))).toMatchObject(variables);
  });

  it("leave a script's plain distribution to its steps", () => {
    expect(environment(batchLaunch())).not.toHaveProperty("SLURM_DISTRIBUTION");
    const job = { ...batchLaunch().job, distribution: "cyclic" as const };
    expect(environment(batchLaunch({ job })).SLURM_DISTRIBUTION).toBe("cyclic");
  });

  it("tell a script's shell its host, where the user's shell told one", () => {
    const launch = batchLaunch({ hostnames: ["gpu1"], environment: { HOSTNAME: "login" } });
    expect(environment(launch).HOSTNAME).toBe("gpu1");
    expect(environment(batchLaunch({ hostnames: ["gpu1"] }))).not.toHaveProperty("HOSTNAME");
    expect(environment({ ...launch, hostnames: undefined }).HOSTNAME).toBe("login");
  });

  it("uneven nodes are counted in runs", () => {
    const allocation = [share("a1", 2), share("a2", 2), share("a3", 1), share("b", 2)];
    const seen = environment(runLaunch({ allocation }), "b");
    expect(seen.SLURM_TASKS_PER_NODE).toBe("2(x2),1,2");
    expect(seen.SLURM_JOB_NODELIST).toBe("a[1-3],b");
    expect(seen.SLURM_NODEID).toBe("3");
  });
});

describe("GPU variables", () => {
  it("name the share's indices, for all tasks alike", () => {
    for (const task of [0, 1]) {
      expect(environment(TWO_NODES, "n1", task)).toMatchObject({
        CUDA_VISIBLE_DEVICES: "0,3",
        CUDA_DEVICE_ORDER: "PCI_BUS_ID",
        GPU_DEVICE_ORDINAL: "0,3",
        SLURM_GPUS_ON_NODE: "2",
        SLURM_JOB_GPUS: "0,3",
        SLURM_STEP_GPUS: "0,3",
      });
    }
    expect(environment(TWO_NODES, "n2").CUDA_VISIBLE_DEVICES).toBe("");
    expect(environment(TWO_NODES, "n1")).not.toHaveProperty("ROCR_VISIBLE_DEVICES");
  });

  it("replace what the user's shell had", () => {
    const launch = runLaunch({ environment: { CUDA_VISIBLE_DEVICES: "5", NVIDIA_VISIBLE_DEVICES: "all" } });
    expect(environment(launch)).toMatchObject({ CUDA_VISIBLE_DEVICES: "", NVIDIA_VISIBLE_DEVICES: "all" });
  });

  it("of AMD hide by index first and count what is left", () => {
    expect(environment(TWO_NODES, "n1", 0, "amd")).toMatchObject({
      ROCR_VISIBLE_DEVICES: "0,3",
      HIP_VISIBLE_DEVICES: "0,1",
      CUDA_VISIBLE_DEVICES: "0,1",
    });
  });

  it("name MIG instances by UUID", () => {
    const gpus = [{ index: 101, uuid: "MIG-c7", type: "a100", thousandths: 1000 }];
    const seen = environment(runLaunch({ allocation: [{ ...share("n1"), gpus }] }));
    expect(seen.CUDA_VISIBLE_DEVICES).toBe("MIG-c7");
    expect(seen.SLURM_JOB_GPUS).toBe("101");
  });
});

describe("an enclosing job", () => {
  it("leaves nothing of its own behind", () => {
    const outer = environment({ ...TWO_NODES, key: { jobId: 3, attempt: 2, stepId: 4 } }, "n2", 1);
    const stale = {
      SLURM_ARRAY_TASK_ID: "5",
      SLURM_NTASKS_PER_NODE: "9",
      SLURM_JOB_NODELIST_HET_GROUP_0: "x",
      SLURM_CONF: "/etc/slurm.conf",
      SLURM_CPU_BIND: "none",
    };
    const inner = environment(runLaunch({ environment: { ...outer, ...stale } }));
    const fresh = environment(runLaunch());
    expect(inner).toEqual({ ...fresh, SLURM_CONF: "/etc/slurm.conf", SLURM_CPU_BIND: "none" });
  });

  it("does not hide what the user set inside it", () => {
    const outer = environment(TWO_NODES, "n1");
    const inner = environment(runLaunch({ environment: { ...outer, MASTER_PORT: "1234" } }));
    expect(inner).toMatchObject({ MASTER_ADDR: "127.0.0.1", MASTER_PORT: "1234" });
    expect(inner.MGPU_STEP_DEFAULTS).toBe("MASTER_ADDR=127.0.0.1");
  });
});

describe("a step within a job", () => {
  const ALLOCATION = [share("n1", 2, [0, 3], 4), share("n2", 2, [1], 4)];
  const BATCH = batchLaunch({
    allocation: ALLOCATION,
    job: {
      ...batchLaunch().job,
      request: samples.request({ memory: { per: "node", mib: 2048 }, cpusPerTask: 2, tasksPerNode: 2 }),
    },
    limitS: 60,
  });

  function inner(change: Partial<NodeLaunch> = {}): NodeLaunch {
    const request = samples.request();
    const program = { ...runLaunch().program, name: "step" };
    return { ...BATCH, script: null, key: { jobId: 7, attempt: 1, stepId: 3 }, request, program, ...change };
  }

  it("has srun's whole environment, with job and step set anew", () => {
    const script = { ...environment(BATCH), MINE: "1", SLURM_NTASKS_PER_NODE: "changed", SLURM_GPUS: "1" };
    const seen = environment(inner({ environment: script, layout: [part("n2", [0, 1], [1], 2)] }), "n2", 1);
    expect(seen).toMatchObject({
      MINE: "1",
      ENVIRONMENT: "BATCH",
      SLURM_JOB_NAME: "train",
      SLURM_JOB_NODELIST: "n[1-2]",
      SLURM_NODELIST: "n[1-2]",
      SLURM_JOB_NUM_NODES: "2",
      SLURM_JOB_CPUS_PER_NODE: "4(x2)",
      SLURM_JOB_GPUS: "1",
      SLURM_STEP_GPUS: "1",
      SLURM_MEM_PER_NODE: "2048",
      SLURM_CPUS_PER_TASK: "2",
      SLURM_NTASKS_PER_NODE: "changed",
      SLURM_GPUS: "1",
      SLURM_NNODES: "1",
      SLURM_NTASKS: "2",
      SLURM_NPROCS: "2",
      SLURM_TASKS_PER_NODE: "2",
      SLURM_STEP_ID: "3",
      SLURM_STEP_NODELIST: "n2",
      SLURM_STEP_NUM_NODES: "1",
      SLURM_STEP_NUM_TASKS: "2",
      SLURM_CPUS_ON_NODE: "2",
      SLURM_NODEID: "0",
      SLURMD_NODENAME: "n2",
      SLURM_PROCID: "1",
      MASTER_ADDR: "127.0.0.1",
    });
  });

  it("shows its own wishes in place of its job's", () => {
    const request = samples.request({
      memory: { per: "gpu", mib: 10 },
      gpus: { per: "task", wishes: [{ type: null, thousandths: 1000 }] },
    });
    const seen = environment(inner({ request, environment: { ...environment(BATCH), SLURM_GPUS: "3" } }));
    expect(seen).toMatchObject({ SLURM_MEM_PER_GPU: "10", SLURM_GPUS_PER_TASK: "1", SLURM_CPUS_PER_TASK: "2" });
    expect(seen).not.toHaveProperty("SLURM_MEM_PER_NODE");
    expect(seen).not.toHaveProperty("SLURM_GPUS");
  });

  it("has nothing of a step that it was started in", () => {
    const outer = environment(inner({ environment: environment(BATCH), layout: BATCH.layout }), "n1");
    const seen = environment(inner({ environment: outer, layout: [part("n2", [0])], allocation: [share("n2")] }), "n2");
    const names = Object.keys(seen).filter((name) => /^SLURM_(STEP_GPUS|JOB_GPUS|GPUS_ON_NODE)$|RANK$/.test(name));
    expect(names).toEqual([]);
    expect(seen).toMatchObject({ SLURMD_NODENAME: "n2", CUDA_VISIBLE_DEVICES: "", MASTER_PORT: "27516" });
  });

  it("keeps the job's name that its script gave itself", () => {
    const launch = inner({ environment: { ...environment(BATCH), SLURM_JOB_NAME: "bash" } });
    expect(environment(launch).SLURM_JOB_NAME).toBe("bash");
    expect(environment(inner({ environment: {} })).SLURM_JOB_NAME).toBe("train");
  });

  it("has nothing of another job that it was started from (--jobid)", () => {
    const other = environment({ ...BATCH, key: { jobId: 8, attempt: 1, stepId: "batch" } });
    const seen = environment(inner({ environment: { ...other, SLURM_ARRAY_TASK_ID: "4" } }));
    expect(seen.SLURM_JOB_ID).toBe("7");
    for (const name of ["SLURM_ARRAY_TASK_ID", "SLURM_MEM_PER_NODE"]) expect(seen).not.toHaveProperty(name);
  });

  it("runs its own program where it says, with any numbers of tasks", () => {
    const program = { ...runLaunch().program, argv: ["mine"], workDir: "/elsewhere" };
    const step = build(inner({ program, layout: [part("n2", [1, 3]), part("n1", [0, 2])] }), "n1");
    expect(step.workDir).toBe("/elsewhere");
    expect(step.tasks.map(({ task, argv }) => [task, ...argv])).toEqual([
      [0, "mine"],
      [2, "mine"],
    ]);
    const launch = inner({ layout: [part("n2", [1, 3]), part("n1", [0, 2])] });
    expect(environment(launch, "n2", 1)).toMatchObject({
      SLURM_PROCID: "3",
      SLURM_LOCALID: "1",
      SLURM_GTIDS: "1,3",
      SLURM_NODEID: "0",
      RANK: "3",
      LOCAL_RANK: "1",
      MASTER_ADDR: "n1",
    });
  });
});

describe("the address of the first task", () => {
  const allocation = [share("a"), share("b")];
  it.each([
    [["gpu1", "gpu2"], "gpu1"],
    [["gpu1", "gpu1"], "127.0.0.1"],
    [undefined, "a"],
    [["", "gpu2"], "a"],
  ])("with machines %j is %s, on all nodes", (hostnames, address) => {
    for (const node of ["a", "b"]) {
      expect(environment(runLaunch({ allocation, hostnames }), node).MASTER_ADDR).toBe(address);
    }
    expect(environment(batchLaunch({ allocation, hostnames }), "a").MASTER_ADDR).toBe(address);
  });

  it.each([
    [["10.0.0.1", "10.0.0.2"], "10.0.0.1"],
    [["10.0.0.1", "10.0.0.1"], "127.0.0.1"],
    [["", ""], "127.0.0.1"],
    [["", "10.0.0.2"], "gpu1"],
  ])("in networks with addresses %j, under one host name, it is %s", (addresses, address) => {
    const launch = runLaunch({ allocation, hostnames: ["gpu1", "gpu1"], addresses });
    expect(environment(launch, "b").MASTER_ADDR).toBe(address);
  });

  it("is loopback for a step on one node", () => {
    const launch = runLaunch({ allocation, hostnames: ["gpu1", "gpu2"], layout: [part("b", [0, 1])] });
    expect(environment(launch, "b").MASTER_ADDR).toBe("127.0.0.1");
  });
});

describe("torch's variables", () => {
  it("stay as the user set them, one by one", () => {
    const launch = { ...TWO_NODES, environment: { MASTER_ADDR: "10.0.0.1", RANK: "40" } };
    expect(environment(launch, "n1", 1)).toMatchObject({
      MASTER_ADDR: "10.0.0.1",
      MASTER_PORT: "20007",
      RANK: "40",
      WORLD_SIZE: "4",
    });
  });

  it("have a port of their own for each of 10,000 jobs, and for each step of a job", () => {
    const port = (jobId: number, stepId: number | "batch" = 0) => masterPort({ jobId, attempt: 1, stepId });
    expect([port(1), port(19_999), port(20_000)]).toEqual([20_001, 29_999, 20_000]);
    expect([port(1, "batch"), port(1, 1), port(1, 4)]).toEqual([20_001, 22_504, 20_013]);
    expect(new Set(Array.from({ length: 10_000 }, (_, step) => port(1, step))).size).toBe(10_000);
    expect(masterPort({ jobId: 1, attempt: 1, stepId: 0 }, 65_535)).toBe(25_536);
  });
});

describe("tasks", () => {
  it("are numbered over all nodes", () => {
    expect(build(TWO_NODES, "n2").tasks.map((task) => task.task)).toEqual([2, 3]);
    expect(taskCount(TWO_NODES, "n2")).toBe(2);
    expect(taskCount(batchLaunch({ allocation: [share("n1", 4)] }), "n1")).toBe(1);
  });

  it("of a batch script are one, with the script and its folder", () => {
    const launch = batchLaunch({ allocation: [share("n1", 4)] });
    const step = build(launch);
    expect(step.tasks.map((task) => task.argv)).toEqual([["job.sh", "a"]]);
    expect(step.batch).toEqual({ script: launch.script, spool: "/spool/x" });
    expect(step.pty).toBeNull();
  });

  it("get the file mode mask and the limits of their program", () => {
    const program = { ...runLaunch().program, umask: 0o77, rlimits: { NOFILE: 1024, CORE: -1 } };
    expect(build(runLaunch({ program }))).toMatchObject({ umask: 0o77, rlimits: { NOFILE: 1024, CORE: -1 } });
    expect(environment(runLaunch({ program })).SLURM_UMASK).toBe("0077");
  });

  it("have no limit of memory but what was asked for, by their job or their step", () => {
    const holds = (memoryMiB: number) => ({
      allocation: [{ ...share("n1"), memoryMiB: 4000 }],
      layout: [{ ...part("n1", [0]), memoryMiB }],
    });
    const memory = { per: "node", mib: 4000 } as const;
    const asks = request({ request: samples.request({ memory }) });
    expect(build(runLaunch(holds(4000)))).not.toHaveProperty("memory");
    expect(build(runLaunch({ job: asks, ...holds(4000) })).memory).toEqual({ stepMiB: 4000, jobMiB: 4000 });
    const plain = samples.request();
    expect(build(runLaunch({ job: asks, ...holds(4000), request: plain })).memory).toEqual({
      stepMiB: 0,
      jobMiB: 4000,
    });
    const little = samples.request({ memory: { per: "cpu", mib: 100 } });
    expect(build(runLaunch({ job: asks, ...holds(100), request: little })).memory).toEqual({
      stepMiB: 100,
      jobMiB: 4000,
    });
  });

  it("each have their own program with --multi-prog", () => {
    const programs = [0, 1, 2, 3].map((task) => ({ task, argv: ["part", String(task)] }));
    const launch = { ...TWO_NODES, program: { ...TWO_NODES.program, argv: ["plan.conf"], programs } };
    expect(build(launch, "n2").tasks.map(({ argv }) => argv)).toEqual([
      ["part", "2"],
      ["part", "3"],
    ]);
    const lacking = { ...launch, program: { ...launch.program, programs: programs.slice(0, 3) } };
    expect(buildStepLaunch(lacking, { name: "n2", gpuProvider: "none", spoolFolder: "/s" })).toEqual({
      problem: "the program file of --multi-prog has no program for task 3",
    });
  });

  it.each([
    [runLaunch({ allocation: [share("n2")] }), "the job holds nothing on node n1"],
    [runLaunch({ job: request({ argv: [] }) }), "there is no program to run"],
    [batchLaunch({ script: null }), "the batch script is missing"],
  ])("that can't be run are a problem in words", (launch, problem) => {
    expect(buildStepLaunch(launch, { name: "n1", gpuProvider: "none", spoolFolder: "/s" })).toEqual({ problem });
  });
});
