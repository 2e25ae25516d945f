import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ProcessTable, parseStat, realProcessTable, startTicksOf } from "../../../src/platform/proctable.ts";

describe("parseStat", () => {
  const fields = (state = "S") => `${state} 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 123456 10 20 184 0 0`;

  test.each(["sh", "a b", "a) S 1 2", ") (", "((", "", "(sd-pam)"])("a command named %j", (name) => {
    expect(parseStat(`42 (${name}) ${fields()}`)).toEqual({
      state: "S",
      parent: 7,
      session: 9,
      threads: 3,
      startTicks: 123456,
    });
  });

  test("this process", () => {
    const stat = parseStat(readFileSync("/proc/self/stat", "latin1"));
    expect(stat).toMatchObject({ parent: process.ppid, state: "R" });
  });

  test.each(["", "42 (sh)", "nonsense", "42 (sh) S 1"])("nonsense: %j", (line) => {
    expect(parseStat(line)).toBeUndefined();
  });
});

/** A made-up /proc. */
describe("a scan", () => {
  let root: string;
  let now: number;
  let lastPid: number;
  let table: ProcessTable;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "mgpu-proc-"));
    now = 0;
    lastPid = 100;
    writeFileSync(join(root, "loadavg"), `0.00 0.01 0.05 1/1 ${lastPid}\n`);
    put(1, { session: 1 });
    put(50, { session: 50, parent: 1 });
    table = realProcessTable({ scope: "here", monotonic: () => now, root, ownPid: 50 });
  });

  afterEach(() => rmSync(root, { recursive: true }));

  interface Fake {
    parent?: number;
    session?: number;
    state?: string;
    threads?: number;
    startTicks?: number;
    environment?: Record<string, string>;
  }

  function put(pid: number, fake: Fake): void {
    const { parent = 1, session = pid, state = "S", threads = 1, startTicks = pid * 1000, environment = {} } = fake;
    mkdirSync(join(root, String(pid)), { recursive: true });
    const ids = `${parent} ${session} ${session}`;
    const stat = `${pid} (x y) ${state} ${ids} 0 -1 0 0 0 0 0 0 0 0 0 20 0 ${threads} 0 ${startTicks} 0`;
    writeFileSync(join(root, String(pid), "stat"), stat);
    const block = Object.entries({ HOME: "/", ...environment }).map(([name, value]) => `${name}=${value}\0`);
    writeFileSync(join(root, String(pid), "environ"), block.join(""));
  }

  const remove = (pid: number): void => rmSync(join(root, String(pid)), { recursive: true });
  const cookie = (step: string, scope = "here") => ({ MGPU_STEP: step, MGPU_STEP_SCOPE: scope });
  const found = (prefix = ""): number[] =>
    table
      .find(prefix)
      .map(({ pid }) => pid)
      .sort((a, b) => a - b);
  const pass = (pids: number): void => {
    lastPid += pids;
    writeFileSync(join(root, "loadavg"), `0.00 0.01 0.05 1/1 ${lastPid}\n`);
  };

  test("finds by cookie, of this scope, by the whole beginning of a key", () => {
    put(60, { environment: cookie("1.1.0") });
    put(61, { environment: cookie("1.1.batch") });
    put(62, { environment: cookie("1.10.0") });
    put(63, { environment: cookie("11.1.0") });
    put(64, { environment: cookie("1.1.0", "elsewhere") });
    put(65, { environment: { NOT_MGPU_STEP: "1.1.0", MGPU_STEP_SCOPE: "here" } });
    expect(found("1.1.")).toEqual([60, 61]);
    expect(found("1.1.batch")).toEqual([61]);
    expect(table.find("11.")).toMatchObject([{ pid: 63, startTicks: 63_000, parent: 1, session: 63, step: "11.1.0" }]);
  });

  test("finds descendants and members of their sessions, whatever order they are listed in", () => {
    put(90, { environment: cookie("1.1.0") });
    put(80, { parent: 90, session: 80 });
    put(70, { parent: 80, session: 70 });
    put(60, { parent: 1, session: 70 });
    expect(found()).toEqual([60, 70, 80, 90]);
  });

  test("never finds pid 1, itself, or who shares only their sessions", () => {
    put(1, { session: 1, environment: cookie("1.1.0") });
    put(50, { session: 50, environment: cookie("1.1.0") });
    put(51, { session: 50 });
    put(52, { session: 1 });
    put(53, { session: 50, environment: cookie("1.1.0") });
    put(54, { session: 50 });
    expect(found()).toEqual([53]);
  });

  test("a daemon of ours that a job's command started is not the job's, nor is what descends from it", () => {
    const daemon = { MGPU_DAEMON: "1" };
    put(60, { environment: cookie("1.1.0") });
    put(61, { parent: 60, session: 60 });
    put(70, { parent: 60, session: 70, environment: daemon });
    put(71, { parent: 70, session: 71, environment: daemon });
    put(72, { parent: 70, session: 70 });
    // A task of that daemon's, and one that says it is a daemon without being ours.
    put(80, { parent: 71, session: 80, environment: cookie("2.1.0") });
    put(81, { parent: 80, session: 80 });
    put(90, { parent: 60, session: 90, environment: { ...cookie("1.1.0"), ...daemon } });
    expect(found("1.1.")).toEqual([60, 61, 90]);
    expect(found("2.1.")).toEqual([80, 81]);
    remove(60);
    expect(found("1.1.")).toEqual([61, 90]);
  });

  test("a daemon first seen between its fork and exec is let go", () => {
    put(60, { environment: cookie("1.1.0") });
    put(70, { parent: 60, session: 70, environment: cookie("1.1.0") });
    expect(found()).toEqual([60, 70]);
    now = 5_000;
    put(70, { parent: 60, session: 70, environment: { MGPU_DAEMON: "1" } });
    put(71, { parent: 70, session: 70 });
    expect(found()).toEqual([60]);
    // Once settled, what is known stays known.
    put(60, { environment: { MGPU_DAEMON: "1" } });
    expect(found()).toEqual([60]);
  });

  test("zombies are gone; a leader whose threads live is not", () => {
    put(60, { environment: cookie("1.1.0"), state: "Z" });
    put(61, { environment: cookie("1.1.0"), state: "Z", threads: 3 });
    put(62, { environment: cookie("1.1.0") });
    expect(found()).toEqual([61, 62]);
    put(62, { environment: cookie("1.1.0"), state: "Z" });
    expect(found()).toEqual([61]);
  });

  test("an adopted process needs no cookie, and its children none either", () => {
    put(60, { session: 50, parent: 50 });
    expect(table.adopt(60, "1.1.0", { spared: false })).toEqual({ pid: 60, startTicks: 60_000 });
    put(61, { session: 60, parent: 1 });
    // Not yet in a session of its own, which says nothing of others there.
    put(62, { session: 50, parent: 1 });
    expect(found()).toEqual([60, 61]);
    put(60, { session: 60, parent: 50 });
    expect(found()).toEqual([60, 61]);
    expect(table.adopt(99, "1.1.0", { spared: false })).toBeNull();
  });

  test("a spared process is not found, its children are", () => {
    put(60, {});
    table.adopt(60, "1.1.batch", { spared: true });
    put(61, { parent: 60, session: 60 });
    expect(found()).toEqual([61]);
  });

  test("one that was released, and what it starts for others, is not the step's, though a child was seen in its session", () => {
    put(60, {});
    const keeper = table.adopt(60, "1.1.batch", { spared: true });
    put(70, { parent: 60, session: 60 });
    expect(found()).toEqual([70]);
    remove(70);
    if (keeper) table.release(keeper);
    put(80, { parent: 60, session: 60 });
    // What the first child left behind, in the session that it made.
    put(71, { session: 70 });
    expect(found()).toEqual([71]);
    expect(table.adopt(60, "2.1.batch", { spared: true })).toEqual(keeper);
    expect(table.find("2.1.")).toMatchObject([{ pid: 80 }]);
  });

  test("the child of one that died meanwhile is known by its session", () => {
    put(60, { environment: cookie("1.1.0") });
    expect(found()).toEqual([60]);
    remove(60);
    put(61, { session: 60, parent: 1 });
    pass(10);
    expect(found()).toEqual([61]);
    put(62, { session: 60, parent: 1 });
    expect(found()).toEqual([61, 62]);
  });

  test("a number used again is another process, and another session", () => {
    put(60, { environment: cookie("1.1.0") });
    expect(found()).toEqual([60]);
    put(60, { startTicks: 999_000 });
    put(61, { session: 60 });
    expect(found()).toEqual([]);
  });

  test("one that cleared its environment stays known", () => {
    put(60, { environment: cookie("1.1.0") });
    expect(found()).toEqual([60]);
    put(60, {});
    expect(found()).toEqual([60]);
  });

  test("strangers are read once when they are old, and again while they are young", () => {
    put(60, { startTicks: 60_000 });
    put(70, { startTicks: 70_000 });
    expect(found()).toEqual([]);
    // 60 is long settled; 70 may have forked just now, and not yet become what it will be.
    put(60, { startTicks: 60_000, environment: cookie("1.1.0") });
    put(70, { startTicks: 70_000, environment: cookie("1.1.0") });
    expect(found()).toEqual([70]);
  });

  test("a young stranger is settled after a second", () => {
    put(70, { startTicks: 70_000 });
    expect(found()).toEqual([]);
    now = 1_000;
    expect(found()).toEqual([]);
    put(70, { startTicks: 70_000, environment: cookie("1.1.0") });
    expect(found()).toEqual([]);
  });

  test("strangers are read anew after pids wrapped, and after a while", () => {
    put(60, { startTicks: 60_000 });
    put(70, { startTicks: 70_000 });
    expect(found()).toEqual([]);
    put(60, { startTicks: 99_000, environment: cookie("1.1.0") });
    expect(found()).toEqual([]);
    pass(-50);
    expect(found()).toEqual([60]);
    put(50, { session: 50 });
    put(65, {});
    put(71, { startTicks: 71_000 });
    expect(found()).toEqual([60]);
    put(65, { environment: cookie("1.1.0") });
    expect(found()).toEqual([60]);
    now = 61_000;
    expect(found()).toEqual([60, 65]);
  });

  test("a process that vanishes or can't be read is passed over", () => {
    put(60, { environment: cookie("1.1.0") });
    mkdirSync(join(root, "61"));
    writeFileSync(join(root, "not-a-pid"), "");
    expect(found()).toEqual([60]);
  });

  test("an environment larger than one read is searched to its end", () => {
    put(60, { environment: { BIG: "x".repeat(200_000), ...cookie("1.1.0") } });
    expect(found()).toEqual([60]);
  });
});

describe("on this machine", () => {
  test("what lives, what does not, and who is never signalled", () => {
    const table = realProcessTable({ scope: "none", monotonic: () => performance.now(), ownPid: 0 });
    const stat = parseStat(readFileSync("/proc/self/stat", "latin1"));
    const self = { pid: process.pid, startTicks: stat?.startTicks ?? 0 };
    expect(table.isAlive(self)).toBe(true);
    expect(table.isAlive({ ...self, startTicks: 1 })).toBe(false);
    expect(table.signal(self, 0)).toBe(true);
    expect(table.signal({ ...self, startTicks: 1 }, 0)).toBe(false);
    expect(table.signal({ pid: 1, startTicks: 0 }, 0)).toBe(false);
    expect(table.signal({ pid: -5, startTicks: 0 }, 0)).toBe(false);
    const own = realProcessTable({ scope: "none", monotonic: () => performance.now() });
    expect(own.signal(self, 0)).toBe(false);
  });

  test("a scan of a quiet machine is cheap", () => {
    const table = realProcessTable({ scope: "none", monotonic: () => performance.now() });
    table.find("");
    const started = performance.now();
    for (let round = 0; round < 20; round++) table.find("");
    expect((performance.now() - started) / 20).toBeLessThan(20);
  });
});

test("a process that has ended has no start, although nobody reaped it", async () => {
  // Its parent, sh, becomes sleep, which reaps nobody.
  const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 10"]);
  try {
    const pid = Number(
      await new Promise<string>((resolve) => parent.stdout.once("data", (text) => resolve(String(text)))),
    );
    expect(startTicksOf(pid)).toBeGreaterThan(0);
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "latin1")).toMatch(/^\d+ \(.*\) Z/);
    expect(startTicksOf(pid)).toBeNull();
    expect(startTicksOf(process.pid)).toBeGreaterThan(0);
  } finally {
    parent.kill();
  }
});
