/** Partitions as the configuration names them, and what becomes of those that left it. */

import { describe, expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { step } from "../../../src/core/kernel.ts";
import { formatPartitions, parsePartitions, partitionDiff } from "../../../src/core/partition-config.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { inventory, submit, T0 } from "../support/samples.ts";

function entries(text: string) {
  const parsed = parsePartitions(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

test("a text gives partitions, and partitions their text", () => {
  const text = "gpu nodes=n[1-2] max_time=60 default=yes; cpu def_mem_per_cpu=2G";
  expect(entries(text).map(({ changes }) => changes)).toEqual([
    { nodes: ["n1", "n2"], maxTimeS: 3600, isDefault: true },
    { defaultMemory: { per: "cpu", mib: 2048 } },
  ]);
  expect(formatPartitions(entries(text))).toBe(text);
  expect(entries(" ; ")).toEqual([]);
});

test.each([
  ["gpu nodes", 'gpu: expected key=value, got "nodes"'],
  ["gpu color=red", "gpu: color: there is no such key; known are nodes, default"],
  ["gpu max_time=soon", "gpu: max_time: "],
  ["a/b", '"a/b" is no name of a partition'],
  ["gpu; gpu", "gpu is named twice"],
  ["gpu min_nodes=3 max_nodes=2", "gpu: min_nodes 3 is above max_nodes 2"],
  ["gpu default_time=3 max_time=2", "gpu: default_time is above max_time"],
])("%s is refused", (text, problem) => {
  expect(parsePartitions(text)).toMatchObject({ problem: expect.stringContaining(problem) });
});

test("each difference is a line", () => {
  const [before, now] = ["a nodes=n1; b max_time=60; c", "a nodes=n1,n2; c; d nodes=n3"].map(entries);
  expect(partitionDiff(before ?? [], now ?? [])).toEqual([
    "partitions.a: nodes=n1 -> nodes=n1,n2",
    "partitions.b: removed",
    "partitions.d: added (nodes=n3)",
  ]);
});

describe("a cluster that is told of them", () => {
  function cluster() {
    let state = emptyState();
    let now = T0;
    const run = (command: Command) => {
      now += 10;
      const outcome = step(state, command, now);
      expect(checkInvariants(state)).toEqual([]);
      state = fromStored(toStored(state));
      return outcome;
    };
    const configure = (text: string) => run({ type: "partitions.configure", entries: entries(text) });
    const names = () =>
      [...state.partitions.values()].map((one) => `${one.name}${one.isDefault ? "*" : ""} ${one.state}`);
    run({ type: "node.register", node: "n1", inventory: inventory() });
    return { run, configure, names, partition: (name: string) => state.partitions.get(name) };
  }

  test("has those instead of main, the first as the default; nothing named brings main back", () => {
    const { configure, names } = cluster();
    expect(configure("").decision.kind).toBe("ignore");
    configure("gpu nodes=n1,n9; cpu");
    expect(names()).toEqual(["gpu* UP", "cpu UP"]);
    expect(configure("gpu nodes=n1,n9; cpu").decision.kind).toBe("ignore");
    configure("gpu nodes=n1; cpu default=yes state=down");
    expect(names()).toEqual(["gpu UP", "cpu* DOWN"]);
    configure("");
    expect(names()).toEqual(["main* UP"]);
  });

  test("keeps what scontrol made, and main where somebody changed it", () => {
    const { run, configure, names } = cluster();
    run({ type: "partition.create", name: "own", changes: {} });
    run({ type: "partition.update", name: "main", changes: { maxTimeS: 60 } });
    configure("gpu");
    expect(names()).toEqual(["main UP", "own UP", "gpu* UP"]);
    configure("");
    expect(names()).toEqual(["main UP", "own UP"]);
  });

  test("lets one go only with its last job, which still starts; named again, it stays", () => {
    const { run, configure, partition, names } = cluster();
    configure("gpu; cpu");
    run(submit("r1", { partition: "cpu" }));
    configure("gpu");
    expect(partition("cpu")).toMatchObject({ state: "DRAIN", isLeaving: true });
    expect(run(submit("r2", { partition: "cpu" })).decision).toMatchObject({ kind: "deny" });
    configure("gpu; cpu");
    expect(names()).toEqual(["gpu* UP", "cpu UP"]);
    expect(partition("cpu")).not.toHaveProperty("isLeaving");
    configure("gpu");
    expect(run({ type: "partition.delete", name: "cpu" }).decision).toMatchObject({ kind: "deny" });
    run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" });
    run({ type: "partition.delete", name: "cpu" });
    expect(names()).toEqual(["gpu* UP"]);
  });
});
