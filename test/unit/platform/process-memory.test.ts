import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseMostKiB, parseShareKiB, realProcessMemory } from "../../../src/platform/process-memory.ts";

const STATUS = "Name:\tx\nVmRSS:\t    900 kB\nRssAnon:\t     148 kB\nRssFile:\t    702 kB\nRssShmem:\t      50 kB\n";
const ROLLUP =
  "5500-7fff ---p 0 00:00 0 [rollup]\nRss: 1692 kB\nPss: 243 kB\nPss_Anon: 116 kB\nPss_File: 7 kB\nPss_Shmem: 4 kB\n";

describe("what /proc tells", () => {
  test("is anonymous and shared memory, without the pages of files", () => {
    expect(parseMostKiB(STATUS)).toBe(198);
    expect(parseShareKiB(ROLLUP)).toBe(120);
  });

  test("is all resident memory where the kernel is old, and nothing for a kernel's own process", () => {
    expect(parseMostKiB("VmRSS:\t    900 kB\n")).toBe(900);
    expect(parseMostKiB("Name:\tkthreadd\n")).toBe(0);
    expect(parseShareKiB("Rss: 1692 kB\nPss: 243 kB\n")).toBeUndefined();
  });
});

describe("a process", () => {
  const root = mkdtempSync(join(tmpdir(), "mgpu-memory-"));
  afterAll(() => rmSync(root, { recursive: true }));

  test("whose share can't be read counts in full; one that is gone does not count", async () => {
    mkdirSync(join(root, "7"));
    writeFileSync(join(root, "7/status"), STATUS);
    const memory = realProcessMemory(root);
    expect([memory.mostKiB(7), await memory.shareKiB(7)]).toEqual([198, 198]);
    expect([memory.mostKiB(8), await memory.shareKiB(8)]).toEqual([0, 0]);
  });

  test("of this machine uses about what it allocated", async () => {
    const memory = realProcessMemory();
    const child = spawn("dd", ["if=/dev/zero", "of=/dev/null", "bs=64M", "count=1000000"], { stdio: "ignore" });
    try {
      const pid = child.pid ?? 0;
      const deadline = performance.now() + 10_000;
      while (memory.mostKiB(pid) < 64 * 1024 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (const used of [memory.mostKiB(pid), await memory.shareKiB(pid)]) {
        expect(used).toBeGreaterThanOrEqual(64 * 1024);
        expect(used).toBeLessThan(80 * 1024);
      }
    } finally {
      child.kill("SIGKILL");
    }
  });
});
