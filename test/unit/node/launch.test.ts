import { describe, expect, it } from "vitest";
import { buildStepLaunch, taskCount } from "../../../src/node/launch.ts";
import { masterPort } from "../../../src/node/launch-environment.ts";
import type { StepLaunch } from "../../../src/protocol/holder.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import { batchLaunch, request, runLaunch, share } from "./sample-launch.ts";

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

const WISHES = {
  tasks: 4,
  cpusPerTask: 2,
  nodes: null,
  memoryMiBPerNode: 2048,
  gpus: { thousandths: 2000, type: "a100" },
};
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
    [500, null, "0.5"],
    [2500, null, "2.5"],
    [1000, "h100", "h100:1"],
  ])("%d thousandths of type %s are SLURM_GPUS=%s", (thousandths, type, text) => {
    const wishes = { ...WISHES, gpus: { thousandths, type } };
    expect(environment(runLaunch({ job: request({ request: wishes }) })).SLURM_GPUS).toBe(text);
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
    const gpus = [{ index: 101, uuid: "MIG-c7", thousandths: 1000 }];
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

  it("have a port of their own for each of 10,000 jobs", () => {
    expect(masterPort(1)).toBe(20_001);
    expect(masterPort(19_999)).toBe(29_999);
    expect(masterPort(20_000)).toBe(20_000);
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

  it.each([
    [runLaunch({ allocation: [share("n2")] }), "the job holds nothing on node n1"],
    [runLaunch({ job: request({ argv: [] }) }), "there is no program to run"],
    [batchLaunch({ script: null }), "the batch script is missing"],
  ])("that can't be run are a problem in words", (launch, problem) => {
    expect(buildStepLaunch(launch, { name: "n1", gpuProvider: "none", spoolFolder: "/s" })).toEqual({ problem });
  });
});
