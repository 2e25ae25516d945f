import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, beforeEach, expect, it } from "vitest";
import { signalOwned } from "../../../src/platform/process-owner.ts";

const uid = process.getuid?.() ?? 0;

let child: ChildProcess;
let ended: Promise<string | null>;
beforeEach(async () => {
  child = spawn("sleep", ["1000"], { stdio: "ignore" });
  ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  await new Promise((resolve) => child.once("spawn", resolve));
});
afterEach(async () => {
  child.kill("SIGKILL");
  await ended;
});

it("signals a process of that user's", async () => {
  signalOwned(child.pid ?? 0, "SIGTERM", uid);
  expect(await ended).toBe("SIGTERM");
});

it("leaves another's alone, and what no pid names", async () => {
  signalOwned(child.pid ?? 0, "SIGTERM", uid + 1);
  for (const pid of [0, -1, 1, -(child.pid ?? 0), Number.NaN, 1.5]) signalOwned(pid, "SIGTERM", undefined);
  signalOwned(child.pid ?? 0, "SIGKILL", undefined);
  expect(await ended).toBe("SIGKILL");
});
