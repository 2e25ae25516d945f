/** mgpu alloc: its command line. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu-alloc.ts";
import { clusterPeer } from "../../golden/cluster.ts";
import { runOn } from "../../golden/run.ts";

test.each([
  [["list", "--gpus=3"], "--gpus does not belong to list"],
  [["pause", "slurm1", "--json"], "--json does not belong to pause"],
  [["remove", "slurm1", "--dry-run"], "--dry-run does not belong to remove"],
])("%j: an option that says nothing to the verb is refused", async (argv, why) => {
  const { code, err } = await runOn(command, argv, { controller: clusterPeer() });
  expect([code, err]).toEqual([2, expect.stringContaining(why)]);
});
