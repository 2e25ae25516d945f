import { expect, test } from "vitest";
import type { PendingJob } from "../../../src/core/job.ts";
import type { Node } from "../../../src/core/node.ts";
import { NO_USAGE, type ResourceRequest } from "../../../src/core/resources.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, inventory, request, spec, T0 } from "../support/samples.ts";

function node(name: string, gpus = 4, cpus = 8, over: Partial<Node> = {}): Node {
  return {
    name,
    inventory: inventory(gpus, cpus),
    registeredAt: T0,
    usage: NO_USAGE,
    drain: null,
    down: null,
    ...over,
  };
}

function jobs(...requests: ResourceRequest[]): PendingJob[] {
  return requests.map((one, index) => ({
    state: "PENDING",
    id: index + 1,
    spec: spec({ request: one }),
    submitAt: T0,
    attempt: 0,
    requestId: `r${index}`,
    eligibleAt: T0,
  }));
}

const freeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freeze(child);
  }
  return value;
};

test("jobs start in order, on distinct GPUs, lowest first", () => {
  const view = freeze({ pending: jobs(gpuRequest(2), gpuRequest(1), gpuRequest(1)), nodes: [node("n1")] });
  const { starts } = schedule(view, T0);
  expect(starts.map((start) => start.allocation[0]?.gpus.map((gpu) => gpu.index))).toEqual([[0, 1], [2], [3]]);
});

test("the first that does not fit now keeps what it waits for from those behind it", () => {
  const busy = node("n1", 4, 8, { usage: { cpus: 1, memoryMiB: 0, gpus: { 0: 1000 } } });
  const plan = schedule({ pending: jobs(gpuRequest(4), gpuRequest(1)), nodes: [busy] }, T0);
  expect(plan.starts).toEqual([]);
  expect(plan.reasons.get(1)).toEqual({
    word: "Resources",
    text: "waits for 4 GPUs and 1 CPU to be free on one node",
  });
  expect(plan.reasons.get(2) ?? plan.otherwise).toMatchObject({ word: "Priority" });
});

test("what no present node could hold stops nobody", () => {
  const nodes = [node("n1", 2), node("n2", 8, 8, { down: { reason: "Not responding", at: T0 } })];
  const plan = schedule({ pending: jobs(gpuRequest(8), gpuRequest(8), gpuRequest(1)), nodes }, T0);
  expect(plan.starts.map((start) => start.jobId)).toEqual([3]);
  expect(plan.reasons.get(2)).toMatchObject({ word: "ReqNodeNotAvail" });
  expect(schedule({ pending: jobs(gpuRequest(1)), nodes: [] }, T0).reasons.get(1)?.text).toContain(
    "no node is connected",
  );
});

test("best fit: the tightest node, and CPU jobs away from free GPUs", () => {
  const nodes = [node("big", 8, 64), node("small", 2, 8), node("cpu", 0, 8)];
  const plan = schedule({ pending: jobs(request({ tasks: 4 }), gpuRequest(2), gpuRequest(1)), nodes }, T0);
  expect(plan.starts.map((start) => start.allocation[0]?.node)).toEqual(["cpu", "small", "big"]);
});

test("memory and CPUs count", () => {
  const plan = schedule(
    {
      pending: jobs(request({ memoryMiBPerNode: 40_000 }), request({ memoryMiBPerNode: 40_000 })),
      nodes: [node("n1")],
    },
    T0,
  );
  expect(plan.starts).toHaveLength(1);
  expect(schedule({ pending: jobs(request({ cpusPerTask: 9 })), nodes: [node("n1")] }, T0).starts).toEqual([]);
});

test("a begin time is waited for", () => {
  const [job] = jobs(gpuRequest(1));
  const plan = schedule({ pending: job ? [{ ...job, eligibleAt: T0 + 1 }] : [], nodes: [node("n1")] }, T0);
  expect(plan.reasons.get(1)?.word).toBe("BeginTime");
});
