/** Why a job waits: nodes and what they lack, who holds it, the place in the queue, the start, the smallest change. */

import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Explanation } from "../../../src/core/explanation.ts";
import type { Job, PendingJob } from "../../../src/core/job.ts";
import type { Node } from "../../../src/core/node.ts";
import type { ClusterState } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { explain } from "../../../src/sched/explain/explain.ts";
import { request, T0 } from "../support/samples.ts";
import { arrayRecord, dependsOn, node, nodeWith, pending, running, stateOf, tasks } from "./samples.ts";

const MIN = 60_000;

function explained(
  state: ClusterState,
  job: PendingJob,
  over: { byUid?: number; away?: string; hasTime?: boolean } = {},
) {
  const { byUid = 1000, away = "", hasTime = true } = over;
  const work = explain({
    ...{ state, job, byUid, now: T0, reason: { word: "Resources", text: "waits" } },
    view: viewOf(state, (name) => name !== away, T0),
    newGate: () => gateOf(state, T0),
    hasTime: () => hasTime,
  });
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** A job that runs on a node with these GPUs, and the node with them in use. */
function busy(id: number, on: Node, indices: readonly number[], limitS: number, cpus = 1): { job: Job; node: Node } {
  const grants = indices.map((index) => ({ index, uuid: `${on.name}-${index}`, type: "a100", thousandths: 1000 }));
  const share = { node: on.name, tasks: 1, cpus, memoryMiB: 0, gpus: grants };
  const usage = { cpus, memoryMiB: 0, gpus: Object.fromEntries(indices.map((index) => [index, 1000])) };
  return { job: { ...running(pending(id)), limitS, allocation: [share] }, node: { ...on, usage } };
}

const wants = (count: number, type: string | null = null) => ({
  request: request({ gpus: { per: "job", wishes: [{ type, thousandths: count * 1000 }] } }),
});

const commands = ({ changes }: Explanation): string[] =>
  changes.map((change) => change.commands.map((words) => words.join(" ")).join("; "));

describe("nodes", () => {
  test("what each lacks, and why others are out of the question", () => {
    const { job: holder, node: n1 } = busy(1, node("n1"), [0, 1, 2], 600);
    const waiting = pending(2, wants(3));
    const nodes = [
      n1,
      node("n2", 2),
      node("n3", 4, 8, { drain: { reason: "fan", at: T0 } }),
      node("n4", 4, 8, { down: { reason: "gone", at: T0 } }),
      node("n5"),
      node("n6"),
    ];
    const state = stateOf([holder, waiting], nodes);
    const found = explained(
      state,
      { ...waiting, spec: { ...waiting.spec, request: { ...waiting.spec.request, excluded: ["n6"] } } },
      { away: "n5" },
    );
    expect(found.nodes.map((one) => [one.node, one.finding, one.lacks])).toEqual([
      ["n1", "busy", ["2 GPUs more (1 of 4 free)"]],
      ["n2", "small", ["1 GPU: it has only 2"]],
      ["n3", "away", ["drained: fan"]],
      ["n4", "away", ["down: gone"]],
      ["n5", "away", ["its daemon is not connected"]],
      ["n6", "barred", ["the job excludes it (-x)"]],
    ]);
    expect(found.nodes[0]?.free).toEqual({ gpus: { a100: 1 }, cpus: 7, memoryMiB: 64_000 });
    expect(found.holders).toMatchObject([{ label: "1", gpus: 3, nodeList: "n1", until: T0 + 600_000 }]);
  });
  test("CPUs, memory, features, types", () => {
    const waiting = pending(2, {
      request: request({ cpusPerTask: 9, memory: { per: "node", mib: 70_000 }, constraint: "" }),
    });
    expect(explained(stateOf([waiting], [node("n1")]), waiting).nodes[0]).toMatchObject({
      finding: "small",
      lacks: ["1 CPU: it has only 8", "6000 MiB of memory: it has only 64000"],
    });
    const picky = pending(3, { request: request({ constraint: "fast" }) });
    const state = stateOf([picky], [nodeWith("n1", "slow"), nodeWith("n2", "fast")]);
    expect(explained(state, picky).nodes.map(({ finding }) => finding)).toEqual(["barred", "free"]);
    const typed = pending(4, wants(1, "b200"));
    expect(explained(stateOf([typed], [node("n1")]), typed).nodes[0]?.lacks).toEqual(["1 b200 GPU: it has none"]);
  });
});

describe("the smallest change", () => {
  test("fewer GPUs: as many as there are", () => {
    const { job: holder, node: n1 } = busy(1, node("n1"), [0], 600);
    const waiting = pending(2, wants(4));
    const found = explained(stateOf([holder, waiting], [n1]), waiting);
    expect(commands(found)[0]).toBe("mgpu-scontrol update jobid=2 tresperjob=gpu:3");
    expect(found.changes[0]?.words).toBe("ask for 3 GPUs rather than 4");
  });
  test("another place before a smaller job", () => {
    const { job: holder, node: n1 } = busy(1, node("n1"), [0, 1, 2], 600);
    const waiting = pending(2, { request: { ...wants(2).request, nodeList: ["n1"] } });
    const found = explained(stateOf([holder, waiting], [n1, node("n2")]), waiting);
    expect(commands(found)).toEqual([
      "mgpu-scontrol update jobid=2 reqnodelist=",
      "mgpu-scontrol update jobid=2 tresperjob=gpu:1",
    ]);
  });
  test("memory in numbers that people write, CPUs, another type", () => {
    const big = pending(2, { request: request({ memory: { per: "node", mib: 100 * 1024 } }) });
    expect(commands(explained(stateOf([big], [node("n1")]), big))).toEqual([
      "mgpu-scontrol update jobid=2 minmemorynode=62G",
    ]);
    const wide = pending(2, { request: request({ tasks: 2, cpusPerTask: 6 }) });
    expect(commands(explained(stateOf([wide], [node("n1")]), wide))).toEqual([
      "mgpu-scontrol update jobid=2 cpuspertask=4",
      "mgpu-scontrol update jobid=2 numtasks=1",
    ]);
    const typed = pending(2, wants(2, "b200"));
    expect(commands(explained(stateOf([typed], [node("n1")]), typed))).toEqual([
      "mgpu-scontrol update jobid=2 tresperjob=gpu:2",
    ]);
  });
  test("holds, times and dependencies are lifted first, all that are needed", () => {
    const state = (job: PendingJob) => stateOf([running(pending(1)), job], [node("n1")]);
    const held = pending(2, dependsOn("afterok:1"), { hold: "user", eligibleAt: T0 + MIN });
    expect(commands(explained(state(held), held))).toEqual([
      "mgpu-scontrol release 2; mgpu-scontrol update jobid=2 starttime=now; mgpu-scontrol update jobid=2 dependency=",
    ]);
    const byAdmin = pending(2, {}, { hold: "admin" });
    expect(commands(explained(state(byAdmin), byAdmin))).toEqual([]);
    expect(commands(explained(state(byAdmin), byAdmin, { byUid: 0 }))).toEqual(["mgpu-scontrol release 2"]);
    const tooBig = pending(2, wants(5), { hold: "user" });
    expect(explained(state(tooBig), tooBig).changes[0]?.words).toBe("release it, and ask for 4 GPUs rather than 5");
  });
  test("a place further ahead, for those who may", () => {
    const { job: holder, node: n1 } = busy(1, node("n1"), [0, 1], 600);
    const first = pending(2, wants(4));
    const second = pending(3, wants(1));
    const found = explained(stateOf([holder, first, second], [n1]), second);
    // Short enough, it is over when the first begins.
    const shorter = "mgpu-scontrol update jobid=3 timelimit=10";
    expect(commands(found)).toEqual(["mgpu-scontrol update jobid=3 priority=100001", shorter]);
    const others = { ...first, spec: { ...first.spec, user: { uid: 7, gid: 7, name: "bob" } } };
    expect(commands(explained(stateOf([holder, others, second], [n1]), second))).toEqual([shorter]);
    expect(commands(explained(stateOf([holder, others, second], [n1]), second, { byUid: 0 }))).toHaveLength(2);
  });
  test("tasks of arrays by their names; the array's own limit", () => {
    const array = arrayRecord(2, tasks(4, 9), 1, {});
    const task = { ...running(pending(3)), array: { jobId: 2, tasks: tasks(3) } };
    expect(commands(explained(stateOf([task, array], [node("n1")]), array))).toEqual([
      "mgpu-scontrol update jobid=2_[4-9] arraytaskthrottle=0",
    ]);
  });
  test("what is about to start needs none", () => {
    const waiting = pending(2);
    expect(explained(stateOf([waiting], [node("n1")]), waiting)).toMatchObject({ changes: [], isCut: false });
  });
  test("a search without time says so", () => {
    const waiting = pending(2, wants(9));
    const found = explained(stateOf([waiting], [node("n1")]), waiting, { hasTime: false });
    expect(found).toMatchObject({ changes: [], isCut: true, forecast: { startAt: null } });
  });
});

describe("queue and start", () => {
  test("the place counts those that may start, and names the next", () => {
    const jobs = [pending(1, wants(4)), pending(2, {}, { hold: "user" }), pending(3, { name: "x" }), pending(4)];
    const found = explained(stateOf(jobs, [node("n1")]), jobs[3] ?? pending(4));
    expect(found.place).toMatchObject({ position: 3, of: 3, ahead: [{ label: "1" }, { label: "3" }] });
  });
  test("after those that run and those ahead, by their limits", () => {
    const { job: holder, node: n1 } = busy(1, node("n1"), [0, 1], 600);
    const first = pending(2, { ...wants(4), timeLimitS: 120 });
    const second = pending(3, { ...wants(4), timeLimitS: 60 });
    const state = stateOf([holder, first, second], [n1]);
    expect(explained(state, second).forecast).toEqual({ startAt: T0 + 720_000, nodeList: "n1", why: "" });
    const endless = stateOf([holder, pending(2, wants(4)), second], [n1]);
    expect(explained(endless, second).forecast).toEqual({
      startAt: null,
      nodeList: "",
      why: "job 2 has no time limit",
    });
  });
  test("a drained node that would do is named, and not a job elsewhere without limit", () => {
    const small = { ...busy(1, node("n1", 1), [0], 0), limit: 0 };
    const drained = node("n2", 4, 8, { drain: { reason: "fan", at: T0 } });
    const waiting = pending(2, wants(4));
    const { forecast } = explained(stateOf([small.job, waiting], [small.node, drained]), waiting);
    expect(forecast).toMatchObject({ startAt: null, why: "it needs n2, which is drained: fan" });
  });
  test("its own begin time; what never can be", () => {
    const later = pending(2, {}, { eligibleAt: T0 + MIN });
    expect(explained(stateOf([later], [node("n1")]), later).forecast.startAt).toBe(T0 + MIN);
    const never = pending(2, wants(9));
    expect(explained(stateOf([never], [node("n1")]), never).forecast).toMatchObject({
      startAt: null,
      why: "the nodes that take work can't hold it",
    });
  });
});
