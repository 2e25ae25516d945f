import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { realDisk } from "../../../src/platform/disk.ts";

const root = mkdtempSync(join(tmpdir(), "mgt-disk-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("an open file knows whether its path still leads to it", async () => {
  const path = join(root, "a/file");
  mkdirSync(dirname(path));
  const file = await realDisk().openAppend(path);
  expect(await file.isInPlace()).toBe(true);
  renameSync(path, `${path}.1`);
  expect(await file.isInPlace(), "moved away").toBe(false);
  writeFileSync(path, "");
  expect(await file.isInPlace(), "replaced").toBe(false);
  renameSync(`${path}.1`, path);
  expect(await file.isInPlace(), "put back").toBe(true);
  rmSync(dirname(path), { recursive: true });
  expect(await file.isInPlace(), "removed").toBe(false);
  await file.close();
});
