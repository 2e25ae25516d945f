/** A front with an srun made for these tests, called by the launcher that users call. */

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Command, CommandContext } from "../../../src/cli/context.ts";
import { type Errand, errandContext } from "../../../src/entry/front/context.ts";
import { createFront, type Front } from "../../../src/entry/front/serve.ts";
import { type FrontDoor, openFrontDoor } from "../../../src/platform/front-door.ts";

const ROOT = join(import.meta.dirname, "../../..");

let folder = "";
let door: FrontDoor | null = null;
let child: ChildProcess | null = null;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mgpu-live-")));
  for (const name of ["bin", "dist"]) mkdirSync(join(folder, name));
  cpSync(join(ROOT, "bin/mgpu-srun"), join(folder, "bin/mgpu-srun"));
  // What runs if the command is handed back.
  writeFileSync(join(folder, "dist/mgpu-srun.cjs"), 'console.log("program"); process.exit(42);');
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = null;
  door?.close();
  door = null;
  rmSync(folder, { recursive: true, force: true });
});

async function openFront(run: (errand: Errand, context: CommandContext) => Promise<number>): Promise<Front> {
  const errands = new WeakMap<CommandContext, Errand>();
  const command = {
    ...{ name: "srun", summary: "", options: [], operands: { max: 9 } },
    run: (_: unknown, context: CommandContext) => run(errands.get(context) as Errand, context),
  } as unknown as Command;
  const front = createFront({ "mgpu-srun": command }, join(folder, "bin"), (errand) => {
    const context = { ...errandContext(errand), slurm: () => null };
    errands.set(context, errand);
    return context;
  });
  door = await openFrontDoor(join(folder, "front"), (call) => void front.serve(call));
  return front;
}

/** Runs a line of a shell; `srun` in it is the launcher, and each line that it prints is heard. */
function shell(line: string, hear: (text: string) => void = () => {}) {
  const PATH = `${join(folder, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`;
  const env = { PATH, HOME: folder, MGPU_HOME: folder };
  const own = spawn("/bin/sh", ["-c", line.replaceAll("srun", "mgpu-srun")], { cwd: folder, env });
  child = own;
  let text = "";
  for (const stream of [own.stdout, own.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      hear(chunk.toString());
    });
  }
  return new Promise<{ text: string; code: number | null; signal: string | null }>((resolve) => {
    own.once("close", (code, signal) => resolve({ text, code, signal }));
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("what it prints is there before it ends, and its exit code", async () => {
  let isSeen = false;
  const front = await openFront(async ({ take }, { stdio }) => {
    stdio.err("early ");
    take();
    stdio.out("first ");
    await until(() => isSeen);
    stdio.out("last");
    return 3;
  });
  const ended = await shell("srun a b </dev/null 2>&1 | cat; srun c </dev/null >place 2>&1; cat place", (text) => {
    isSeen ||= text.includes("first");
  });
  expect(ended.text).toBe("early first lastearly first last");
  await until(() => front.underWay === 0);
});

test("signals reach it, as often as they are sent", async () => {
  const heard: string[] = [];
  await openFront(async ({ take, caller }, { session }) => {
    take();
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGCONT"] as const) {
      session.onSignal(name, () => void heard.push(name));
    }
    for (const name of ["SIGINT", "SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGCONT"] as const) {
      const before = heard.length;
      process.kill(caller.pid, name);
      await until(() => heard.length > before);
    }
    return 130;
  });
  expect(await shell("exec srun </dev/null")).toMatchObject({ code: 130, text: "" });
  expect(heard).toEqual(["SIGINT", "SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGCONT"]);
});

test.each([true, false])("a signal that nobody asked for ends the launcher (taken: %s)", async (isTaken) => {
  const front = await openFront(async ({ take, caller, isOver }) => {
    if (isTaken) take();
    process.kill(caller.pid, "SIGTERM");
    await until(isOver);
    return 0;
  });
  expect(await shell("exec srun </dev/null")).toMatchObject({ signal: "SIGTERM", text: "" });
  await until(() => front.underWay === 0);
});

test("a pipe is its input, from when it reads", async () => {
  await openFront(async ({ take }, { session, stdio }) => {
    take();
    await session.input.read(async (chunk) => stdio.out(chunk));
    return 0;
  });
  expect((await shell("{ echo one; sleep 0.1; echo two; } | srun")).text).toBe("one\ntwo\n");
});

test("a reader that goes ends what waits for room", async () => {
  await openFront(async ({ take, live }, { stdio }) => {
    take();
    stdio.out(Buffer.alloc(500_000));
    await live?.paced(() => {})(0);
    return 0;
  });
  expect((await shell('{ srun </dev/null; echo "code $?" >&2; } | sleep 0.2')).text).toBe("code 141\n");
});

test.each([
  ["its input is a file", "echo text >in; srun <in"],
  ["its input is closed", "srun <&-"],
  ["interrupts are ignored, as for the background of a script", "trap '' INT; srun </dev/null"],
  ["it has a program of its own to run here", "srun --epilog=/bin/true </dev/null"],
  ["a variable says so", "SLURM_PROLOG=/bin/true srun </dev/null"],
  ["its descriptor is needed", "srun cat /dev/fd/7 </dev/null"],
])("the program runs it where %s", async (_, line) => {
  const front = await openFront(async () => 0);
  expect(await shell(line)).toMatchObject({ text: "program\n", code: 42 });
  await until(() => front.underWay === 0);
});

test("a front that is killed in the middle is no success", async () => {
  await openFront(async ({ take, isOver }) => {
    take();
    door?.close();
    door = null;
    await until(isOver);
    return 0;
  });
  const ended = await shell("srun </dev/null");
  expect(ended).toMatchObject({ code: 1, text: expect.stringContaining("the front that ran this ended") });
});
