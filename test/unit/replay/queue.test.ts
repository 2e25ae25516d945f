/** Replays of jobs that run to their end, on traces that can be worked out by hand. */

import { describe, expect, test } from "vitest";
import { summarize } from "../../../src/replay/statistics.ts";
import { job, queued } from "./samples.ts";

/** 4 GPUs: a runs on 3 until 100 (limit 120), b wants all 4, c and d want one: c for 50, d for 200 seconds. */
const JOBS = [job("a", [0, 100, 3, 120]), job("b", [10, 50, 4]), job("c", [20, 50, 1, 60]), job("d", [30, 200, 1])];

describe("order", () => {
  test("fifo: nobody overtakes", () => {
    expect(queued("fifo", "1x4", JOBS).times).toEqual({ a: [0, 100], b: [100, 150], c: [150, 200], d: [150, 350] });
  });
  test("easy: who is over before the promise, by its limit, overtakes; the promise is kept, or better", () => {
    expect(queued("easy", "1x4", JOBS).times).toEqual({ a: [0, 100], b: [100, 150], c: [20, 70], d: [150, 350] });
  });
  test("easy-sjbf: of those that may overtake, the shortest limit comes first", () => {
    const jobs = [
      job("a", [0, 100, 3]),
      job("b", [10, 50, 4]),
      job("c", [20, 60, 2]),
      job("d", [30, 20, 1]),
      job("e", [5, 40, 1]),
    ];
    // e takes the one that is free; at 45 d is before c, which has no room anyway.
    expect(
      queued(
        "easy-sjbf",
        "1x4",
        jobs.sort((x, y) => x.submitS - y.submitS),
      ).times,
    ).toMatchObject({
      ...{ e: [5, 45], d: [45, 65], b: [100, 150] },
    });
  });
  test("easy-predict: users' last two jobs say who is short", () => {
    const of = (user: string) => ({ user });
    const jobs = [
      ...[job("p", [0, 10, 1, 500], of("long")), job("q", [0, 2, 1, 500], of("short")), job("a", [20, 100, 3, 1000])],
      ...[job("b", [21, 10, 4, 500]), job("l", [22, 5, 1, 900], of("long")), job("s", [22, 5, 1, 900], of("short"))],
    ];
    // One GPU is free for l and s, and both limits end before the promise at 1020: l came first, s is likely shorter.
    const sjbf = queued("easy-sjbf", "1x4", jobs).times;
    expect([sjbf.l, sjbf.s]).toEqual([
      [22, 27],
      [27, 32],
    ]);
    const held = jobs.map((one) => (one.id === "b" ? { ...one, submitS: 20 } : one));
    const hog = job("h", [20, 3, 1, 900]);
    const again = queued("easy-predict", "1x4", [...held.slice(0, 3), hog, ...held.slice(3)]).times;
    expect([again.h, again.s, again.l]).toEqual([
      [20, 23],
      [23, 28],
      [28, 33],
    ]);
  });
  test("conservative: a promise to the second blocked one holds too", () => {
    const jobs = [job("a", [0, 100, 3]), job("b", [1, 50, 3]), job("c", [2, 60, 4]), job("d", [4, 300, 1])];
    expect(queued("easy", "1x4", jobs).times).toMatchObject({ b: [100, 150], d: [4, 304], c: [304, 364] });
    expect(queued("conservative", "1x4", jobs).times).toMatchObject({ b: [100, 150], c: [150, 210], d: [210, 510] });
  });
  test("slowdown: who has waited long for its length comes first", () => {
    const jobs = [job("a", [0, 100, 4]), job("long", [1, 1000, 4]), job("short", [2, 10, 4])];
    expect(queued("slowdown", "1x4", jobs).times).toEqual({ a: [0, 100], short: [100, 110], long: [110, 1110] });
  });
});

describe("places", () => {
  test("a job of several nodes gets whole ones, and crumbs are of no use to it", () => {
    const jobs = [job("a", [0, 50, 3]), job("b", [0, 80, 2]), job("c", [1, 10, 8]), job("d", [2, 10, 1])];
    expect(queued("easy", "3x4", jobs).times).toEqual({ a: [0, 50], b: [0, 80], c: [50, 60], d: [2, 12] });
  });
});

describe("events of one moment", () => {
  test("room that limits foretold is there for a job that comes at that moment", () => {
    const jobs = [job("a", [0, 10, 4]), job("b", [10, 5, 4])];
    expect(queued("fifo", "1x4", jobs).times).toEqual({ a: [0, 10], b: [10, 15] });
  });
});

test("statistics of a replay", () => {
  const { tasks, metered } = queued("fifo", "1x4", JOBS);
  const summary = summarize(tasks, metered);
  expect(summary.waitS).toEqual({ mean: 85, median: 105, p95: 130, max: 130 });
  expect(summary.completionS).toEqual({ mean: (100 + 140 + 180 + 320) / 4, median: 160, p95: 320, max: 320 });
  expect(summary.slowdown.mean).toBeCloseTo((1 + 2.8 + 3.6 + 1.6) / 4, 12);
  expect(summary.makespanS).toBe(350);
  // 300 + 200 + 50 + 200 GPU seconds of 1,400; one GPU lies idle from 10 to 100 while b waits.
  expect(summary.utilisation).toBeCloseTo(750 / 1400, 12);
  expect(summary.idleWhileWaiting).toBeCloseTo(90 / 1400, 12);
  expect(metered.load[0]).toBeCloseTo(0.75, 12);
});
