/** The door as launchers of a plain shell use it. */

import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FrontCall, type FrontDoor, openFrontDoor, SLOTS } from "../../../src/platform/front-door.ts";

let folder = "";
let door: FrontDoor | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-door-"));
});
afterEach(() => {
  door?.close();
  door = null;
  rmSync(folder, { recursive: true, force: true });
});

async function open(onCall: (call: FrontCall) => void): Promise<FrontDoor> {
  door = await openFrontDoor(folder, onCall);
  return door;
}

/** A launcher's part: claims its slot, calls, and prints each line of the answer until it is a number. */
const LAUNCHER = `
slot=$(($$ % ${SLOTS}))
set -C; echo $$ >"$1/c$slot" || exit 9
exec 8<>"$1/s$slot" 9<"$1/s$slot" 8<>"$1/door"
echo "c $$ 2 1" >&8
while read -r line <&9; do echo "$line"; case $line in [0-9]*) break ;; esac; done
echo "d $$" >&8
`;

function launch(): Promise<string> {
  const child = spawn("/bin/sh", ["-c", LAUNCHER, "launcher", folder], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve) => child.once("close", () => resolve(text)));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const claims = (): string[] => readdirSync(folder).filter((name) => name.startsWith("c"));

test("a call is answered, and its slot is free again", async () => {
  const calls: FrontCall[] = [];
  await open((call) => {
    calls.push(call);
    call.answer("t");
    call.answer("3");
  });
  expect(await launch()).toBe("t\n3\n");
  expect(calls).toMatchObject([{ count: 2, stdinIsTerminal: true, answerFile: expect.stringMatching(/^\d+:\d+$/) }]);
  await until(() => claims().length === 0);
  expect(await launch()).toBe("t\n3\n");
});

test("what the launcher has to write itself lies in files for as long as it needs them", async () => {
  await open((call) => call.end(5, Buffer.from("out\n"), new Uint8Array()));
  expect(await launch()).toBe("5 o\n");
  await until(() => claims().length === 0);
  expect(readdirSync(folder).filter((name) => /^[oe]/.test(name))).toEqual([]);
});

test("many at once", async () => {
  await open(({ pid, answer }) => setTimeout(() => answer(String(pid)), 20));
  const answers = await Promise.all(Array.from({ length: 6 }, launch));
  expect(new Set(answers).size).toBe(6);
  for (const text of answers) expect(text).toMatch(/^\d+\n$/);
});

test("the claim of a launcher that was killed is given up", async () => {
  await open(() => {});
  // A process that has ended.
  const pid = execFileSync("/bin/sh", ["-c", "echo $$"]).toString();
  const claim = join(folder, "c5");
  writeFileSync(claim, pid);
  await until(() => !existsSync(claim));
});

test("nonsense is not heard", async () => {
  const calls: FrontCall[] = [];
  await open((call) => {
    calls.push(call);
    call.answer("0");
  });
  writeFileSync(join(folder, "door"), "hello\nc x\nc 1\nc 1 2 3\nd\n");
  expect(await launch()).toBe("0\n");
  expect(calls).toHaveLength(1);
});

test("a door that was shut or removed is not there", async () => {
  const own = await open(() => {});
  expect(own.isThere()).toBe(true);
  own.shut();
  expect(own.isThere()).toBe(false);
});

test("an answer that comes too late does not reach the next launcher", async () => {
  const calls: FrontCall[] = [];
  const own = await open((call) => void calls.push(call));
  expect(own.isThere()).toBe(true);
  const say = (line: string): void => writeFileSync(join(folder, "door"), `${line}\n`);
  say("c 7 0 0");
  await until(() => calls.length === 1);
  say("d 7");
  say("c 7 0 0");
  await until(() => calls.length === 2);
  const slot = openSync(join(folder, "s7"), constants.O_RDWR | constants.O_NONBLOCK);
  calls[0]?.answer("t");
  calls[0]?.end(0, Buffer.from("text"), new Uint8Array());
  calls[1]?.answer("n");
  const buffer = Buffer.alloc(100);
  expect(buffer.toString("latin1", 0, readSync(slot, buffer))).toBe("n\n");
  closeSync(slot);
});

test("a signal reaches the launcher's own command, however early or late it comes", async () => {
  const heard: string[] = [];
  await open(({ pid, onSignal }) => onSignal((name) => void heard.push(`${pid} ${name}`)));
  const later = 7 + SLOTS;
  // Between its traps and its call; and after the next one has its slot.
  const lines = [
    "s 7 TERM",
    "c 7 0 0",
    "s 7 INT",
    "d 7",
    `s ${later} HUP`,
    `c ${later} 0 0`,
    "s 7 INT",
    "d 7",
    `s ${later} QUIT`,
  ];
  writeFileSync(join(folder, "door"), `${lines.join("\n")}\n`);
  await until(() => heard.length >= 4);
  expect(heard).toEqual(["7 SIGTERM", "7 SIGINT", `${later} SIGHUP`, `${later} SIGQUIT`]);
});

test("who copies for a launcher that was killed reads an end, and nothing of the next one's", async () => {
  let path = "";
  await open(({ copy }) => {
    path = copy("out");
  });
  const copier = spawn("/bin/cat", [join(folder, "xo7")], { stdio: "ignore" });
  let code: number | null = null;
  copier.once("close", (ended) => {
    code = ended;
  });
  // It may not have come to the FIFO by the first.
  while (code === null) {
    writeFileSync(join(folder, "door"), "c 7 0 0\nd 7\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect([path, code]).toEqual([join(folder, "xo7"), 0]);
});
