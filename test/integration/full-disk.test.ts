/** A state folder on a disk that fills up: submissions fail, nothing acknowledged is lost, the daemon stays and says so. */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

/** Only root can mount; CI is root. */
const isRoot = process.getuid?.() === 0;

const cluster = new TestCluster();
let isMounted = false;

beforeAll(() => {
  if (!isRoot) return;
  mkdirSync(cluster.home);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m,mode=700", "mgpu-test", cluster.home]);
  isMounted = true;
});
afterAll(async () => {
  await cluster.run("mgpu", ["down", "--force"]);
  if (isMounted) execFileSync("umount", ["-l", cluster.home]);
  await cluster.stop();
});

test.runIf(isRoot)("a full disk", async () => {
  const kept = [];
  for (let i = 0; i < 5; i++)
    kept.push(await cluster.submit("#!/bin/sh\nsleep 1000\n", ["-n", "8", "-o", "/dev/null"]));
  await cluster.untilState(kept[0] ?? 0, "RUNNING");
  const pid = await cluster.pidOf("mgpuctld");
  const filler = join(cluster.home, "filler");
  for (let size = 4 << 20; size > 0; size >>= 1) {
    try {
      writeFileSync(filler, Buffer.alloc(size), { flag: "a" });
    } catch {
      // As much as fits.
    }
  }
  const refused = await cluster.run("mgpu-sbatch", ["--wrap", "true"]);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toBe("");
  expect(refused.stderr).toMatch(/can't be written|no space/i);
  expect(refused.stderr).toContain("hint:");
  const srun = await cluster.run("mgpu-srun", ["true"]);
  expect(srun.code).toBe(1);
  const status = await cluster.run("mgpu", ["status", "--json"]);
  expect(JSON.parse(status.stdout).problem).toMatch(/can't be written/);
  const listed = (await cluster.ok("mgpu-squeue", ["-h", "-o", "%i"])).trim().split("\n").map(Number);
  expect(listed).toEqual(kept);
  rmSync(filler);
  const after = await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "/dev/null"]);
  expect(after).toBeGreaterThan(kept.at(-1) ?? 0);
  expect(await cluster.pidOf("mgpuctld")).toBe(pid);
  expect(JSON.parse(await cluster.ok("mgpu", ["status", "--json"])).problem).toBe("");
  await cluster.ok("mgpu-scancel", kept.map(String));
  await cluster.untilState(after, "COMPLETED");
});
