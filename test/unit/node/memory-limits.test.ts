import { beforeEach, expect, test } from "vitest";
import { memoryLimitsText } from "../../../src/node/memory-limits.ts";
import type { MemoryGroups } from "../../../src/platform/memory-groups.ts";
import * as samples from "../support/samples.ts";
import { request, runLaunch, share } from "./sample-launch.ts";
import { World } from "./world.ts";

/** 100 MiB for the job. */
const LAUNCH = runLaunch({
  job: request({ request: samples.request({ memory: { per: "node", mib: 100 } }) }),
  allocation: [{ ...share("n1"), memoryMiB: 100 }],
  request: samples.request(),
});

let world: World;
let done: string[];
let left: { jobId: number; attempt: number; stepId: string }[];
let problem: string;
let busy: number;

const groups: MemoryGroups = {
  version: 2,
  folder: "/cg",
  make({ jobId }, { stepMiB, jobMiB }) {
    if (problem !== "") throw new Error(problem);
    done.push(`make ${stepMiB}/${jobMiB}`);
    return `/cg/${jobId}`;
  },
  enter(_key, pid, owner) {
    if (pid < 0) throw new Error("no");
    done.push(`enter ${pid} ${owner}`);
  },
  read: () => ({ kills: 0, peakMiB: 0 }),
  remove({ jobId }) {
    busy -= 1;
    done.push(`remove ${jobId}${busy >= 0 ? ", busy" : ""}`);
    return busy < 0;
  },
  all: () => left,
};

beforeEach(() => {
  world = new World();
  world.memory = { groups, problem: "", isRequired: false };
  done = [];
  left = [];
  problem = "";
  busy = 0;
});

test("a step's tasks are put into its group before they go on, which is removed with the step", async () => {
  await world.start();
  world.controller.want(LAUNCH);
  await world.clock.advance(10);
  expect(world.machine.launches[0]?.memory).toEqual({ stepMiB: 0, jobMiB: 100, group: "/cg/7" });
  expect(done).toEqual(["make 0/100", "enter 100 null"]);
  expect(world.machine.admitted).toEqual(["7.1.0"]);
  world.machine.finish(LAUNCH.key);
  busy = 2;
  await world.clock.advance(1000);
  expect(done.slice(2)).toEqual(["remove 7, busy", "remove 7, busy", "remove 7"]);
  expect(world.complaints).toEqual([]);
});

test("the next daemon goes on with tasks that wait, and clears away what nobody speaks of", async () => {
  await world.start();
  world.controller.want(LAUNCH);
  await world.clock.advance(10);
  left = [
    { jobId: 7, attempt: 1, stepId: "0" },
    { jobId: 6, attempt: 2, stepId: "batch" },
    { jobId: 5, attempt: 1, stepId: "0" },
  ];
  world.survivors = ["5.1.0"];
  done = [];
  await world.start();
  await world.clock.advance(10);
  expect(done).toContain("enter 100 null");
  expect(done.filter((one) => one.startsWith("remove"))).toEqual(["remove 6"]);
  expect(world.machine.admitted.length).toBeGreaterThan(1);
});

test("steps without a limit have no group", async () => {
  await world.start();
  world.controller.want(runLaunch());
  await world.clock.advance(10);
  expect(world.machine.runs).toEqual(["7.1.0"]);
  expect(done).toEqual([]);
});

test("without a group a step runs all the same, and is watched", async () => {
  problem = "no space left on device";
  await world.start();
  world.controller.want(LAUNCH);
  await world.clock.advance(10);
  expect(world.machine.launches[0]?.memory).toEqual({ stepMiB: 0, jobMiB: 100 });
  expect(world.complaints.join()).toContain("no space left on device");
});

test.each([
  ["there can be none", { groups: null, problem: "no rights", isRequired: true }, ""],
  ["one can't be made", { groups, problem: "", isRequired: true }, "no rights"],
])("where groups are demanded and %s, nothing with a limit starts, with the reason", async (_what, memory, failure) => {
  world.memory = memory;
  problem = failure;
  await world.start();
  const limited = world.controller.want(LAUNCH);
  await world.clock.advance(10);
  expect(world.machine.runs).toEqual([]);
  expect(limited.outcome).toMatch(/^1:0 its memory can't be limited by a cgroup/);
  expect(world.complaints.join()).toMatch(/node\.memory_enforcement demands: no rights/);
  world.controller.want(runLaunch({ key: { jobId: 8, attempt: 1, stepId: 0 } }));
  await world.clock.advance(10);
  expect(world.machine.runs).toEqual(["8.1.0"]);
});

test("who keeps jobs within their memory is told in words", () => {
  expect(memoryLimitsText({ groups, problem: "", isRequired: true })).toBe("cgroup v2, /cg");
  const none = { groups: null, problem: "no rights" };
  expect(memoryLimitsText({ ...none, isRequired: false })).toBe("looked at once a second: no rights");
  expect(memoryLimitsText({ ...none, isRequired: true })).toBe("no job with a limit can start: no rights");
});
