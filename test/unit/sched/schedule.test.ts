import { describe, expect, test } from "vitest";
import type { Job, PendingJob } from "../../../src/core/job.ts";
import type { Node } from "../../../src/core/node.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { gateOf, OPEN_GATE } from "../../../src/sched/eligible.ts";
import type { Plan } from "../../../src/sched/plan.ts";
import { type ScheduleView, schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, inventory, request, T0 } from "../support/samples.ts";
import { arrayRecord, dependsOn, ended, node, nodeWith, pending, running, shown, stateOf, tasks } from "./samples.ts";

function jobs(...requests: ResourceRequest[]): PendingJob[] {
  return requests.map((one, index) => pending(index + 1, { request: one }));
}

/** A view of waiting jobs on connected nodes; what else there is only matters to the gate. */
function viewOf(waiting: readonly PendingJob[], nodes: readonly Node[], others: readonly Job[] = []): ScheduleView {
  const gate = gateOf(stateOf([...others, ...waiting]), T0);
  return { pending: waiting, expiring: [], nodes, isConnected: () => true, gate };
}

const freeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freeze(child);
  }
  return value;
};

const startsOf = ({ starts }: Plan) =>
  starts.map(({ jobId, taskId }) => (taskId === null ? jobId : `${jobId}_${taskId}`));
const wordsOf = ({ reasons }: Plan) => Object.fromEntries([...reasons].map(([id, { word }]) => [id, word]));

describe("the order", () => {
  test("jobs start in the order given, on distinct GPUs, lowest first", () => {
    const waiting = freeze(jobs(gpuRequest(2), gpuRequest(1), gpuRequest(1)));
    const { starts } = schedule(viewOf(waiting, freeze([node("n1")])), T0);
    expect(starts.map((start) => start.allocation[0]?.gpus.map((gpu) => gpu.index))).toEqual([[0, 1], [2], [3]]);
    const last = schedule(viewOf([...waiting].reverse(), [node("n1")]), T0);
    expect(startsOf(last)).toEqual([3, 2, 1]);
  });
  test.each([
    [{ ...gpuRequest(1) }, { cpus: 8, memoryMiB: 0, gpus: {} }, "0 of 8 CPUs free"],
    [{ ...gpuRequest(4) }, { cpus: 8, memoryMiB: 0, gpus: { 0: 1000 } }, "0 of 8 CPUs free, 3 of 4 GPUs free"],
    [
      { ...gpuRequest(1), memory: { per: "node", mib: 1000 } as const },
      { cpus: 1, memoryMiB: inventory(0, 8).memoryMiB - 100, gpus: {} },
      `100 of ${inventory(0, 8).memoryMiB} MiB of memory free`,
    ],
  ])("a reason names what is short %#", (asked, usage, text) => {
    const plan = schedule(viewOf(jobs(asked), [node("n1", 4, 8, { usage })]), T0);
    expect(plan.reasons.get(1)?.text).toContain(`(n1: ${text})`);
  });
  test("the first that does not fit now keeps what it waits for from those behind it", () => {
    const busy = node("n1", 4, 8, { usage: { cpus: 1, memoryMiB: 0, gpus: { 0: 1000 } } });
    const plan = schedule(viewOf(jobs(gpuRequest(4), gpuRequest(1)), [busy]), T0);
    expect(plan.starts).toEqual([]);
    expect(plan.reasons.get(1)).toEqual({
      word: "Resources",
      text: "waits for 4 GPUs and 1 CPU to be free (n1: 3 of 4 GPUs free)",
    });
    expect(plan.reasons.get(2) ?? plan.otherwise).toMatchObject({ word: "Priority" });
  });
  test("the queue is read no further than that", () => {
    const busy = node("n1", 4, 8, { usage: { cpus: 8, memoryMiB: 0, gpus: {} } });
    function* queue(): Generator<PendingJob> {
      yield* jobs(request());
      throw new Error("read on");
    }
    const view = { ...viewOf([], [busy]), pending: queue(), gate: OPEN_GATE };
    expect(wordsOf(schedule(view, T0))).toEqual({ 1: "Resources" });
  });
  test("jobs that may not start stop nobody, and nobody stops for them", () => {
    const waiting = [
      pending(1, {}, { hold: "user" }),
      pending(2, dependsOn("afterok:90")),
      pending(3, {}, { eligibleAt: T0 + 1 }),
      pending(4, {}, { cleanup: ["n1"], attempt: 1 }),
      pending(5),
    ];
    const plan = schedule(viewOf(waiting, [node("n1")], [running(pending(90))]), T0);
    expect(startsOf(plan)).toEqual([5]);
    // Why they wait is the gate's to say.
    expect(wordsOf(plan)).toEqual({});
  });
});

describe("nodes that are not there", () => {
  test("what no present node could hold stops nobody", () => {
    const nodes = [node("n1", 2), node("n2", 8, 8, { down: { reason: "Not responding", at: T0 } })];
    const plan = schedule(viewOf(jobs(gpuRequest(8), gpuRequest(8), gpuRequest(1)), nodes), T0);
    expect(startsOf(plan)).toEqual([3]);
    expect(plan.reasons.get(2)).toEqual({
      word: "ReqNodeNotAvail",
      text: "asks for 8 GPUs and 1 CPU, but n2 is down: Not responding",
    });
    const drain = { reason: "new disks", at: T0 };
    const away = [node("n1", 8, 8, { drain }), node("n2", 2), node("n3", 8, 8, { drain }), node("n4", 8)];
    const view = { ...viewOf(jobs(gpuRequest(8)), away), isConnected: (name: string) => name !== "n4" };
    expect(schedule(view, T0).reasons.get(1)?.text).toBe(
      "asks for 8 GPUs and 1 CPU, but n[1,3] are drained: new disks; n4 is not connected",
    );
    expect(schedule(viewOf(jobs(gpuRequest(1)), []), T0).reasons.get(1)?.text).toContain("no node is connected");
  });
  test("nodes that are not connected take nothing, but keep their place between their neighbours", () => {
    const nodes = [node("n1"), node("n2"), node("n3")];
    const view = { ...viewOf(jobs(request({ nodes: { min: 2, max: 2 }, contiguous: true }), gpuRequest(1)), nodes) };
    const plan = schedule({ ...view, isConnected: (name) => name !== "n2" }, T0);
    expect(wordsOf(plan)).toEqual({ 1: "ReqNodeNotAvail" });
    expect(shown(plan.starts[0]?.allocation ?? null)).toEqual(["n1: 1/1/0/0"]);
  });
  test("what the nodes have lost since it was accepted", () => {
    const plan = schedule(viewOf(jobs(request({ constraint: "ib" }), request()), [nodeWith("n1", "fast")]), T0);
    expect(startsOf(plan)).toEqual([2]);
    expect(plan.reasons.get(1)).toEqual({
      word: "BadConstraints",
      text: "the nodes have changed: no node has the feature ib; features here: fast",
    });
  });
});

describe("arrays", () => {
  test("as many tasks as there is room for, lowest first; then the pass stops", () => {
    const array = arrayRecord(1, tasks(3, 7), 0, { request: gpuRequest(1) });
    const plan = schedule(viewOf([array, pending(2, { request: gpuRequest(1) })], [node("n1", 3)]), T0);
    expect(startsOf(plan)).toEqual(["1_3", "1_4", "1_5"]);
    expect(plan.starts.map((start) => start.allocation[0]?.gpus[0]?.index)).toEqual([0, 1, 2]);
    expect(wordsOf(plan)).toEqual({ 1: "Resources", 2: "Priority" });
  });
  test("the last task is named too", () => {
    expect(startsOf(schedule(viewOf([arrayRecord(1, tasks(3, 4))], [node("n1")]), T0))).toEqual(["1_3", "1_4"]);
  });
  test("its limit counts what runs and what this pass starts, and stops nobody else", () => {
    const array = arrayRecord(1, tasks(3, 7), 3);
    const part = { ...running(array), id: 50, array: { jobId: 1, tasks: tasks(1) } };
    const requeued: PendingJob = { ...array, id: 51, array: { jobId: 1, tasks: tasks(2) }, attempt: 1 };
    const plan = schedule(viewOf([array, requeued, pending(60)], [node("n1")], [part]), T0);
    expect(startsOf(plan)).toEqual(["1_3", "1_4", 60]);
    expect(wordsOf(plan)).toEqual({ 1: "JobArrayTaskLimit", 51: "JobArrayTaskLimit" });
  });
  test("aftercorr: just the tasks whose counterparts are done", () => {
    const first = arrayRecord(10, tasks(0, 2));
    const done = ended({ ...first, id: 11, array: { jobId: 10, tasks: tasks(1) } }, "COMPLETED");
    const second = arrayRecord(20, tasks(0, 2), 0, dependsOn("aftercorr:10"));
    const left: PendingJob = { ...first, array: { jobId: 10, tasks: [...tasks(0), ...tasks(2)] } };
    expect(startsOf(schedule(viewOf([second], [node("n1")], [left, done]), T0))).toEqual(["20_1"]);
  });
  test("singleton: one task at a time", () => {
    const array = arrayRecord(1, tasks(0, 3), 0, dependsOn("singleton"));
    expect(startsOf(schedule(viewOf([array, pending(2, dependsOn("singleton"))], [node("n1")]), T0))).toEqual(["1_0"]);
  });
  test("an array without end takes no more than there is room for", () => {
    const array = arrayRecord(1, tasks(0, 3_999_999));
    expect(schedule(viewOf([array], [node("n1", 0, 100)]), T0).starts).toHaveLength(100);
  });
});

describe("ends and times", () => {
  test("jobs that never can start end, wherever they stand in the queue", () => {
    const late = pending(2, { deadlineAt: T0 + 1000, timeLimitS: 2 });
    const lost = pending(3, dependsOn("afterok:90", { killOnInvalidDep: true }));
    const busy = node("n1", 0, 8, { usage: { cpus: 8, memoryMiB: 0, gpus: {} } });
    const view = viewOf([pending(1), late, lost], [busy], [ended(pending(90), "FAILED")]);
    const plan = schedule({ ...view, expiring: [late, lost] }, T0);
    expect(plan.ends).toEqual([
      { jobId: 2, tasks: null, state: "DEADLINE", cause: "it can't be over before its deadline any more" },
      {
        ...{ jobId: 3, tasks: null, state: "CANCELLED" },
        cause: "waits for job 90 to complete without error, which can't come true any more",
      },
    ]);
    expect(schedule({ ...viewOf([late], [node("n1")]), expiring: [late] }, T0).ends).toHaveLength(1);
  });
  test("tasks that never can start end while others of the array go on", () => {
    const first = arrayRecord(10, tasks(0, 1));
    const part = (id: number, task: number): PendingJob => ({ ...first, id, array: { jobId: 10, tasks: tasks(task) } });
    const upstream = [ended(part(11, 0), "FAILED"), ended(part(10, 1), "COMPLETED")];
    const second = arrayRecord(20, tasks(0, 1), 0, dependsOn("aftercorr:10", { killOnInvalidDep: true }));
    const plan = schedule({ ...viewOf([second], [node("n1")], upstream), expiring: [second] }, T0);
    expect(startsOf(plan)).toEqual(["20_1"]);
    expect(plan.ends).toMatchObject([{ jobId: 20, tasks: tasks(0), state: "CANCELLED" }]);
  });
  test("the next moment at which time alone changes something", () => {
    const nodes = [node("n1", 0, 1)];
    const wake = (...waiting: PendingJob[]) => {
      const plan = schedule({ ...viewOf(waiting, nodes, [running(pending(90))]), expiring: waiting }, T0);
      return plan.wakeAt === null ? null : plan.wakeAt - T0;
    };
    expect(wake(pending(1))).toBe(null);
    expect(wake(pending(1, {}, { eligibleAt: T0 + 500 }), pending(2, dependsOn("after:90+1")))).toBe(500);
    expect(wake(pending(1, dependsOn("after:90+1")))).toBe(60_000);
    expect(wake(pending(1, { deadlineAt: T0 + 5000, timeLimitS: 2 }))).toBe(3001);
    expect(wake(pending(1), pending(2, { deadlineAt: T0 + 5000, timeLimitS: 2 }))).toBe(3001);
    expect(wake(pending(1, { deadlineAt: T0 + 5000 }, { hold: "user" }))).toBe(5000);
  });
});
