/** What is lost for good: a node daemon that nobody starts again, a state folder. What still runs is not forgotten. */

import { rmSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { isAlive, kill, TestCluster } from "./support/cluster.ts";

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

describe("a node daemon that nobody starts again", () => {
  test("is told of, and mgpu down --force ends its holder and its jobs", async () => {
    cluster = new TestCluster();
    const { node } = await cluster.startSeparate();
    const job = await cluster.submit(SLOW_TO_END, ["--gpus", "1"]);
    await cluster.until(hasPid, "the script runs");
    const holder = await cluster.pidOf("mgpu-stepd");
    kill(node.pid, "SIGKILL");
    await node.ended;

    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 1, "the daemon is missed");
    const status = (await cluster.run("mgpu", ["status"])).stdout;
    expect(status).toMatch(/^mgpud +n1 +- +not responding/m);
    expect(status).toMatch(new RegExp(`problem +node n1 has not answered for 0:\\d\\d: job ${job} runs on there`));

    const [row] = JSON.parse(await cluster.ok("mgpu-squeue", ["--json"])).jobs;
    expect(row.state_description).toMatch(/^node n1 has not answered for 0:\d\d$/);

    const down = await cluster.run("mgpu", ["down", "--force"]);
    expect(down.code).toBe(0);
    expect(down.stderr).not.toContain("warning");
    expect(down.stdout).toContain(`1 job cancelled: ${job}`);
    expect(isAlive(Number(cluster.read("pid")))).toBe(false);
    await cluster.until(() => !isAlive(holder), "the holder has ended");
    expect(cluster.read("over")).toBe("over\n");
  });
});
