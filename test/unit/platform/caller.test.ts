/** Processes as a front sees its launchers: real ones of a shell. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileBehind, isAlive, likenessOf, openOutput, readCaller } from "../../../src/platform/caller.ts";

let folder = "";
let child: ChildProcess | null = null;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mgpu-caller-")));
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = null;
  rmSync(folder, { recursive: true, force: true });
});

/** A script that waits; resolves with its pid once it does. `$1` to `$9` are its arguments. */
async function waiting(prelude: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const path = join(folder, "launcher");
  writeFileSync(path, `#!/bin/sh\n${prelude}\necho ready >&3\nread -r line\n`, { mode: 0o755 });
  child = spawn(path, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const { pid = -1, stdio } = child;
  await new Promise<void>((resolve) => void stdio[3]?.once("data", () => resolve()));
  return pid;
}

test("arguments, variables, folder and mask of a script", async () => {
  const args = ["", "two words", "line\nbreak", "ünïcode"];
  const pid = await waiting("umask 037", args, { A: "x=y", PWD: "/nowhere" });
  const caller = readCaller(pid, args.length);
  expect(caller).toMatchObject({ pid, args, cwd: folder, umask: 0o37, program: "launcher" });
  expect(caller?.launcher).toBe(join(folder, "launcher"));
  // As a shell tells its children.
  expect(caller?.environment).toEqual({ PATH: process.env.PATH, A: "x=y", PWD: folder });
});

test("a number of arguments that does not fit is nobody we know", async () => {
  const pid = await waiting("", ["a"]);
  expect(readCaller(pid, 0)).toBeNull();
});

test("a folder that is gone is no place to work in", async () => {
  mkdirSync(join(folder, "gone"));
  const pid = await waiting("cd gone; rmdir ../gone");
  expect(readCaller(pid, 0)).toBeNull();
});

test("processes of ours are like us, those without a right are not", async () => {
  expect(likenessOf(await waiting(""))).toBe(likenessOf("self"));
  expect(likenessOf("self")).toMatch(/^Uid:\t\d+/m);
});

test("what can be written for another process", async () => {
  writeFileSync(join(folder, "log"), "before\n");
  const pid = await waiting("exec 4>>log 5>place 6>/dev/null 7</dev/null");
  const write = (descriptor: number, text: string): boolean => {
    const output = openOutput(pid, descriptor);
    if (!output?.descriptor) return false;
    writeFileSync(output.descriptor, text);
    closeSync(output.descriptor);
    return true;
  };
  expect(write(4, "after\n")).toBe(true);
  expect(readFileSync(join(folder, "log"), "utf8")).toBe("before\nafter\n");
  expect(write(6, "x")).toBe(true);
  // A place in a file is the process's own.
  expect(openOutput(pid, 5)).toEqual({ descriptor: null, isTerminal: false, file: fileBehind(pid, 5) });
  // A socket (Node's pipes are), an input, nothing at all.
  expect([1, 7, 99].map((descriptor) => openOutput(pid, descriptor))).toEqual([null, null, null]);
});

test("a pipe is written, unless nobody reads it", async () => {
  const pid = await waiting("mkfifo p; exec 4<>p 5>p; exec 6>p");
  const output = openOutput(pid, 5);
  expect(output).toMatchObject({ isTerminal: false });
  if (output?.descriptor) closeSync(output.descriptor);
  expect(fileBehind(pid, 4)).toBe(fileBehind(pid, 6));
  expect(fileBehind(pid, 99)).toBe("");
});

test("whether a process lives", async () => {
  const pid = await waiting("");
  expect(isAlive(pid)).toBe(true);
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  child?.kill("SIGKILL");
  await ended;
  expect(isAlive(pid)).toBe(false);
});
