import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { openFilesForJobs, openFilesVariable, parseOpenFiles } from "../../../src/platform/open-files.ts";

const before = process.env.MGPU_NOFILE;
afterEach(() => {
  if (before === undefined) delete process.env.MGPU_NOFILE;
  else process.env.MGPU_NOFILE = before;
});

const own = parseOpenFiles(readFileSync("/proc/self/limits", "latin1")) ?? 0;

test("the kernel's table", () => {
  const lines = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             514288               514288               processes ",
    "Max open files            1024                 524288               files     ",
  ];
  expect(parseOpenFiles(lines.join("\n"))).toBe(1024);
  expect(parseOpenFiles("")).toBeUndefined();
  expect(own).toBeGreaterThan(0);
});

test("who was told hands it on; others say what their parent has", () => {
  process.env.MGPU_NOFILE = "256";
  expect(openFilesVariable()).toEqual({ MGPU_NOFILE: "256" });
  for (const nonsense of ["", "many", "-1", "1e9"]) {
    process.env.MGPU_NOFILE = nonsense;
    const parent = parseOpenFiles(readFileSync(`/proc/${process.ppid}/limits`, "latin1"));
    expect(openFilesVariable()).toEqual({ MGPU_NOFILE: String(parent) });
  }
});

test("jobs get it if it is less than what we have", () => {
  delete process.env.MGPU_NOFILE;
  expect(openFilesForJobs()).toBeNull();
  process.env.MGPU_NOFILE = "256";
  expect(openFilesForJobs()).toBe(256);
  process.env.MGPU_NOFILE = String(own);
  expect(openFilesForJobs()).toBeNull();
});
