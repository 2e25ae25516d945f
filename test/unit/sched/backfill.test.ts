/** Who may overtake a job that waits for room, and what is promised to that one. */

import { describe, expect, test } from "vitest";
import type { PendingJob } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import type { Node } from "../../../src/core/node.ts";
import { addShare, type NodeShare, type ResourceRequest, WHOLE_GPU } from "../../../src/core/resources.ts";
import { OPEN_GATE } from "../../../src/sched/eligible.ts";
import { ANYWHERE, type Places } from "../../../src/sched/places.ts";
import type { Plan } from "../../../src/sched/plan.ts";
import { EASY, type SchedulerPolicy } from "../../../src/sched/policy.ts";
import { createPredictor } from "../../../src/sched/predict.ts";
import type { Holding } from "../../../src/sched/profile.ts";
import { type ScheduleView, schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, request, T0 } from "../support/samples.ts";
import { arrayRecord, node, pending, shown, tasks } from "./samples.ts";

const S = 1000;

/** GPUs of a node that are held for so many seconds. */
function held(name: string, indices: readonly number[], forS: number, over: Partial<NodeShare> = {}): Holding {
  const gpus = indices.map((index) => ({ index, uuid: `${name}-${index}`, type: "a100", thousandths: WHOLE_GPU }));
  const share = { node: name, tasks: 1, cpus: Math.max(1, indices.length), memoryMiB: 0, gpus, ...over };
  return { allocation: [share], until: T0 + forS * S, licenses: [], partition: "" };
}

function viewOf(jobs: readonly PendingJob[], nodes: readonly Node[], holdings: readonly Holding[]): ScheduleView {
  const used = nodes.map((one) => {
    const shares = holdings.flatMap(({ allocation }) => allocation.filter((share) => share.node === one.name));
    return { ...one, usage: shares.reduce((usage, share) => addShare(usage, share, 1), one.usage) };
  });
  return { pending: jobs, expiring: [], nodes: used, isConnected: () => true, gate: OPEN_GATE, holdings };
}

function job(id: number, wish: ResourceRequest, timeLimitS: number | null = null, over: Partial<JobSpec> = {}) {
  return pending(id, { request: wish, timeLimitS, ...over });
}

const startsOf = ({ starts }: Plan) => starts.map(({ jobId }) => jobId);
const promisesOf = ({ reservations }: Plan) =>
  Object.fromEntries(
    [...reservations].map(([id, { at, allocation }]) => [id, [(at - T0) / S, ...(shown(allocation) ?? [])]]),
  );
const policy = (over: Partial<SchedulerPolicy>): SchedulerPolicy => ({ ...EASY, ...over });

describe("one promise (EASY)", () => {
  const holdings = [held("n1", [0, 1, 2], 100)];
  const blocked = job(1, gpuRequest(4), 500);
  test("the first that is blocked is promised when the room it needs is given back", () => {
    const plan = schedule(viewOf([blocked], [node("n1")], holdings), T0);
    expect(promisesOf(plan)).toEqual({ 1: [100, "n1: 1/1/0/0123"] });
    expect(plan.reasons.get(1)?.word).toBe("Resources");
  });
  test("who is over by then may overtake, to the second; who has no limit may not", () => {
    const behind = [job(2, gpuRequest(1), 101), job(3, gpuRequest(1)), job(4, gpuRequest(1), 100)];
    const plan = schedule(viewOf([blocked, ...behind], [node("n1")], holdings), T0);
    expect(startsOf(plan)).toEqual([4]);
    expect(plan.reasons.get(2)?.word).toBe("Priority");
  });
  test("what the promise leaves over is free for as long as anybody likes", () => {
    const plan = schedule(viewOf([job(1, gpuRequest(2), 500), job(2, gpuRequest(1))], [node("n1")], holdings), T0);
    expect(promisesOf(plan)).toEqual({ 1: [100, "n1: 1/1/0/01"] });
    expect(startsOf(plan)).toEqual([2]);
  });
  test("CPUs and memory count as GPUs do", () => {
    const cpus = held("n1", [], 100, { cpus: 6 });
    const jobs = [job(1, request({ tasks: 8 }), 500), job(2, request({ tasks: 2 }), 101), job(3, request(), 100)];
    expect(startsOf(schedule(viewOf(jobs, [node("n1")], [cpus]), T0))).toEqual([3]);
  });
  test("gangs are promised all of their nodes at once", () => {
    const two = [held("n1", [0], 100), held("n2", [0], 200)];
    const gang = job(1, request({ nodes: { min: 2, max: 2 }, exclusive: true, tasks: 2 }), 500);
    const plan = schedule(
      viewOf([gang, job(2, gpuRequest(1), 100), job(3, gpuRequest(1), 201)], [node("n1"), node("n2")], two),
      T0,
    );
    expect(promisesOf(plan)[1]).toEqual([200, "n1: 1/8/0/0123", "n2: 1/8/0/0123"]);
    expect(startsOf(plan)).toEqual([2]);
  });
  test("other nodes are open to all", () => {
    const onlyFirst = job(1, { ...gpuRequest(4), nodeList: ["n1"] });
    const plan = schedule(viewOf([onlyFirst, job(2, gpuRequest(2))], [node("n1"), node("n2")], holdings), T0);
    expect(plan.starts.map(({ allocation }) => shown(allocation))).toEqual([["n2: 1/1/0/01"]]);
  });
  test("what starts in this pass is given back at its limit too", () => {
    const jobs = [job(1, gpuRequest(1), 300), job(2, gpuRequest(4), 10), job(3, gpuRequest(1), 20)];
    const plan = schedule(viewOf(jobs, [node("n1")], [held("n1", [0, 1], 100)]), T0);
    expect(promisesOf(plan)).toEqual({ 2: [300, "n1: 1/1/0/0123"] });
    expect(startsOf(plan)).toEqual([1, 3]);
  });
  test("where nobody knows when there will be room, all is kept", () => {
    const unknown = viewOf(
      [blocked, job(2, gpuRequest(1), 1)],
      [node("n1")],
      [{ ...holdings[0], until: Infinity } as Holding],
    );
    const plan = schedule(unknown, T0);
    expect([startsOf(plan), plan.reservations.size]).toEqual([[], 0]);
  });
  test("each partition has a promise of its own", () => {
    const [one, two] = ["n1", "n2"].map((name) => ({
      ...ANYWHERE,
      key: name,
      partition: name,
      allows: (own: string) => own === name,
    }));
    const places: Places = ({ spec }) => (spec.partition === "n1" ? one : two) ?? ANYWHERE;
    const both = [held("n1", [0], 100), held("n2", [0], 200)];
    const jobs = [1, 2, 3].map((id) => job(id, gpuRequest(4), 500, { partition: id === 3 ? "n2" : "n1" }));
    const plan = schedule({ ...viewOf(jobs, [node("n1"), node("n2")], both), places }, T0);
    expect(promisesOf(plan)).toEqual({ 1: [100, "n1: 1/1/0/0123"], 3: [200, "n2: 1/1/0/0123"] });
  });
  test("licenses are promised with the nodes", () => {
    const licenses = new Map([["matlab", 2]]);
    const holder = { ...held("n1", [0], 100), licenses: [{ name: "matlab", count: 1 }] };
    const gate = {
      ...OPEN_GATE,
      limits: {
        ...OPEN_GATE.limits,
        check: ({ spec }: PendingJob) =>
          spec.licenses.some(({ count }) => count === 2) ? { word: "Licenses" as const, text: "" } : null,
      },
    };
    const wants = (id: number, count: number, limitS: number) =>
      job(id, request(), limitS, { licenses: [{ name: "matlab", count }] });
    const jobs = [wants(1, 2, 500), wants(2, 1, 101), wants(3, 1, 99)];
    const plan = schedule({ ...viewOf(jobs, [node("n1")], [holder]), licenses, gate }, T0);
    expect(promisesOf(plan)[1]?.[0]).toBe(100);
    expect(startsOf(plan)).toEqual([3]);
  });
  test("an array is promised its next task", () => {
    const array = arrayRecord(1, tasks(3, 9), 0, { request: gpuRequest(4), timeLimitS: 50 });
    const plan = schedule(viewOf([array, job(2, gpuRequest(1), 100)], [node("n1")], holdings), T0);
    expect(promisesOf(plan)[1]?.[0]).toBe(100);
    expect(startsOf(plan)).toEqual([2]);
  });
});

describe("other policies", () => {
  const holdings = [held("n1", [0, 1, 2], 100)];
  const jobs = [
    job(1, gpuRequest(4), 100),
    job(2, gpuRequest(4), 100),
    job(3, gpuRequest(1), 50),
    job(4, gpuRequest(1), 20),
  ];
  test("none overtakes", () => {
    const plan = schedule(viewOf(jobs, [node("n1")], holdings), T0, policy({ reservations: 0 }));
    expect([startsOf(plan), plan.reservations.size]).toEqual([[], 0]);
  });
  test("conservative: so many are promised, one after the other", () => {
    const plan = schedule(viewOf(jobs, [node("n1")], holdings), T0, policy({ reservations: 2 }));
    expect(promisesOf(plan)).toMatchObject({ 1: [100, "n1: 1/1/0/0123"], 2: [200, "n1: 1/1/0/0123"] });
    const long = [job(1, gpuRequest(4), 100), job(2, gpuRequest(2), 100), job(3, gpuRequest(1), 200)];
    const running = [held("n1", [0, 1, 2], 100)];
    expect(startsOf(schedule(viewOf(long, [node("n1")], running), T0, policy({ reservations: 2 })))).toEqual([]);
  });
  test("the shortest first, by limits or by what is predicted", () => {
    const shortest = policy({ backfillOrder: "shortest" });
    expect(startsOf(schedule(viewOf(jobs, [node("n1")], holdings), T0, shortest))).toEqual([4]);
    const predicted = { ...shortest, predictS: ({ id }: PendingJob) => (id === 3 ? 1 : null) };
    expect(startsOf(schedule(viewOf(jobs, [node("n1")], holdings), T0, predicted))).toEqual([3]);
  });
  test("only so many are tried behind the first", () => {
    const shallow = policy({ backfillDepth: 1 });
    expect(startsOf(schedule(viewOf(jobs, [node("n1")], holdings), T0, shallow))).toEqual([]);
    expect(startsOf(schedule(viewOf(jobs, [node("n1")], holdings), T0, policy({ backfillDepth: 2 })))).toEqual([3]);
  });
});

test("a user's last two jobs tell how long the next will run", () => {
  const predictor = createPredictor();
  expect(predictor.predictS("ann", 60)).toBe(null);
  for (const ranS of [500, 10, 30]) predictor.note("ann", ranS);
  expect([predictor.predictS("ann", 60), predictor.predictS("ann", 15), predictor.predictS("ann", 0)]).toEqual([
    20, 15, 20,
  ]);
});

describe("a job with a least time (--time-min)", () => {
  const holdings = [held("n1", [0, 1, 2], 100)];
  const blocked = job(1, gpuRequest(4), 500);
  const limits = ({ starts }: Plan) => starts.map(({ jobId, limitS }) => [jobId, limitS]);
  const plan = (jobs: readonly PendingJob[]) => schedule(viewOf(jobs, [node("n1")], holdings), T0);
  test("starts with what is left before the next promise, if that will do", () => {
    expect(limits(plan([blocked, job(2, gpuRequest(1), 600, { timeMinS: 60 })]))).toEqual([[2, 100]]);
    expect(limits(plan([blocked, job(2, gpuRequest(1), 600, { timeMinS: 101 })]))).toEqual([]);
    expect(limits(plan([blocked, job(2, gpuRequest(1), null, { timeMinS: 60 })]))).toEqual([[2, 100]]);
  });
  test("has its own limit where nobody is in the way", () => {
    expect(limits(plan([job(2, gpuRequest(1), 600, { timeMinS: 60 })]))).toEqual([[2, undefined]]);
    expect(limits(plan([blocked, job(2, gpuRequest(1), 90, { timeMinS: 60 })]))).toEqual([[2, undefined]]);
  });
});

describe("who waits for the end of a reservation", () => {
  const around = (endS: number): Pick<ScheduleView, "places" | "later"> => {
    const place = { ...ANYWHERE, key: "p", partition: "p" };
    const barred = { ...place, key: "p r", allows: (name: string) => name === "n1", reserved: ["n2"] };
    const placesAt = (at: number): Places => {
      return ({ spec }) => (at < T0 + endS * S && !spec.timeLimitS ? barred : place);
    };
    return { places: placesAt(T0), later: { placesAt, times: [T0 + 50 * S, T0 + endS * S] } };
  };
  const both = (id: number, over: Partial<JobSpec> = {}): PendingJob =>
    job(id, request({ nodes: { min: 2, max: 2 }, exclusive: true, tasks: 2 }), 0, over);
  const nodes = [node("n1"), node("n2")];
  test("is promised a start behind it, and keeps the promise from nobody who waits for room", () => {
    const jobs = [both(1), both(2), job(3, gpuRequest(4), 500), job(4, gpuRequest(4), 40)];
    const holdings = [held("n1", [0], 100), held("n2", [0], 100)];
    const plan = schedule({ ...viewOf(jobs, nodes, holdings), ...around(1000) }, T0);
    expect(promisesOf(plan)).toEqual({ 1: [1000, "n1: 1/8/0/0123", "n2: 1/8/0/0123"], 3: [100, "n1: 1/1/0/0123"] });
    expect([1, 2, 3].map((id) => plan.reasons.get(id)?.word)).toEqual([
      "ReqNodeNotAvail",
      "ReqNodeNotAvail",
      "Resources",
    ]);
    expect(plan.reasons.get(2)?.text).toBe("n2 may be reserved for other jobs");
  });
  test("nobody is delayed behind it, nor kept waiting where no start can be promised", () => {
    const over = job(2, gpuRequest(4), 1000);
    expect(startsOf(schedule({ ...viewOf([both(1), over], nodes, []), ...around(1000) }, T0))).toEqual([2]);
    const longer = job(2, gpuRequest(4), 1001);
    const plan = schedule({ ...viewOf([both(1), longer], nodes, []), ...around(1000) }, T0);
    expect([startsOf(plan), promisesOf(plan)[1]?.[0], promisesOf(plan)[2]?.[0]]).toEqual([[], 1000, 1000 + 86_400]);
    const endless = [{ ...held("n2", [0], 0), until: Infinity } as Holding];
    const none = schedule({ ...viewOf([both(1), longer], nodes, endless), ...around(1000) }, T0);
    expect([startsOf(none), none.reservations.size]).toEqual([[2], 0]);
  });
});
