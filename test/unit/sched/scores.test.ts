/** Which node a score prefers. */

import { describe, expect, test } from "vitest";
import type { Node } from "../../../src/core/node.ts";
import { candidatesOf } from "../../../src/core/node-set.ts";
import { SCORE_NAMES, type ScoreName } from "../../../src/core/placement.ts";
import type { GpuRequest, ResourceRequest } from "../../../src/core/resources.ts";
import { createPlacer } from "../../../src/sched/place/place.ts";
import { scoringOf } from "../../../src/sched/place/scores/scores.ts";
import { take } from "../../../src/sched/place/together.ts";
import { type Typical, typicalAmong } from "../../../src/sched/place/workload.ts";
import { request } from "../support/samples.ts";
import { node } from "./samples.ts";

const gpus = (thousandths: number, type: string | null = null, per: GpuRequest["per"] = "job") => ({
  gpus: { per, wishes: [{ type, thousandths }] },
});

/** Nodes and first GPUs that jobs get one after the other: `n1:0`. */
function placed(
  score: ScoreName,
  nodes: readonly Node[],
  wishes: readonly Partial<ResourceRequest>[],
  typical: Typical = [],
  seed = 1,
): string[] {
  const candidates = candidatesOf(nodes);
  const place = createPlacer(candidates, scoringOf(score, { typical: () => typical, seed }));
  return wishes.map((wish) => {
    const allocation = place(request(wish));
    if (allocation) take(candidates, allocation);
    return allocation?.map((share) => [share.node, ...share.gpus.map(({ index }) => index)].join(":")).join() ?? "none";
  });
}

function used(name: string, count: number | string, cpus: number, ...thousandths: number[]): Node {
  const taken = Object.fromEntries(thousandths.flatMap((held, index) => (held > 0 ? [[index, held]] : [])));
  return node(name, count, 8, { usage: { cpus, memoryMiB: 0, gpus: taken } });
}

const HALF = gpus(500);

describe("pack and spread", () => {
  const nodes = [node("n1", 4), used("n2", 4, 1, 1000), node("n3", 2)];
  test("take the fullest and the emptiest node", () => {
    expect(placed("pack", nodes, [gpus(1000), gpus(1000), gpus(1000)])).toEqual(["n3:0", "n3:1", "n2:1"]);
    expect(placed("spread", nodes, [gpus(1000), gpus(1000), gpus(1000)])).toEqual(["n1:0", "n1:1", "n2:1"]);
  });
  test("weights come first", () => {
    const heavy = { ...node("n3", 2), settings: { weight: 5 } };
    expect(placed("pack", [node("n1", 4), heavy], [gpus(1000)])).toEqual(["n1:0"]);
    expect(placed("spread", [{ ...node("n1", 4), settings: { weight: 9 } }, heavy], [gpus(1000)])).toEqual(["n3:0"]);
  });
});

test("best-fit weighs CPUs and GPUs by the largest node, in whole per cent; of equals the first is taken", () => {
  const fewCpus = node("n1", 4, 8);
  const fewGpus = node("n2", 2, 64);
  const large = node("n3", 8, 128);
  expect(placed("best-fit", [fewCpus, fewGpus, large], [gpus(1000), gpus(2000)])).toEqual(["n1:0", "n1:1:2"]);
  expect(placed("pack", [fewCpus, fewGpus, large], [gpus(1000)])).toEqual(["n2:0"]);
  // A CPU of 128 is less than a per cent of the whole.
  const alike = [used("a", 0, 0), used("b", 0, 1), node("c", 0, 512)];
  expect(placed("best-fit", alike, [{ tasks: 1 }])).toEqual(["a"]);
  expect(placed("pack", alike, [{ tasks: 1 }])).toEqual(["b"]);
});

describe("fgd", () => {
  test("packs while nobody knows what is typical", () => {
    const nodes = [node("n1", 4), used("n2", 2, 1)];
    expect(placed("fgd", nodes, [HALF])).toEqual(["n2:0"]);
  });
  test("where jobs take whole GPUs a part goes to one that is shared already, on whatever node", () => {
    const typical = typicalAmong([request(gpus(1000)), request(gpus(1000)), request(HALF)]);
    const nodes = [node("n1", 2), used("n2", 4, 1, 500)];
    expect(placed("pack", nodes, [HALF])).toEqual(["n1:0"]);
    expect(placed("fgd", nodes, [HALF])).toEqual(["n1:0"]);
    expect(placed("fgd", nodes, [HALF], typical)).toEqual(["n2:0"]);
  });
  test("whole nodes are kept where jobs take whole nodes", () => {
    const typical = typicalAmong([request(gpus(4000)), request(gpus(1000))]);
    const nodes = [node("n1", 4), used("n2", 8, 1, 1000, 1000, 1000, 1000, 1000)];
    expect(placed("fgd", nodes, [gpus(1000)], typical)).toEqual(["n2:5"]);
  });
  test("a job without GPUs leaves the CPUs that typical jobs need with their GPUs", () => {
    const typical = typicalAmong([request({ ...gpus(1000), cpusPerTask: 4 })]);
    const nodes = [used("n1", 1, 2), used("n2", 1, 0, 1000)];
    expect(placed("fgd", nodes, [{ tasks: 1, cpusPerTask: 3 }], typical)).toEqual(["n2"]);
  });
});

describe("thrifty", () => {
  const named = [request(gpus(1000, "b200")), request(gpus(1000)), request(gpus(1000))];
  const nodes = [node("n1", "bb"), node("n2", "aa"), node("n3", "aa")];
  test("leaves a type that others ask for by name to those", () => {
    const typical = typicalAmong(named);
    expect(placed("thrifty", nodes, [gpus(1000), gpus(1000), gpus(1000, "b200")], typical)).toEqual([
      "n2:0",
      "n2:1",
      "n1:0",
    ]);
  });
  test("uses it where nothing else is free", () => {
    const typical = typicalAmong(named);
    expect(placed("thrifty", [node("n1", "bb")], [gpus(1000)], typical)).toEqual(["n1:0"]);
  });
});

describe("random", () => {
  const nodes = Array.from({ length: 8 }, (_, at) => node(`n${at}`, 4));
  const jobs = Array.from({ length: 12 }, () => gpus(1000));
  test("the same seed draws the same nodes, and all of them in time", () => {
    const first = placed("random", nodes, jobs, [], 7);
    expect(placed("random", nodes, jobs, [], 7)).toEqual(first);
    expect(placed("random", nodes, jobs, [], 8)).not.toEqual(first);
    expect(new Set(first.map((text) => text.split(":")[0])).size).toBeGreaterThan(4);
  });
});

test.each(SCORE_NAMES)("%s finds room for all that there is room for, and grants no GPU twice", (score) => {
  const typical = typicalAmong([request(HALF), request(gpus(2000))]);
  const nodes = [node("n1", 2), node("n2", 2)];
  const jobs = [gpus(2000), HALF, HALF, gpus(1000)];
  const shares = placed(score, nodes, [...jobs, HALF], typical);
  expect(shares.slice(0, -1)).not.toContain("none");
  expect(shares.at(-1)).toBe("none");
});
