/** Accounts, limits and fair share: from sacctmgr to jobs that wait with Slurm's reason. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster();
beforeAll(async () => {
  await cluster.startNodes([{ name: "n1", cpus: 4, gpus: 2 }]);
});
afterAll(() => cluster.stop());

async function out(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.run(program, args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

test("an account's limit keeps a job waiting; the usage shows in shares and reports", async () => {
  const user = (await cluster.run("whoami", [])).stdout.trim();
  expect(await out("mgpu-sacctmgr", "-n", "list", "account")).toBe("");
  await out("mgpu-sacctmgr", "-i", "add", "account", "vision");
  await out("mgpu-sacctmgr", "-i", "add", "user", user, "account=vision", "MaxJobs=1");
  expect(await out("mgpu-sacctmgr", "-nPs", "list", "user", user, "format=account")).toBe("vision\n");

  const refused = await cluster.run("mgpu-sbatch", ["-A", "nope", "--wrap", "true"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Invalid account or account/partition combination specified");

  const first = await cluster.submit("#!/bin/bash\nsleep 60");
  const second = await cluster.submit("#!/bin/bash\ntrue");
  await cluster.until(async () => (await cluster.state(first)) === "RUNNING", "the first runs");
  const reason = async (): Promise<string> =>
    (await out("mgpu-squeue", "-h", "-j", String(second), "-o", "%r %a")).trim();
  await cluster.until(async () => (await reason()) === "AssocMaxJobsLimit vision", "the second waits for the limit");
  expect(await out("mgpu-sprio", "-h", "-o", "%i %u")).toBe(`${second} ${user}\n`);
  expect(await out("mgpu-sshare", "-nPU", "-o", "account,user,rawshares")).toBe(`vision|${user}|1\n`);

  await out("mgpu-scancel", String(first));
  await cluster.until(async () => (await cluster.state(second)) === "COMPLETED", "the second ran");
  const report = await out("mgpu-sreport", "-nP", "-t", "seconds", "user", "top", "start=today", "end=tomorrow");
  expect(report).toContain(`|${user}|${user}|vision|`);
  expect(await out("mgpu-sdiag")).toMatch(
    /Jobs submitted: 2\nJobs started: {3}2\nJobs completed: 1\nJobs canceled: {2}1\n/,
  );
});
