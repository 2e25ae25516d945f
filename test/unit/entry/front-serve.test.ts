/** A front with commands made for these tests, called by launchers of a plain shell. */

import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Command, CommandContext } from "../../../src/cli/context.ts";
import type { Errand } from "../../../src/entry/front/context.ts";
import { createFront, type Front } from "../../../src/entry/front/serve.ts";
import { type FrontDoor, openFrontDoor, SLOTS } from "../../../src/platform/front-door.ts";

let folder = "";
let door: FrontDoor | null = null;
let child: ChildProcess | null = null;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mgpu-serve-")));
  mkdirSync(join(folder, "bin"));
  const path = join(folder, "bin/mgpu-test");
  writeFileSync(path, LAUNCHER);
  chmodSync(path, 0o755);
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = null;
  door?.close();
  door = null;
  rmSync(folder, { recursive: true, force: true });
});

/** Prints the lines of the answer. `$1` is the front's folder. */
const LAUNCHER = `#!/bin/sh
slot=$(($$ % ${SLOTS}))
set -C; echo $$ >"$1/c$slot" || exit 9
exec 8<>"$1/s$slot" 9<"$1/s$slot" 8<>"$1/door"
echo "c $$ 1 0" >&8
read -r line <&9; echo "$line" >>"$1/../answers"
[ "$line" = t ] || exit 0
read -r line <&9; echo "$line" >>"$1/../answers"
echo "d $$" >&8
`;

/** A front whose one command is this. */
async function openFront(run: (errand: Errand) => Promise<number>): Promise<Front> {
  const errands = new WeakMap<CommandContext, Errand>();
  const command = {
    ...{ name: "test", summary: "", options: [], operands: { max: 9 } },
    run: (_: unknown, context: CommandContext) => run(errands.get(context) as Errand),
  } as unknown as Command;
  const front = createFront({ "mgpu-test": command }, join(folder, "bin"), (errand) => {
    const context = { environment: {}, program: "mgpu-test", stdio: { out() {}, err() {} } };
    errands.set(context as unknown as CommandContext, errand);
    return context as unknown as CommandContext;
  });
  door = await openFrontDoor(join(folder, "front"), (call) => void front.serve(call));
  return front;
}

function launch(): ChildProcess {
  child = spawn(join(folder, "bin/mgpu-test"), [join(folder, "front")], { cwd: folder, stdio: "ignore" });
  return child;
}

const ended = (launcher: ChildProcess) => new Promise((resolve) => launcher.once("exit", resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function answers(): string[] {
  return existsSync(join(folder, "answers"))
    ? readFileSync(join(folder, "answers"), "utf8").split("\n").slice(0, -1)
    : [];
}

test.each([
  ["its launcher was killed", "exec bin/mgpu-test $PWD/front"],
  ["it was, and nobody waits for it", 'bin/mgpu-test "$PWD/front" & echo $! >pid; exec sleep 100'],
])("a command that was taken is over once %s", async (_, line) => {
  let isTaken = false;
  const front = await openFront(async (errand) => {
    errand.take();
    isTaken = true;
    await until(() => errand.isOver());
    return 0;
  });
  child = spawn("/bin/sh", ["-c", line], { cwd: folder, stdio: "ignore" });
  await until(() => isTaken);
  const pidFile = join(folder, "pid");
  process.kill(existsSync(pidFile) ? Number(readFileSync(pidFile, "latin1")) : (child.pid ?? 0), "SIGKILL");
  await until(() => front.underWay === 0);
});

test("what can't be handed back any more is ended", async () => {
  const front = await openFront(async (errand) => {
    errand.take();
    return errand.handBack();
  });
  await ended(launch());
  expect(answers()).toEqual(["t", "1"]);
  await until(() => front.underWay === 0);
});

test("what is handed back in time is the launcher's", async () => {
  const front = await openFront(async (errand) => errand.handBack());
  await ended(launch());
  expect(answers()).toEqual(["n"]);
  await until(() => front.underWay === 0);
});

test("connections end with the command", async () => {
  let closed = 0;
  const front = await openFront(async (errand) => {
    errand.peers.add({ close: () => void closed++ } as never);
    return 7;
  });
  await ended(launch());
  expect(answers()).toEqual(["t", "7"]);
  await until(() => front.underWay === 0);
  expect(closed).toBe(1);
});
