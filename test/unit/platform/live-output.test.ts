/** Output as it comes, into pipes of these tests. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runStateOf } from "../../../src/platform/caller.ts";
import type { CallerStreams, Stream } from "../../../src/platform/caller-output.ts";
import { LiveOutput } from "../../../src/platform/live-output.ts";

let folder = "";
let output: LiveOutput | null = null;
let child: ChildProcess | null = null;
const opened: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-live-"));
});
afterEach(() => {
  output?.close();
  output = null;
  child?.kill("SIGKILL");
  child = null;
  for (const descriptor of opened.splice(0)) closeSync(descriptor);
  rmSync(folder, { recursive: true, force: true });
});

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

function fifo(name: string): string {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  return path;
}

function open(path: string, mode: number): number {
  const descriptor = openSync(path, mode | O_NONBLOCK);
  opened.push(descriptor);
  return descriptor;
}

/** All that lies in a pipe. */
function read(descriptor: number): string {
  let text = "";
  for (const buffer = Buffer.alloc(65536); ; ) {
    let bytes = 0;
    try {
      bytes = readSync(descriptor, buffer);
    } catch {
      // EAGAIN
    }
    if (bytes === 0) return text;
    text += buffer.toString("latin1", 0, bytes);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const piped = (descriptor: number) => ({ descriptor, isTerminal: false, file: String(descriptor) });
const inFile = (file: string) => ({ descriptor: null, isTerminal: false, file });

function live(out: unknown, err: unknown, copy: (stream: Stream) => string = () => "", pid = process.pid): LiveOutput {
  output = new LiveOutput({ pid, streams: { out, err } as unknown as CallerStreams, copy });
  return output;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

test("text goes out at once, each stream its own way", () => {
  const [first, second] = [fifo("a"), fifo("b")];
  const [out, err] = [open(first, O_RDONLY), open(second, O_RDONLY)];
  const own = live(piped(open(first, O_WRONLY)), piped(open(second, O_WRONLY)));
  own.say("out", bytes("one\n"));
  own.say("err", bytes("two\n"));
  own.say("out", bytes(""));
  own.say("out", bytes("three\n"));
  expect([read(out), read(err), own.room()]).toEqual(["one\nthree\n", "two\n", undefined]);
});

test("who reads slowly gets all of it, in order, though the sender uses its bytes again", async () => {
  const path = fifo("a");
  const out = open(path, O_RDONLY);
  const own = live(piped(open(path, O_WRONLY)), inFile("x"));
  const chunk = Buffer.alloc(100_000, "a");
  own.say("out", chunk);
  chunk.fill("b");
  own.say("out", chunk);
  chunk.fill("?");
  let isDone = false;
  const room = own.room()?.then(() => {
    isDone = true;
  });
  let text = "";
  await until(() => {
    text += read(out);
    return isDone;
  });
  await room;
  text += read(out);
  expect([text.length, /^a+b+$/.test(text), text.lastIndexOf("a")]).toEqual([200_000, true, 99_999]);
});

test("a reader that is gone is told as a program hears of it; what is said of it still goes out", () => {
  const [first, second] = [fifo("a"), fifo("b")];
  const err = open(second, O_RDONLY);
  const reader = openSync(first, O_RDONLY | O_NONBLOCK);
  const own = live(piped(open(first, O_WRONLY)), piped(open(second, O_WRONLY)));
  closeSync(reader);
  expect(() => own.say("out", bytes("text"))).toThrow(expect.objectContaining({ name: "OutputClosed" }));
  expect(() => own.say("out", bytes("more"))).toThrow(expect.objectContaining({ name: "OutputClosed" }));
  own.say("err", bytes("sorry\n"));
  expect([read(err), own.untoldFailure()]).toEqual(["sorry\n", null]);
});

test("a reader that goes while we wait for it is heard of at once", async () => {
  const path = fifo("a");
  const reader = openSync(path, O_RDONLY | O_NONBLOCK);
  const own = live(piped(open(path, O_WRONLY)), inFile("x"));
  own.say("out", Buffer.alloc(200_000));
  const room = own.room();
  closeSync(reader);
  await expect(room).rejects.toMatchObject({ name: "OutputClosed" });
});

test("what only the process can write, it copies: both of one file in their order", async () => {
  const path = fifo("copied");
  const asked: Stream[] = [];
  const own = live(inFile("same"), inFile("same"), (stream) => {
    asked.push(stream);
    return path;
  });
  own.say("err", bytes("one\n"));
  own.say("out", bytes("two\n"));
  expect(own.room()).toBeDefined();
  const reader = open(path, O_RDONLY);
  await own.emptied();
  expect([read(reader), asked]).toEqual(["one\ntwo\n", ["out"]]);
});

test("a process that is stopped writes nothing, one that is gone never will", async () => {
  const path = fifo("a");
  const out = open(path, O_RDONLY);
  child = spawn("sleep", ["100"], { stdio: "ignore" });
  const { pid = 0 } = child;
  await new Promise((resolve) => child?.once("spawn", resolve));
  const own = live(piped(open(path, O_WRONLY)), inFile("x"), () => "", pid);
  process.kill(pid, "SIGSTOP");
  await until(() => runStateOf(pid) === "stopped");
  own.say("out", bytes("held\n"));
  expect([read(out), own.room() === undefined]).toEqual(["", false]);
  process.kill(pid, "SIGCONT");
  await own.emptied();
  expect(read(out)).toBe("held\n");
  process.kill(pid, "SIGKILL");
  await new Promise((resolve) => child?.once("exit", resolve));
  own.say("out", bytes("for nobody\n"));
  expect([read(out), own.room()]).toEqual(["", undefined]);
});
