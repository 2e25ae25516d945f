import { describe, expect, test } from "vitest";
import { type CpuBind, parseCpuBind } from "../../../src/core/cpu-bind.ts";
import { buildStepLaunch } from "../../../src/node/launch.ts";
import { bindTasks } from "../../../src/node/launch-cpus.ts";
import { partOf } from "../../../src/node/launch-part.ts";
import type { HostCpu } from "../../../src/platform/cpu-topology.ts";
import { parseCpuList } from "../../../src/platform/cpu-topology.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import * as samples from "../support/samples.ts";
import { batchLaunch, request, runLaunch, share } from "./sample-launch.ts";

/** Two sockets, each a NUMA domain, of two cores with two threads: core 0 has the CPUs 0 and 4, as on PCs. */
const CPUS: readonly HostCpu[] = [0, 4, 1, 5, 2, 6, 3, 7].map((id) => {
  const core = id % 4;
  return { id, core, socket: Math.floor(core / 2), domain: Math.floor(core / 2) };
});

function bindOf(text: string): CpuBind {
  const parsed = parseCpuBind(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

function launchWith(text: string, tasks: number, cpusPerTask = 1): NodeLaunch {
  const job = request({ request: samples.request({ tasks, cpusPerTask }) });
  const launch = runLaunch({ job, allocation: [share("n1", tasks, [], tasks * cpusPerTask)] });
  return { ...launch, program: { ...launch.program, cpuBind: bindOf(text) } };
}

function bound(text: string, tasks: number, perTask = 1, claims: ReadonlyMap<number, number> = new Map()) {
  const launch = launchWith(text, tasks, perTask);
  const part = partOf(launch, "n1", { gpuProvider: "" });
  if (!part) throw new Error("no part");
  const result = bindTasks(launch, part, CPUS, claims);
  if (result === null) return null;
  return "tasks" in result ? result.tasks : result.problem;
}

describe("tasks are bound to", () => {
  test.each<[string, number, number, number[][] | null]>([
    ["none", 2, 1, null],
    ["verbose", 2, 1, null],
    ["threads", 2, 1, [[0], [4]]],
    [
      "rank",
      2,
      2,
      [
        [0, 4],
        [1, 5],
      ],
    ],
    [
      "cores",
      2,
      1,
      [
        [0, 4],
        [1, 5],
      ],
    ],
    [
      "cores",
      2,
      3,
      [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ],
    ],
    [
      "sockets",
      4,
      2,
      [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ],
    ],
    [
      "sockets",
      2,
      1,
      [
        [0, 4],
        [0, 4],
      ],
    ],
    [
      "ldoms",
      2,
      4,
      [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ],
    ],
    [
      "rank_ldom",
      3,
      1,
      [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [0, 1, 4, 5],
      ],
    ],
    ["map_cpu:7,0", 3, 1, [[7], [0], [7]]],
    ["mask_cpu:0x11,f000000000002", 2, 1, [[0, 4], [1]]],
    [
      "map_ldom:1",
      2,
      1,
      [
        [2, 3, 6, 7],
        [2, 3, 6, 7],
      ],
    ],
    [
      "mask_ldom:3,1",
      2,
      1,
      [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 4, 5],
      ],
    ],
  ])("%s, %i tasks of %i CPUs", (text, tasks, perTask, expected) => {
    expect(bound(text, tasks, perTask)).toEqual(expected);
  });

  test("all there are, over again, where a node offers more CPUs than its machine has", () => {
    expect(bound("threads", 9)).toEqual([[0], [4], [1], [5], [2], [6], [3], [7], [0]]);
    expect(bound("threads", 1, 20)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
  });

  test("those that other bound steps leave", () => {
    const claims = new Map([0, 4, 1].map((id) => [id, 1]));
    expect(bound("threads", 2, 1, claims)).toEqual([[5], [2]]);
    expect(bound("cores", 2, 1, claims)).toEqual([
      [2, 6],
      [3, 7],
    ]);
  });

  test("nothing that the node does not have", () => {
    expect(bound("map_cpu:0,8", 2)).toBe(
      "Unable to satisfy cpu bind request: map_cpu names 8; this node has the CPUs 0xff",
    );
    expect(bound("map_cpu:0,8", 1)).toEqual([[0]]);
    expect(bound("mask_ldom:4", 1)).toMatch(/locality domains 0x3$/);
  });

  test("nothing, of a batch script", () => {
    const launch = batchLaunch();
    const part = partOf(launch, "n1", { gpuProvider: "" });
    const asked = { ...launch, program: { ...launch.program, cpuBind: bindOf("cores") } };
    expect(part && bindTasks(asked, part, CPUS, new Map())).toBeNull();
  });
});

describe("a launch", () => {
  const place = { name: "n1", gpuProvider: "", spoolFolder: "/s", cpus: CPUS };

  test("tells each task its CPUs, in Slurm's words and variables", () => {
    const launch = launchWith("verbose,map_cpu:7,0", 2);
    const built = buildStepLaunch(launch, { ...place, bound: { tasks: [[7], [0]] } });
    if ("problem" in built) throw new Error(built.problem);
    expect(built.step.tasks.map(({ cpuBind }) => cpuBind)).toEqual([
      { cpus: [7], report: { before: "cpu-bind=MAP  - n1, task  0  0 [", after: "]: mask 0x80 set" } },
      { cpus: [0], report: { before: "cpu-bind=MAP  - n1, task  1  1 [", after: "]: mask 0x1 set" } },
    ]);
    expect(built.step.environment).toMatchObject({
      SLURM_CPU_BIND: "verbose,map_cpu:7,0",
      SLURM_CPU_BIND_VERBOSE: "verbose",
      SLURM_CPU_BIND_TYPE: "map_cpu:",
      SLURM_CPU_BIND_LIST: "7,0",
    });
  });

  test("that is not bound says so only when asked, and has no variables otherwise", () => {
    const plain = buildStepLaunch(runLaunch(), place);
    if ("problem" in plain) throw new Error(plain.problem);
    expect(plain.step.tasks[0]).not.toHaveProperty("cpuBind");
    expect(plain.step.environment).not.toHaveProperty("SLURM_CPU_BIND");
    const told = buildStepLaunch(launchWith("verbose,none", 1), place);
    if ("problem" in told) throw new Error(told.problem);
    expect(told.step.tasks[0]?.cpuBind).toEqual({
      cpus: [],
      report: { before: "cpu-bind=NONE - n1, task  0  0 [", after: "]: mask 0xff" },
    });
  });

  test("whose binding is impossible is not made", () => {
    expect(buildStepLaunch(runLaunch(), { ...place, bound: { problem: "no" } })).toEqual({ problem: "no" });
  });
});

test("lists of CPUs as the kernel writes them", () => {
  expect(parseCpuList("0-2,8,10-11")).toEqual([0, 1, 2, 8, 10, 11]);
  expect(parseCpuList("")).toEqual([]);
  expect(parseCpuList("x,3")).toEqual([3]);
});
