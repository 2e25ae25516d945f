/** What is lost for good: a node daemon that nobody starts again, a state folder. What still runs is not forgotten. */

import { rmSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";

let cluster: TestCluster;
afterEach(() => cluster.stop());

/** A batch script that holds what it has for a while after it was told to end. */
const SLOW_TO_END = `#!/bin/sh
trap 'sleep 1; echo over > over; exit 1' TERM
echo $$ > pid
while :; do sleep 0.05; done
`;

const hasPid = (): boolean => cluster.has("pid") && cluster.read("pid").endsWith("\n");

describe("a state folder that is gone", () => {
  test("what ran for it ends before anything new gets its GPUs, and its number is not used again", async () => {
    cluster = new TestCluster();
    const first = await cluster.submit(SLOW_TO_END, ["--gpus", "4", "-o", "first.out"]);
    await cluster.until(hasPid, "the script runs");
    kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
    rmSync(cluster.home, { recursive: true, force: true });

    const ran = await cluster.run("mgpu-srun", ["--gpus", "4", "sh", "-c", "cat over; echo $SLURM_JOB_ID"]);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout).toMatch(/^over\n\d+\n$/);
    expect(Number(ran.stdout.split("\n")[1])).toBeGreaterThan(first);
    expect((await cluster.run("mgpu", ["status"])).code).toBe(0);
  });
});
