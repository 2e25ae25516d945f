import { describe, expect, test } from "vitest";
import type { Job, PendingJob } from "../../../src/core/job.ts";
import type { Node } from "../../../src/core/node.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, request, T0 } from "../support/samples.ts";
import { node, pending, shown, stateOf } from "./samples.ts";

/** A heterogeneous job whose first component has this number. */
function het(first: number, ...requests: ResourceRequest[]): PendingJob[] {
  const size = requests.length;
  return requests.map((one, offset) => pending(first + offset, { request: one, het: { offset, size } }));
}

function plan(waiting: readonly PendingJob[], nodes: readonly Node[], others: readonly Job[] = []) {
  const gate = gateOf(stateOf([...others, ...waiting]), T0);
  return schedule({ pending: waiting, expiring: [], nodes, isConnected: () => true, gate }, T0);
}

const used = (name: string, gpus: number): Node => {
  const taken = Object.fromEntries(Array.from({ length: gpus }, (_, index) => [index, 1000]));
  return node(name, 4, 8, { usage: { cpus: gpus, memoryMiB: 0, gpus: taken } });
};

describe("components start together", () => {
  test("one start for all, each with what it asked for; they may share a node", () => {
    const { starts } = plan(het(1, gpuRequest(1), request({ tasks: 2 }), gpuRequest(3)), [node("n1")]);
    expect(starts).toHaveLength(1);
    expect(starts[0]).toMatchObject({ jobId: 1, taskId: null });
    const given = [starts[0], ...(starts[0]?.followers ?? [])].map((one) => shown(one?.allocation ?? null));
    expect(given).toEqual([["n1: 1/1/0/0"], ["n1: 2/2/0/"], ["n1: 1/1/0/123"]]);
    expect(starts[0]?.followers?.map(({ jobId }) => jobId)).toEqual([2, 3]);
  });

  test("without room for all none starts, and what it found is left to nobody behind it", () => {
    const waiting = [...het(1, gpuRequest(2), gpuRequest(2)), pending(3, { request: gpuRequest(1) })];
    const { starts, reasons } = plan(waiting, [used("n1", 1)]);
    expect(starts).toEqual([]);
    expect(reasons.get(1)).toEqual(reasons.get(2));
    expect(reasons.get(1)).toEqual({
      word: "Resources",
      text: "waits for all of its 2 components to find room at the same time",
    });
    expect(reasons.has(3)).toBe(false);
  });

  test("what each alone could have, but all together never, stops nobody", () => {
    const waiting = [...het(1, gpuRequest(3), gpuRequest(3)), pending(3, { request: gpuRequest(1) })];
    const { starts, reasons } = plan(waiting, [node("n1")]);
    expect(starts.map(({ jobId }) => jobId)).toEqual([3]);
    expect(reasons.get(2)).toMatchObject({ word: "BadConstraints" });
    expect(shown(starts[0]?.allocation ?? null)).toEqual(["n1: 1/1/0/0"]);
  });

  test("a component that has only one place to go finds it, wherever it stands", () => {
    const named = request({ ...gpuRequest(4), nodeList: ["n1"] });
    const { starts } = plan(het(1, gpuRequest(4), named), [node("n1"), node("n2")]);
    const given = [starts[0], ...(starts[0]?.followers ?? [])].map((one) => shown(one?.allocation ?? null));
    expect(given).toEqual([["n2: 1/1/0/0123"], ["n1: 1/1/0/0123"]]);
  });

  test("components whose first one is over start too", () => {
    const [, second, third] = het(1, gpuRequest(1), gpuRequest(1), gpuRequest(1));
    if (!second || !third) throw new Error("three components");
    const { starts } = plan([second, third], [node("n1")]);
    expect(starts).toMatchObject([{ jobId: 2, followers: [{ jobId: 3 }] }]);
  });

  test("one held component keeps all waiting, and says so of each", () => {
    const [first, second] = het(1, gpuRequest(1), gpuRequest(1));
    if (!first || !second) throw new Error("two components");
    const waiting = [first, { ...second, hold: "user" as const }];
    expect(plan(waiting, [node("n1")]).starts).toEqual([]);
    const gate = gateOf(stateOf(waiting), T0);
    expect(waiting.map((job) => gate.waitReason(job)?.reason)).toEqual([
      { word: "JobHeldUser", text: 'held: "mgpu-scontrol release 1+1" lets it go' },
      { word: "JobHeldUser", text: 'held: "mgpu-scontrol release 1+1" lets it go' },
    ]);
  });
});
