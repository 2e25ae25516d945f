import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findLockHolder, takeLock } from "../../../src/platform/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "mgt-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("one takes it, the next does not, and anybody can ask who has it", async () => {
  expect(await findLockHolder(folder, "x")).toBeNull();
  const lock = await takeLock(folder, "x");
  expect(await takeLock(folder, "x")).toBeNull();
  expect(await findLockHolder(folder, "x")).toEqual({ pid: process.pid });
  expect(await findLockHolder(folder, "y")).toBeNull();
  lock?.release();
  expect(await findLockHolder(folder, "x")).toBeNull();
  expect(await findLockHolder(`${folder}/none`, "x")).toBeNull();
});
