/** Replays of jobs that take turns, on traces that can be worked out by hand. */

import { describe, expect, test } from "vitest";
import { likelySoonOver } from "../../../src/replay/sharers/likely.ts";
import { srsf, srtf, wholeNodesFirst } from "../../../src/replay/sharers/shortest.ts";
import { tiresiasL } from "../../../src/replay/sharers/tiresias.ts";
import { job, shared } from "./samples.ts";

describe("known run times", () => {
  test("srtf: the shorter one stops the longer one, which goes on later where it was", () => {
    const { times, tasks } = shared(srtf(), "1x4", [job("a", [0, 100, 4]), job("b", [10, 20, 4])]);
    expect(times).toEqual({ a: [0, 120], b: [10, 30] });
    expect(tasks.map(({ preemptions }) => preemptions)).toEqual([1, 0]);
  });
  test("srsf: GPUs count as much as time", () => {
    const jobs = [job("wide", [0, 30, 4]), job("long", [0, 100, 1])];
    expect(shared(srtf(), "1x4", jobs).times).toEqual({ wide: [0, 30], long: [30, 130] });
    expect(shared(srsf(), "1x4", jobs).times).toEqual({ long: [0, 100], wide: [100, 130] });
  });
  test("who finds no room is passed over by those behind it", () => {
    const jobs = [job("a", [0, 10, 3]), job("b", [0, 20, 2]), job("c", [0, 90, 1])];
    expect(shared(srtf(), "1x4", jobs).times).toEqual({ a: [0, 10], b: [10, 30], c: [0, 90] });
  });
  test("each event costs those that run some progress", () => {
    const jobs = [job("a", [0, 100, 2], { eventCostS: 5 }), job("b", [10, 20, 2], { eventCostS: 3 })];
    // b's arrival costs a 5 s; b's end (nothing lies between) costs b none and a another 5.
    expect(shared(srtf(), "1x4", jobs).times).toEqual({ a: [0, 110], b: [10, 30] });
  });
  test("whole nodes are worth a little more", () => {
    const jobs = [job("node", [0, 105, 4]), job("part", [0, 200, 2]), job("part2", [0, 200, 2])];
    expect(shared(srsf(), "1x4", jobs).times.node).toEqual([200, 305]);
    expect(shared(wholeNodesFirst(4000), "1x4", jobs).times.node).toEqual([0, 105]);
  });
});

describe("unknown run times", () => {
  test("Tiresias-L: a job leaves the first queue after 3,250 GPU seconds, and comes after newcomers", () => {
    const jobs = [job("old", [0, 2000, 4]), job("new", [10, 100, 4])];
    // 3,250 / 4 GPUs, rounded up: at 813 s.
    expect(shared(tiresiasL(), "1x4", jobs).times).toEqual({ old: [0, 2100], new: [813, 913] });
  });
  test("likely: nobody knows how long they run, so who has run for less comes first", () => {
    const jobs = [job("old", [0, 5000, 4]), job("new", [4000, 200, 4])];
    const { times } = shared(likelySoonOver(), "1x4", jobs);
    expect(times.new).toEqual([4000, 4200]);
    expect(times.old).toEqual([0, 5200]);
  });
  test("likely: run times of a policy that must not know them are not looked at", () => {
    const endless = [job("a", [0, 1e6, 4]), job("b", [100, 1e6, 4])];
    const short = [job("a", [0, 1e6, 4]), job("b", [100, 150, 4])];
    const startOf = (jobs: typeof endless) => shared(likelySoonOver(), "1x4", jobs).times.b?.[0];
    expect(startOf(endless)).toBe(startOf(short));
  });
});
