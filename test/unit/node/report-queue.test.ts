import { beforeEach, describe, expect, it } from "vitest";
import { createReportQueue, type ReportQueue } from "../../../src/node/report-queue.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { NodeReport } from "../../../src/protocol/procedures.ts";
import type { Peer } from "../../../src/rpc/types.ts";
import { createHandClock, type HandClock, settle } from "./hand-clock.ts";

const started = (jobId: number): NodeReport => ({ type: "started", key: { jobId, attempt: 1, stepId: 0 } });

interface Call {
  readonly reports: readonly NodeReport[];
  answer(): void;
  refuse(error: Error): void;
}

/** A controller that answers by hand. */
function handPeer(): { peer: Peer; calls: Call[] } {
  const calls: Call[] = [];
  const call = (_method: string, params: { reports: readonly NodeReport[] }): Promise<unknown> =>
    new Promise((resolve, refuse) => {
      calls.push({ reports: params.reports, answer: () => resolve({}), refuse });
    });
  return { peer: { call } as unknown as Peer, calls };
}

let clock: HandClock;
let queue: ReportQueue;
let confirmed: NodeReport[];
beforeEach(() => {
  clock = createHandClock();
  confirmed = [];
  queue = createReportQueue({ clock, log: silentLog() }, (reports) => confirmed.push(...reports));
});

describe("the report queue", () => {
  it("has one call open at a time and keeps reports until it is answered", async () => {
    const { peer, calls } = handPeer();
    queue.use(peer);
    for (const id of [1, 2, 3]) queue.add(started(id));
    expect(calls.map((call) => call.reports.length)).toEqual([1]);
    expect([queue.length, confirmed]).toEqual([3, []]);
    calls[0]?.answer();
    await settle();
    expect(calls[1]?.reports).toEqual([started(2), started(3)]);
    expect(confirmed).toEqual([started(1)]);
  });

  it("does not believe an answer that comes after its connection was replaced", async () => {
    const first = handPeer();
    const second = handPeer();
    queue.use(first.peer);
    queue.add(started(1));
    queue.use(second.peer);
    first.calls[0]?.answer();
    await settle();
    expect(confirmed).toEqual([]);
    expect(second.calls[0]?.reports).toEqual([started(1)]);
    second.calls[0]?.answer();
    await settle();
    expect([queue.length, confirmed]).toEqual([0, [started(1)]]);
  });

  it("takes back only what is not on its way", async () => {
    const { peer, calls } = handPeer();
    queue.use(peer);
    queue.add(started(1));
    queue.add(started(2));
    queue.dropStarted({ jobId: 1, attempt: 1, stepId: 0 });
    queue.dropStarted({ jobId: 2, attempt: 1, stepId: 0 });
    expect(queue.length).toBe(1);
    calls[0]?.answer();
    await settle();
    expect([calls.length, queue.length]).toEqual([1, 0]);
  });

  it("holds each report once", () => {
    for (let times = 0; times < 3; times++) {
      queue.add(started(1));
      queue.add({ type: "cleaned", jobId: 1, attempt: 1 });
    }
    expect(queue.length).toBe(2);
  });

  it("sends at most 256 in a call", () => {
    for (let id = 1; id <= 300; id++) queue.add(started(id));
    const { peer, calls } = handPeer();
    queue.use(peer);
    expect(calls[0]?.reports.length).toBe(256);
  });

  it("waits a second after trouble, and not at all for a new connection", async () => {
    const first = handPeer();
    queue.use(first.peer);
    queue.add(started(1));
    first.calls[0]?.refuse(new Error("trouble"));
    await clock.advance(999);
    expect(first.calls.length).toBe(1);
    await clock.advance(1);
    expect(first.calls.length).toBe(2);
    first.calls[1]?.refuse(new Error("trouble"));
    await settle();
    const second = handPeer();
    queue.use(second.peer);
    expect(second.calls.length).toBe(1);
  });

  it("tells of a script's start a moment later, and not at all if it is over by then", async () => {
    const { peer, calls } = handPeer();
    queue.use(peer);
    const keyOf = (jobId: number) => ({ jobId, attempt: 1, stepId: "batch" }) as const;
    for (const jobId of [1, 2]) queue.add({ type: "started", key: keyOf(jobId) });
    queue.dropStarted(keyOf(1));
    queue.add({ type: "ended", key: keyOf(1), exits: [], problem: "", clean: true });
    expect(calls.map(({ reports }) => reports.map(({ type }) => type))).toEqual([["ended"]]);
    calls[0]?.answer();
    await settle();
    expect(calls).toHaveLength(1);
    await clock.advance(25);
    expect(calls[1]?.reports).toEqual([{ type: "started", key: keyOf(2) }]);
  });
});
