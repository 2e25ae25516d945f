/** mgpu-sacct, mgpu-sstat and mgpu seff on jobs that really ran: what they used, and what is left of them later. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

// So that jobs leave the queue's memory, and come from the accounting files.
const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_MEMORY: "16000", MGPU_MIN_JOB_AGE: "2" } });
beforeAll(() => cluster.ok("mgpu-sinfo", []));
afterAll(() => cluster.stop());

const SPIN = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

const sacct = async (...args: string[]): Promise<string[]> =>
  (await cluster.ok("mgpu-sacct", ["-n", "-P", ...args])).trimEnd().split("\n");

/** The queue may have forgotten it by then; accounting has not. */
function untilOver(job: number): Promise<void> {
  const state = async (): Promise<string> => (await sacct("-X", "-j", String(job), "-o", "state"))[0] ?? "";
  return cluster.until(async () => /^(FAILED|CANCELLED)/.test(await state()), `job ${job} is over`);
}

test("a job's steps keep what they used, also once the job has left the queue", async () => {
  const job = await cluster.submit(`#!/bin/sh\nmgpu-srun true\n${SPIN}\nexit 3\n`, ["-J", "spin"]);
  await untilOver(job);
  const rows = ["-j", String(job), "-o", "jobid,state,exitcode,ntasks"];
  const steps = [`${job}.batch|FAILED|3:0|1`, `${job}.extern|COMPLETED|0:0|1`, `${job}.0|COMPLETED|0:0|1`];
  const shown = [`${job}|FAILED|3:0|`, ...steps];
  expect(await sacct(...rows)).toEqual(shown);
  await cluster.until(
    async () => !(await cluster.queue("%i", "-t", "all")).includes(String(job)),
    "it leaves the queue",
  );
  expect(await sacct(...rows)).toEqual(shown);
  const [total = ""] = await sacct("-j", `${job}.batch`, "-o", "totalcpu");
  expect(total).toMatch(/^00:0\d\.\d{3}$/);
  expect(total).not.toBe("00:00.000");
  expect(await cluster.ok("mgpu", ["seff", String(job)])).toContain("State: FAILED (exit code 3)\n");
});

test("a running step tells what it uses, and a start that was given up stays on record", async () => {
  const job = await cluster.submit("#!/bin/sh\nsleep 1000\n", ["-J", "again", "--requeue"]);
  await cluster.untilState(job, "RUNNING");
  const memory = async (): Promise<string> =>
    (await cluster.run("mgpu-sstat", ["-n", "-P", "-j", `${job}.batch`, "-o", "maxrss"])).stdout.trim();
  await cluster.until(async () => /^[1-9]\d*K$/.test(await memory()), "sstat shows memory");
  await cluster.ok("mgpu-scontrol", ["requeue", String(job)]);
  const states = async (...args: string[]): Promise<string[]> => sacct("-X", "-j", String(job), "-o", "state", ...args);
  expect(["PENDING", "RUNNING"]).toContain((await states())[0]);
  expect((await states("-D"))[0]).toBe("REQUEUED");
  await cluster.ok("mgpu-scancel", [String(job)]);
  await untilOver(job);
  expect((await states())[0]).toMatch(/^CANCELLED by \d+$/);
});
