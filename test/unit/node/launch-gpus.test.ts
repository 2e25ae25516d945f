import { describe, expect, it } from "vitest";
import type { GpuBind } from "../../../src/core/gpu-bind.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { buildStepLaunch } from "../../../src/node/launch.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import * as samples from "../support/samples.ts";
import { batchLaunch, part, request, runLaunch, share } from "./sample-launch.ts";

/** A step of four tasks on one node, whose job holds the GPUs 1, 3, 5 and 7 of it. */
function fourTasks(wishes: Partial<ResourceRequest>, gpuBind: GpuBind | null = null): NodeLaunch {
  const job = request({ request: samples.request({ tasks: 4, ...wishes }), gpuBind });
  return runLaunch({ job, allocation: [share("n1", 4, [1, 3, 5, 7])] });
}

/** What CUDA sees, task by task. */
function seen(launch: NodeLaunch, gpuProvider = "nvidia", name = "CUDA_VISIBLE_DEVICES"): (string | undefined)[] {
  const built = buildStepLaunch(launch, { name: "n1", gpuProvider, spoolFolder: "/s" });
  if ("problem" in built) throw new Error(built.problem);
  const { environment, tasks } = built.step;
  return tasks.map((task) => ({ ...environment, ...task.environment })[name]);
}

const perTask = (thousandths: number, type: string | null = null): Partial<ResourceRequest> => ({
  gpus: { per: "task", wishes: [{ type, thousandths }] },
});
const ALL = "1,3,5,7";

describe("the GPUs of a task", () => {
  it("are its node's unless something else was asked for", () => {
    expect(seen(fourTasks({}))).toEqual([ALL, ALL, ALL, ALL]);
    expect(seen(fourTasks({ gpus: { per: "node", wishes: [{ type: null, thousandths: 4000 }] } }))).toEqual(
      Array(4).fill(ALL),
    );
  });

  it.each<[string, Partial<ResourceRequest>, string[]]>([
    ["one each", perTask(1000), ["1", "3", "5", "7"]],
    ["halves, two tasks on each", perTask(500), ["1", "1", "3", "3"]],
    ["tasks for each GPU", { tasksPerGpu: 2 }, ["1", "1", "3", "3"]],
    ["more tasks for a GPU than there are", { tasksPerGpu: 9 }, ["1", "1", "1", "1"]],
  ])("asked for task by task: %s", (_what, wishes, expected) => {
    expect(seen(fourTasks(wishes))).toEqual(expected);
  });

  it("may be several for each task", () => {
    const launch = { ...fourTasks(perTask(2000)), layout: [part("n1", [4, 5], [1, 3, 5, 7]), part("n2", [0, 1])] };
    expect(seen(launch)).toEqual(["1,3", "5,7"]);
  });

  it("are of each type that was asked for", () => {
    const gpus = [
      ...[0, 1].map((index) => ({ index, uuid: `GPU-a-${index}`, type: "a100", thousandths: 1000 })),
      ...[2, 3].map((index) => ({ index, uuid: `GPU-v-${index}`, type: "v100", thousandths: 1000 })),
    ];
    const wishes = ["A100", "v100"].map((type) => ({ type, thousandths: 1000 }));
    const launch = fourTasks({ gpus: { per: "task", wishes } });
    expect(seen({ ...launch, layout: [{ ...part("n1", [0, 1]), gpus }] })).toEqual(["0,2", "1,3"]);
  });

  it("share a GPU of which the grant is a part", () => {
    const gpus = [500, 1000].map((thousandths, index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths }));
    const launch = fourTasks(perTask(500));
    expect(seen({ ...launch, layout: [{ ...part("n1", [0, 1, 2]), gpus }] })).toEqual(["0", "1", "1"]);
  });

  it("come to as few pieces as were asked for", () => {
    const sizes = [500, 500, 1000, 1000];
    const gpus = sizes.map((thousandths, index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths }));
    const launch = { ...fourTasks(perTask(1500)), layout: [{ ...part("n1", [0, 1]), gpus }] };
    expect(seen(launch)).toEqual(["0,2", "1,3"]);
    expect(seen(launch, "nvidia", "MGPU_GPU_SHARE")).toEqual(["0.5,1", "0.5,1"]);
  });

  it("tell how much of each is the job's, and of its memory", () => {
    const gpus = [1000, 250].map((thousandths, index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths }));
    const gpuMemory = new Map([0, 1].map((index) => [`GPU-${index}`, 40_960] as const));
    const job = { ...fourTasks({}), layout: [{ ...part("n1", [0]), gpus }] };
    const variables = (launch: NodeLaunch, known = gpuMemory): Record<string, string> => {
      const place = { name: "n1", gpuProvider: "nvidia", gpuMemory: known, spoolFolder: "/s" };
      const built = buildStepLaunch(launch, place);
      if ("problem" in built) throw new Error(built.problem);
      const all = { ...built.step.environment, ...built.step.tasks[0]?.environment };
      return Object.fromEntries(Object.entries(all).filter(([name]) => /^MGPU_GPU|^CUDA_MPS/.test(name)));
    };
    expect(variables(job)).toEqual({
      MGPU_GPU_SHARE: "1,0.25",
      MGPU_GPU_MEM_MIB: "40960,10240",
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: "1=10240M",
    });
    expect(variables({ ...job, layout: [{ ...part("n1", [0]), gpus: gpus.slice(1) }] })).toEqual({
      MGPU_GPU_SHARE: "0.25",
      MGPU_GPU_MEM_MIB: "10240",
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: "25",
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: "0=10240M",
    });
    expect(variables(job, new Map())).toEqual({ MGPU_GPU_SHARE: "1,0.25" });
    expect(variables(fourTasks({}))).toEqual({ MGPU_GPU_SHARE: "1,1,1,1" });
  });

  it.each<[GpuBind, string[]]>([
    [{ verbose: false, kind: "none" }, [ALL, ALL, ALL, ALL]],
    [{ verbose: false, kind: "closest" }, [ALL, ALL, ALL, ALL]],
    [{ verbose: false, kind: "single", tasksPerGpu: 1 }, ["1", "3", "5", "7"]],
    [{ verbose: false, kind: "single", tasksPerGpu: 3 }, ["1", "1", "1", "3"]],
    [{ verbose: false, kind: "per_task", gpusPerTask: 1 }, ["1", "3", "5", "7"]],
    [{ verbose: false, kind: "per_task", gpusPerTask: 2 }, ["1,3", "5,7", "1,3", "5,7"]],
    [{ verbose: false, kind: "per_task", gpusPerTask: 9 }, [ALL, ALL, ALL, ALL]],
    [{ verbose: false, kind: "map_gpu", indices: [3, 0] }, ["7", "1", "7", "1"]],
    [{ verbose: false, kind: "map_gpu", indices: [2, 9, 1, 1] }, ["5", ALL, "3", "3"]],
    [{ verbose: false, kind: "mask_gpu", masks: [[0, 1], [2]] }, ["1,3", "5", "1,3", "5"]],
  ])("follow --gpu-bind %j, above what was asked for each task", (bind, expected) => {
    expect(seen(fourTasks(perTask(1000), bind))).toEqual(expected);
  });

  it("are those near the CPUs of the task with --gpu-bind=closest, as far as that is known", () => {
    const launch = fourTasks({}, { verbose: false, kind: "closest" });
    const near = [
      [0, 1],
      [0, 1],
      [2, 3],
    ].map((cpus, at) => [`GPU-n1-${2 * at + 1}`, cpus] as const);
    const gpuCpus = new Map(near);
    const place = { name: "n1", gpuProvider: "nvidia", gpuCpus, spoolFolder: "/s" };
    const of = (tasks: readonly (readonly number[])[] | null) => {
      const built = buildStepLaunch(launch, { ...place, bound: tasks && { tasks } });
      if ("problem" in built) throw new Error(built.problem);
      const { tasks: made, environment } = built.step;
      return made.map((task) => ({ ...environment, ...task.environment }).CUDA_VISIBLE_DEVICES);
    };
    expect(of([[0], [1], [3], [7]])).toEqual(["1,3", "1,3", "5", ALL]);
    expect(of(null)).toEqual([ALL, ALL, ALL, ALL]);
  });

  it("are not bound in a step of one task, nor in a batch script", () => {
    const bind: GpuBind = { verbose: false, kind: "single", tasksPerGpu: 1 };
    const job = { ...fourTasks({}, bind).job };
    expect(seen(runLaunch({ job, allocation: [share("n1", 1, [0, 3])] }))).toEqual(["0,3"]);
    const script = { ...batchLaunch().job, request: job.request, gpuBind: bind };
    expect(seen(batchLaunch({ job: script, allocation: [share("n1", 4, [0, 3])] }))).toEqual(["0,3"]);
  });

  it("of AMD count from 0 in each task", () => {
    const launch = fourTasks(perTask(1000));
    expect(seen(launch, "amd", "ROCR_VISIBLE_DEVICES")).toEqual(["1", "3", "5", "7"]);
    expect(seen(launch, "amd", "HIP_VISIBLE_DEVICES")).toEqual(["0", "0", "0", "0"]);
  });

  it("are told at the task's start where that was asked for", () => {
    const bind: GpuBind = { verbose: true, kind: "single", tasksPerGpu: 1 };
    const remarks = (launch: NodeLaunch) => {
      const built = buildStepLaunch(launch, { name: "n1", gpuProvider: "nvidia", spoolFolder: "/s" });
      return "step" in built ? built.step.tasks.map((task) => task.remark) : [];
    };
    expect(remarks(fourTasks({}, bind))[1]).toBe("gpu-bind: task 1 on n1 uses GPUs 3 of 1,3,5,7");
    expect(remarks(fourTasks({}, { ...bind, verbose: false }))).toEqual(Array(4).fill(undefined));
  });
});
