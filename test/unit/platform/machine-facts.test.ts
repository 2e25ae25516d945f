/** What mgpu doctor reads of a machine, from samples of what the system prints. */

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { parseOwnCgroup } from "../../../src/platform/cgroup-facts.ts";
import { parseDriverRows, parseModule } from "../../../src/platform/driver-facts.ts";
import { examineMachine, findOrphanedDaemons, parseLimitPairs } from "../../../src/platform/machine-facts.ts";
import { isMissedIn, openBell, realProber, ringBell } from "../../../src/platform/probe.ts";
import { realSecureDoor } from "../../../src/platform/secure.ts";
import { examineFolder, examinePython, parseFolder, parsePython } from "../../../src/platform/user-facts.ts";

test("limits, soft and hard", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max cpu time              unlimited            unlimited            seconds   ",
    "Max processes             96365                96365                processes ",
    "Max open files            1024                 524288               files     ",
    "Max locked memory         8388608              unlimited            bytes     ",
  ].join("\n");
  expect(parseLimitPairs(text)).toEqual({
    NPROC: { soft: 96_365, hard: 96_365 },
    NOFILE: { soft: 1024, hard: 524_288 },
    MEMLOCK: { soft: 8_388_608, hard: -1 },
  });
});

test("the driver's own words", () => {
  expect(parseDriverRows("535.104.05, Enabled\n535.104.05, Disabled\n")).toEqual([
    { version: "535.104.05", persistence: "Enabled" },
    { version: "535.104.05", persistence: "Disabled" },
  ]);
  expect(parseDriverRows("Failed to initialize NVML: Driver/library version mismatch\n")).toEqual([]);
  const module = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC ...";
  expect(parseModule(module)).toBe("535.104.05");
  const open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder)\n";
  expect(parseModule(open)).toBe("550.54.15");
  expect(parseModule("")).toBe("");
});

test("groups of both versions", () => {
  expect(parseOwnCgroup("0::/user.slice/user-1000.slice\n")).toBe("/user.slice/user-1000.slice");
  expect(parseOwnCgroup("4:memory:/jobs\n0::/\n")).toBe("/");
  expect(parseOwnCgroup("4:memory:/jobs\n")).toBe("/jobs");
  expect(parseOwnCgroup("")).toBe("");
});

test("folders: well, read-only, gone, silent", () => {
  const space = "space 4096 256000 1000 ext2/ext3\ninode 12\n";
  const usual = { freeMiB: 1000, freeInodes: 1000, kind: "ext2/ext3", inode: 12 };
  expect(parseFolder(`${space}end\n`, false)).toEqual({ ...usual, state: "there", problem: "" });
  const problem = "Read-only file system";
  expect(parseFolder(`${space}problem ${problem}\nend\n`, false)).toEqual({ ...usual, state: "there", problem });
  expect(parseFolder("missing\n", false)).toMatchObject({ state: "missing", freeMiB: -1 });
  expect(parseFolder("", false)).toMatchObject({ state: "there", problem: "it can't be looked at" });
  expect(parseFolder(space, true)).toMatchObject({ state: "silent", inode: 12 });
});

test("python: with torch, without, broken, late", () => {
  const said = "path /usr/bin/python3\nversion 3.11.2\n";
  const plain = { path: "/usr/bin/python3", version: "3.11.2", torch: "", cuda: "", problem: "" };
  expect(parsePython(said, false)).toEqual(plain);
  expect(parsePython(`${said}torch 2.5.1+cu121\ncuda 12.1\n`, false)).toEqual({
    ...plain,
    torch: "2.5.1+cu121",
    cuda: "12.1",
  });
  expect(parsePython("", false)).toMatchObject({ path: "", problem: "" });
  const broken = "path /venv/bin/python3\nImportError: no encodings\n";
  expect(parsePython(broken, false)).toMatchObject({ version: "", problem: "ImportError: no encodings" });
  expect(parsePython("path /nfs/python3\n", true).problem).toBe("it did not answer within 8 s");
});

test("a real machine tells all of it, and no file is left behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mgu-facts-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const asker = {
    uid: process.getuid?.() ?? 0,
    gid: 0,
    home: folder,
    cwd: join(folder, "none"),
    path: "/usr/bin:/bin",
  };
  const facts = await examineMachine({ own: [{ what: "state folder", path: folder }], asker });
  const states = facts.folders.map(({ what, state, problem }) => [what, state, problem]);
  expect(states).toEqual([
    ["state folder", "there", ""],
    ["home folder", "there", ""],
    ["working folder", "missing", ""],
    ["temporary files", "there", ""],
  ]);
  expect(facts.folders[0]?.freeMiB).toBeGreaterThan(0);
  expect(facts.folders[0]?.inode).toBe(facts.folders[1]?.inode);
  expect(facts.limits.NOFILE?.hard).not.toBe(0);
});

test("a bell is heard by who has its key, and by nobody else", async () => {
  const credential = { identity: "bell/1a/1", key: "ab".repeat(32) };
  const bell = await openBell(realSecureDoor(), credential);
  const target = `127.0.0.1:${bell?.port}`;
  expect(await ringBell(target, credential)).toMatchObject({ code: "" });
  const wrong = await ringBell(target, { ...credential, key: "cd".repeat(32) });
  expect(wrong.code).toMatch(/^ERR_SSL/);
  const prober = realProber();
  expect(await prober.port("127.0.0.1", bell?.port ?? 0)).toMatchObject({ code: "" });
  expect(await prober.route("127.0.0.1")).toMatchObject({ code: "", from: "127.0.0.1" });
  expect(await prober.name("localhost")).toMatchObject({ code: "", addresses: expect.arrayContaining(["127.0.0.1"]) });
});

/** A folder of its own, gone after the test. */
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-facts-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a program that calls itself a daemon of mgpu has no file opened", async () => {
  const pipe = join(temporary(), "mgpud.cjs");
  execFileSync("mkfifo", [pipe]);
  const child = spawn("cat", [pipe], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const found = () => findOrphanedDaemons().filter(({ file }) => file === pipe);
  await vi.waitUntil(() => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").includes(pipe), 10_000);
  expect(found()).toEqual([]);
  rmSync(pipe);
  expect(found()).toEqual([{ pid: child.pid, program: "mgpud", file: pipe }]);
});

test("a python of the asker's PATH leaves nothing behind, and is none of root's or of a restricted user's", async () => {
  const folder = temporary();
  const pidFile = join(folder, "pid");
  const fake = `#!/bin/sh\nsleep 300 &\necho $! >${pidFile}\necho version 9.9\n`;
  writeFileSync(join(folder, "python3"), fake);
  chmodSync(join(folder, "python3"), 0o755);
  chmodSync(folder, 0o777);
  const asker = { uid: 65_534, gid: 65_534, home: folder, cwd: "/", path: `${folder}:/usr/bin:/bin` };
  for (const other of [
    { ...asker, isRestricted: true },
    { ...asker, uid: 0 },
  ]) {
    expect((await examinePython(other)).version).not.toBe("9.9");
    expect(existsSync(pidFile)).toBe(false);
  }
  expect(await examinePython(asker)).toMatchObject({ version: "9.9", problem: "" });
  const pid = readFileSync(pidFile, "utf8").trim();
  const isAlive = () => existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  await vi.waitUntil(() => !isAlive(), 10_000);
});

test("a number that no machine of the network answers for, by the kernel's table of neighbours", () => {
  const table = `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.1         0x1         0x2         02:fc:00:00:00:05     *        eth0
10.0.0.2         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.2         0x1         0x2         02:fc:00:00:00:06     *        eth1
`;
  const missed = ["10.0.0.9", "10.0.0.1", "10.0.0.2", "10.0.0.3", ""].map((address) => isMissedIn(table, address));
  expect(missed).toEqual([true, false, false, false, false]);
});

test("of a state folder that is missing it is said whether it can be made", async () => {
  const folder = mkdtempSync("/tmp/mgpu-made-");
  writeFileSync(join(folder, "file"), "");
  const paths = [join(folder, "a/b"), join(folder, "file/a"), "/proc/mgpu/a"];
  const found = await Promise.all(paths.map((path) => examineFolder("state folder", path, null)));
  const none = "No such file or directory";
  expect(found.map(({ state, problem }) => [state, problem])).toEqual([
    ["missing", ""],
    ["missing", "Not a directory"],
    ["missing", none],
  ]);
  expect(readdirSync(folder)).toEqual(["file"]);
  rmSync(folder, { recursive: true });
});
