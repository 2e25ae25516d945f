/** The small pure helpers of view, each by examples. */

import { describe, expect, test } from "vitest";
import { parseSignal } from "../../../src/core/signals.ts";
import { nearest } from "../../../src/util/nearest.ts";
import { formatGres, formatMemory } from "../../../src/view/amounts.ts";
import { countText, daemonTable, nodeText } from "../../../src/view/cluster-text.ts";
import { formatDateLine } from "../../../src/view/date-line.ts";
import { parseJobStates, stateCode } from "../../../src/view/job-states.ts";
import { expectedEndMs, leftS, usedS } from "../../../src/view/job-times.ts";
import { parseNodeStates } from "../../../src/view/node-states.ts";
import { comparator, parseSort } from "../../../src/view/sort.ts";
import { textTable } from "../../../src/view/text-table.ts";
import { NODE_ROWS, NOW } from "../../golden/cluster.ts";

test.each([
  [0, "0"],
  [100, "100M"],
  [1024, "1G"],
  [1500, "1500M"],
  [4096, "4G"],
  [1024 * 1024, "1T"],
  [1024 ** 4, "1024P"],
])("%i MiB are %s", (memoryMiB, text) => {
  expect(formatMemory(memoryMiB)).toBe(text);
});

test("GPUs are told for each node", () => {
  expect(formatGres({ gpus: 0, gpuType: "a100", nodes: 1 })).toBe("");
  expect(formatGres({ gpus: 2000, gpuType: null, nodes: 1 })).toBe("gres/gpu:2");
  expect(formatGres({ gpus: 4000, gpuType: "a100", nodes: 2 })).toBe("gres/gpu:a100:2");
  expect(formatGres({ gpus: 500, gpuType: null, nodes: 0 })).toBe("gres/gpu:0.5");
});

describe("the date line", () => {
  test.each([
    [Date.UTC(2026, 10, 21, 23, 40, 48), 0, "Sat Nov 21 23:40:48 2026"],
    [Date.UTC(1970, 0, 1), 0, "Thu Jan  1 00:00:00 1970"],
    [Date.UTC(2024, 1, 29, 12, 0, 1), 0, "Thu Feb 29 12:00:01 2024"],
    [Date.UTC(2026, 11, 31, 23, 0, 0), 120, "Fri Jan  1 01:00:00 2027"],
    [Date.UTC(2026, 0, 1, 3, 0, 0), -480, "Wed Dec 31 19:00:00 2025"],
  ])("%i", (atMs, offset, text) => {
    expect(formatDateLine(atMs, () => offset)).toBe(text);
  });
});

describe("job times", () => {
  const never = { suspendedAt: null, suspendedMs: 0 };
  const waiting = { ...never, startAt: null, endAt: null, limitS: 60 };
  const running = { ...never, startAt: 10_000, endAt: null, limitS: 60 };
  const over = { ...never, startAt: 10_000, endAt: 25_900, limitS: 0 };
  test("used, left and end", () => {
    expect([usedS(waiting, 99_000), leftS(waiting, 99_000), expectedEndMs(waiting)]).toEqual([0, 60, null]);
    expect([usedS(running, 30_500), leftS(running, 30_500), expectedEndMs(running)]).toEqual([20, 40, 70_000]);
    expect([usedS(over, 99_000), leftS(over, 99_000), expectedEndMs(over)]).toEqual([15, Infinity, 25_900]);
  });
  test("the time of suspensions counts for nothing", () => {
    const resumed = { ...running, suspendedMs: 5000 };
    expect([usedS(resumed, 30_500), leftS(resumed, 30_500), expectedEndMs(resumed)]).toEqual([15, 45, 75_000]);
    expect(usedS({ ...resumed, suspendedAt: 20_000 }, 99_000)).toBe(5);
  });
  test("neither a late clock nor an overrun gives nonsense", () => {
    expect(usedS(running, 9000)).toBe(0);
    expect(leftS(running, 200_000)).toBe(0);
    expect(expectedEndMs({ ...running, limitS: 0 })).toBe(Infinity);
  });
});

describe("job states", () => {
  test("short and long names in any case", () => {
    expect(parseJobStates(["pd", "Running", "OOM", "cg"]).states).toEqual([
      "PENDING",
      "RUNNING",
      "OUT_OF_MEMORY",
      "COMPLETING",
    ]);
  });
  test("all means no restriction", () => {
    expect(parseJobStates(["all"])).toEqual({ states: [], problems: [] });
    expect(parseJobStates(["PD", "ALL"])).toEqual({ states: [], problems: [] });
  });
  test("states that mgpu never has are known all the same", () => {
    const { states, problems } = parseJobStates("PD,CF,RF,RH,RQ,SE,R,S,CG,RS,SI,SO,ST".split(","));
    expect(problems).toEqual([]);
    expect(states).toHaveLength(13);
  });
  test("every wrong name is told, then the right ones", () => {
    const { states, problems } = parseJobStates(["xyz", "PD", "R2"]);
    expect(states).toEqual([]);
    expect(problems.slice(0, 2)).toEqual(["Invalid job state specified: xyz", "Invalid job state specified: R2"]);
    expect(problems[2]).toMatch(/^Valid job states include: PENDING,RUNNING,SUSPENDED,COMPLETED,.*,STAGE_OUT,STOPPED$/);
  });
  test("an empty name is no state, and a strange one its own code", () => {
    expect(parseJobStates([""]).states).toEqual([""]);
    expect(stateCode("NODE_FAIL")).toBe("NF");
    expect(stateCode("NEW_STATE")).toBe("NEW_STATE");
  });
});

describe("node states", () => {
  const matching = (...alternatives: string[]): string[] => {
    const parsed = parseNodeStates(alternatives);
    return "wrong" in parsed ? [parsed.wrong] : NODE_ROWS.filter(parsed.matches).map((node) => node.name);
  };
  test.each([
    [["idle"], ["n4", "n5", "n6"]],
    [["drain"], ["n6", "n7"]],
    [
      ["DRAINED", "drng"],
      ["n6", "n7"],
    ],
    [["mix"], ["n1", "n2", "n7"]],
    [["alloc"], ["n1", "n2", "n3", "n7"]],
    [["idle&no_respond"], ["n5"]],
    [["down", "comp"], ["n10"]],
    [["maint"], []],
    [["all"], NODE_ROWS.map((node) => node.name)],
    [["idle", "foo"], ["foo"]],
  ])("%j", (alternatives, names) => {
    expect(matching(...alternatives)).toEqual(names);
  });
});

describe("signals", () => {
  test.each([
    ["USR1", 10],
    ["sigterm", 15],
    ["SIGKILL", 9],
    ["10", 10],
    ["64", 64],
    ["0", undefined],
    ["65", undefined],
    ["FOO", undefined],
    ["", undefined],
    ["-9", undefined],
    ["constructor", undefined],
  ])("%j is %s", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });
});

describe("sorting", () => {
  interface Row {
    readonly a: number;
    readonly b: string;
    readonly n: number;
  }
  const columns = { a: { sortKey: (row: Row) => row.a }, b: { sortKey: (row: Row) => row.b } };
  test.each([
    [
      "a,-b",
      [
        ["a", false],
        ["b", true],
      ],
      [],
    ],
    [
      "-a+b",
      [
        ["a", true],
        ["b", false],
      ],
      [],
    ],
    [
      "ab",
      [
        ["a", false],
        ["b", false],
      ],
      [],
    ],
    ["", [], []],
    [",,", [], []],
    ["a,?", [["a", false]], ["?"]],
    ["=a", [["a", false]], ["="]],
    ["a-", [["a", false]], ["-"]],
  ])("%j", (text, keys, unknown) => {
    const parsed = parseSort(text, columns);
    expect(parsed.unknown).toEqual(unknown);
    expect(parsed.keys.map(({ column, descending }) => [column === columns.a ? "a" : "b", descending])).toEqual(keys);
  });
  test("later keys break ties, and equal rows keep their order", () => {
    const rows = [
      { a: 2, b: "x", n: 1 },
      { a: 1, b: "x", n: 2 },
      { a: 2, b: "y", n: 3 },
      { a: 1, b: "x", n: 4 },
    ];
    const { keys } = parseSort("a,-b", columns);
    expect([...rows].sort(comparator(keys)).map(({ n }) => n)).toEqual([2, 4, 3, 1]);
  });
});

test.each([
  ["statsu", "status"],
  ["stat", "status"],
  ["dwon", "down"],
  ["UP", "up"],
  ["u", "up"],
  ["x", undefined],
  ["elephant", undefined],
  ["lgos", "logs"],
  ["bogus", undefined],
])("nearest to %s is %s", (typed, name) => {
  expect(nearest(typed, ["up", "down", "status", "help", "logs"])).toBe(name);
});

test("a table is as wide as its contents", () => {
  expect(textTable(["A", "LONG", "C"], [["xyz", "", "last"], ["1"]])).toBe("A    LONG  C\nxyz        last\n1\n");
});

test("nodes and daemons in words", () => {
  expect(countText(1, "GPU")).toBe("1 GPU");
  expect(NODE_ROWS.slice(0, 1).map(nodeText)).toEqual(["n1: mixed, 4 GPUs (a100), 8 CPUs, 64000 MiB of memory"]);
  const daemon = { daemon: "mgpud", node: "n1", pid: 7, version: "1", startedAt: NOW - 61_000, state: "up" };
  expect(daemonTable([daemon], NOW)).toContain("mgpud   n1    7    up     1:01    1\n");
});
