/**
 * Jobs that bring no limits of their own get the limit of open files that mgpu was started with: Node raises its own,
 * and its children inherit that.
 */

import { afterAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const SHOW = "ulimit -S -n; ulimit -H -n";
const LIMITS = /^300\n(?!300\n)\d+\n$/;

const clusters: TestCluster[] = [];
afterAll(async () => {
  for (const cluster of clusters) await cluster.stop();
});

function makeCluster(): TestCluster {
  const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
  clusters.push(cluster);
  return cluster;
}

/** What a shell runs with a limit of its own. The last word keeps it from becoming the command itself. */
const limited = (line: string): string[] => ["-c", `ulimit -S -n 300; ${line}; exit $?`];

async function check(cluster: TestCluster): Promise<void> {
  expect(await cluster.ok("mgpu-srun", ["--propagate=NONE", "sh", "-c", SHOW])).toMatch(LIMITS);
  const id = await cluster.submit(`#!/bin/sh\n${SHOW}\n`, ["--propagate=NONE", "-o", "limits.txt"]);
  await cluster.untilState(id, "COMPLETED");
  expect(cluster.read("limits.txt")).toMatch(LIMITS);
}

describe("the limit of", () => {
  test("the shell whose command started mgpu", async () => {
    const cluster = makeCluster();
    expect(await cluster.ok("bash", limited(`mgpu-srun sh -c '${SHOW}'`))).toMatch(LIMITS);
    await check(cluster);
  });

  test("daemons that were started as such, also after the shell is gone", async () => {
    const cluster = makeCluster();
    cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
    cluster.start("bash", ["-c", "ulimit -S -n 300; exec mgpud"]);
    await cluster.until(async () => (await cluster.run("mgpu-sinfo", ["-h", "-o", "%N"])).stdout.includes("n1"), "n1");
    await check(cluster);
  });
});
