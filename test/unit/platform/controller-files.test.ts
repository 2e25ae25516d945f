/** Files of others that the controller looks at: one that hangs costs one thread, and a pipe is never opened. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onceAtATime, realFeedFiles } from "../../../src/platform/feed-files.ts";
import { createBound } from "../../../src/platform/file-window.ts";
import { realProgramFiles } from "../../../src/platform/program-files.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-files-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

test("a file is looked at and resolved; what is not there has no program", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "text");
  symlinkSync(path, join(folder, "link"));
  const bound = createBound({});
  expect(await realFeedFiles(bound).look(path)).toMatchObject({ size: 4 });
  await expect(realFeedFiles(bound).look(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  const programs = realProgramFiles(bound);
  expect(await programs.resolve(join(folder, "link"))).toBe(path);
  expect(new TextDecoder().decode((await programs.read(path)) ?? undefined)).toBe("text");
  expect([await programs.resolve(join(folder, "none")), await programs.read(join(folder, "none"))]).toEqual([
    null,
    null,
  ]);
});

test("a pipe, a folder and a device are no scripts", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const { read } = realProgramFiles(createBound({}));
  expect([await read(pipe), await read(folder), await read("/dev/zero")]).toEqual([null, null, null]);
});

test("while a look at a path hangs there is no second one, and other paths are looked at", async () => {
  const wake = new Map<string, () => void>();
  const looks: string[] = [];
  const look = onceAtATime(createBound({ deadlineMs: 5 }), (path) => {
    looks.push(path);
    if (path === "quick") return Promise.resolve(path);
    return new Promise<string>((resolve) => wake.set(path, () => resolve(path)));
  });
  for (let at = 0; at < 3; at++) await expect(look("hangs")).rejects.toThrow("has not answered");
  expect(await look("quick")).toBe("quick");
  expect(await look("quick")).toBe("quick");
  expect(looks).toEqual(["hangs", "quick", "quick"]);
  wake.get("hangs")?.();
  await new Promise((resolve) => setImmediate(resolve));
  await expect(look("hangs")).rejects.toThrow("has not answered");
  expect(looks).toHaveLength(4);
});

test("a look that was refused before it began is no hanging one", async () => {
  const looks: string[] = [];
  const look = onceAtATime(createBound({ deadlineMs: 5 }), (path) => {
    looks.push(path);
    return new Promise<string>(() => {});
  });
  const found = await Promise.allSettled(["a", "b", "c"].map(look));
  expect(found.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  await expect(look("c")).rejects.toThrow("do not answer");
  expect(looks).toEqual(["a", "b"]);
});
