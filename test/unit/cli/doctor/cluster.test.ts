/** What mgpu doctor says of the nodes, and of what differs between them. */

import { describe, expect, test } from "vitest";
import { clusterFindings, compare } from "../../../../src/cli/doctor/cluster.ts";
import type { NodeExamination } from "../../../../src/protocol/doctor-procedures.ts";
import type { Result } from "../../../../src/protocol/procedures.ts";
import { NODE_ROWS } from "../../../golden/cluster.ts";
import { factsOf, folderOf, nodeOf } from "./facts.ts";

function examined(nodes: NodeExamination[], changes: Partial<Result<"cluster.examine">> = {}) {
  const usual = { now: 5000, listen: "0.0.0.0:7411", target: "10.0.0.1:7411", addresses: ["10.0.0.1"], rings: [] };
  return { ...usual, nodes, ...changes };
}

function troubles(answer: ReturnType<typeof examined>, now = 5000): string[] {
  return clusterFindings(answer, [], now)
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ what, verdict, text }) => `${what} ${verdict}: ${text}`);
}

const python = (changes: Partial<ReturnType<typeof factsOf>["python"]>) =>
  factsOf({ python: { ...factsOf().python, ...changes } });

test("equal nodes in good health are summed up in one line", () => {
  const rings = [{ to: "controller", code: "", ms: 1 }];
  const found = clusterFindings(examined([nodeOf("n1", { rings }), nodeOf("n2", { rings })]), [], 5000);
  expect(found.map(({ what, verdict, text }) => [what, verdict, text])).toEqual([
    ["listening", "ok", "at 0.0.0.0:7411; others find it at 10.0.0.1:7411; no node has registered yet"],
    ["clock", "ok", "the controller's clock agrees"],
    ["all", "ok", "2 nodes looked at, 2 ways between machines tried"],
  ]);
});

describe("what differs", () => {
  test("another python, no torch, another version: the odd one is named", () => {
    const nodes = [
      nodeOf("n1"),
      nodeOf("n2", { facts: python({ version: "3.9.1" }) }),
      nodeOf("n3", { facts: python({ torch: "" }) }),
      nodeOf("n4", { version: "0.0.9" }),
    ];
    expect(troubles(examined(nodes))).toEqual([
      "mgpu warn: n4 has 0.0.9; n1, n2, n3 0.1.0",
      "python warn: n2 has 3.9.1; n1, n3, n4 3.11.2",
      "torch fail: n3 has none; n1, n2, n4 2.5.1",
    ]);
    expect(compare(examined(nodes))?.rows.map((row) => row.slice(0, 5))).toEqual(
      [
        ["n1", "0.1.0", "3.11.2", "2.5.1", "550.54"],
        ["n2", "0.1.0", "3.9.1", "2.5.1", "550.54"],
        ["n3", "0.1.0", "3.11.2", "-", "550.54"],
        ["n4", "0.0.9", "3.11.2", "2.5.1", "550.54"],
      ].map((row) => row.map((cell, index) => (index === 3 && cell === "-" ? "none" : cell))),
    );
  });

  test("no torch anywhere is no difference", () => {
    const facts = python({ torch: "" });
    expect(troubles(examined([nodeOf("n1", { facts }), nodeOf("n2", { facts })]))).toEqual([]);
  });

  test("a working folder that is not the same one everywhere", () => {
    const other = factsOf({ folders: [folderOf("working folder", { inode: 8 })] });
    const [trouble] = troubles(examined([nodeOf("n1"), nodeOf("n2", { facts: other })]));
    expect(trouble).toMatch(/^working folder warn: \/data\/working-folder is a folder of its own on each node/);
  });
});

test("clocks: the controller's against ours, each node's against the controller's", () => {
  expect(troubles(examined([nodeOf("n1", { offsetMs: -3_600_000 })], { now: 5000 + 90_000 }))).toEqual([
    "clock warn: the controller's clock is 90.0 s ahead",
    "n1 warn: its clock is 3600.0 s behind",
  ]);
});

test("ways between machines that do not work", () => {
  const rings = [
    { to: "controller", code: "ETIMEDOUT", ms: 5000 },
    { to: "n2", code: "EHOSTUNREACH", ms: 1 },
  ];
  const answer = examined([nodeOf("n1", { rings })], { rings: [{ to: "n1", code: "ETIMEDOUT", ms: 5000 }] });
  expect(troubles(answer)).toEqual([
    "the controller warn: n1 can't be reached from there: no answer (timed out)",
    "n1 fail: a new connection to the controller fails: no answer (timed out)",
    "n1 warn: n2 can't be reached from there: there is no route to it",
  ]);
});

describe("where the controller listens", () => {
  test.each([
    [{ target: null }, "listening fail: at 0.0.0.0:7411: that failed"],
    [{ listen: "127.0.0.1:7411" }, "listening warn: at 127.0.0.1:7411, which only programs of that machine reach"],
    [
      { listen: "10.0.0.9:7411" },
      "listening fail: at 10.0.0.9:7411, an address that the machine does not have any more (it has 10.0.0.1)",
    ],
  ])("%j", (changes, trouble) => {
    expect(troubles(examined([], changes))).toEqual([trouble]);
  });

  test("nowhere is as it should be on one machine", () => {
    expect(troubles(examined([], { listen: null, target: null }))).toEqual([]);
  });
});

test("nodes that are away or could not answer", () => {
  const [row] = NODE_ROWS;
  if (!row) throw new Error("no row");
  const rows = [{ ...row, name: "n1", connected: false, state: "DOWN", reason: "Not responding" }];
  const found = clusterFindings(examined([nodeOf("n2", { facts: null, problem: "too old" })]), rows, 5000);
  expect(found.filter(({ verdict }) => verdict === "fail").map(({ what, text }) => `${what}: ${text}`)).toEqual([
    "n1: not connected (Not responding)",
    "n2: too old",
  ]);
});
