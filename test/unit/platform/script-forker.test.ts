import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseStat, startTicksOf } from "../../../src/platform/proctable.ts";
import { realScripts, type ScriptRequest, type Scripts } from "../../../src/platform/script-forker.ts";
import { until } from "../holder/harness.ts";

let folder: string;
let scripts: Scripts;
let programs: number[];

function open(patienceMs?: number): Scripts {
  return realScripts({
    stdio: () => ({ list: ["pipe", "pipe", "ignore", "pipe"], done() {} }),
    onReaped() {},
    isEager: true,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-forker-"));
  scripts = open();
  programs = [];
});
afterEach(async () => {
  scripts.close();
  for (const pid of programs) await until(() => startTicksOf(pid) === null, "the program's end");
  rmSync(folder, { recursive: true });
});

type End = Parameters<ScriptRequest["onExit"]>[0];

interface Started {
  readonly keeper: Awaited<ReturnType<Scripts["start"]>>;
  readonly end: Promise<End>;
  readonly output: () => string;
}

/** Starts a script of that name, which works in a folder of that name. */
async function start(name: string, text: string, more: Partial<ScriptRequest> = {}): Promise<Started> {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "script"), `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  const [input, output] = [openSync("/dev/null", "r"), openSync(join(own, "out"), "a")];
  let onExit = (_end: End): void => {};
  const end = new Promise<End>((resolve) => {
    onExit = resolve;
  });
  try {
    const keeper = await scripts.start({
      folder: own,
      workDir: own,
      argv: [join(own, "script")],
      environment: { PATH: "/usr/bin:/bin" },
      umask: undefined,
      limits: [],
      descriptors: [input, output, output],
      onExit,
      ...more,
    });
    const program = keeper && statOf(keeper.pid)?.parent;
    if (program && !programs.includes(program)) programs.push(program);
    return { keeper, end, output: () => readFileSync(join(own, "out"), "utf8") };
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

function statOf(pid: number) {
  return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

/** All that a script could find of the one before: variables, mask, folder, open files, signals, niceness, who it is. */
const LOOK = [
  "env | grep -v SLURM_TASK_PID | sort",
  "umask",
  "pwd",
  "for one in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$one ] && readlink /proc/$$/fd/$one; done",
  "grep -E '^(Sig[PBIC]|Shd|Cap|NoNew|Cpus_allowed_list)' /proc/self/status",
  "ulimit -a",
  "nice",
  'read -r _ _ _ parent group session terminal _ <"/proc/$$/stat"; [ $group = $$ ] && [ $session = $$ ] && echo leads $terminal',
  "[ $SLURM_TASK_PID = $$ ] && echo pid",
].join("\n");

test("a keeper has one script after the other, and nothing of one is left to the next", async () => {
  const environment = { PATH: "/usr/bin:/bin", FIRST: "a", BOTH: "1", "odd-name": "o" };
  const fresh = await start("look", LOOK, { environment: { PATH: "/usr/bin:/bin", BOTH: "2", LAST: "b\nc=d" } });
  await fresh.end;
  const mess = "trap '' PIPE HUP; umask 0; cd /; ulimit -n 50; exec 7</dev/null; export MORE=x; kill -9 $$";
  const messy = await start("mess", mess, { environment, umask: "0077" });
  expect(await messy.end).toMatchObject({ exit: { code: 0, signal: 9 } });
  const expected = fresh.output();
  expect(expected).toMatch(/^BOTH=2\nLAST=b\nPATH=[\s\S]*\nleads 0\npid\n$/);
  rmSync(join(folder, "look"), { recursive: true });
  const next = await start("look", LOOK, { environment: { PATH: "/usr/bin:/bin", BOTH: "2", LAST: "b\nc=d" } });
  expect(await next.end).toMatchObject({ exit: { code: 0, signal: 0 } });
  expect(next.output()).toBe(expected);
  expect([messy.keeper, next.keeper]).toEqual([fresh.keeper, fresh.keeper]);
});

test("what a script used is its own, without the one before", async () => {
  const busy = await start("busy", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
  const first = await busy.end;
  const idle = await start("idle", "exit 3");
  const second = await idle.end;
  const used = (end: End): number => (end?.spent.userMs ?? 0) + (end?.spent.systemMs ?? 0);
  expect(idle.keeper).toEqual(busy.keeper);
  expect(used(first)).toBeGreaterThan(0);
  expect(used(second)).toBeLessThan(used(first));
});

test("those that run at once have a keeper each", async () => {
  const waiting = "while [ ! -e ../go ]; do sleep 0.02; done";
  const all = await Promise.all(["a", "b", "c"].map((name) => start(name, `${waiting}; exit 4`)));
  expect(new Set(all.map(({ keeper }) => keeper?.pid)).size).toBe(3);
  writeFileSync(join(folder, "go"), "");
  for (const { end } of all) expect(await end).toMatchObject({ exit: { code: 4, signal: 0 } });
});

test("an idle keeper may be killed: what comes next starts", async () => {
  const first = await start("a", "exit 1");
  await first.end;
  process.kill(first.keeper?.pid ?? 0, "SIGKILL");
  await until(() => startTicksOf(first.keeper?.pid ?? 0) === null, "its end");
  const second = await start("b", "exit 2");
  // It may be told of that only now: then nothing was started.
  if (second.keeper) expect(await second.end).toMatchObject({ exit: { code: 2, signal: 0 } });
  else expect(existsSync(join(folder, "b", "pid"))).toBe(false);
  const third = await start("c", "exit 3");
  expect(await third.end).toMatchObject({ exit: { code: 3, signal: 0 } });
});

test("a killed keeper is noticed at once, and costs its own script alone", async () => {
  const waiting = "while [ ! -e ../go ]; do sleep 0.02; done";
  const [lost, kept] = [await start("a", `echo $$; ${waiting}`), await start("b", `${waiting}; exit 5`)];
  process.kill(lost.keeper?.pid ?? 0, "SIGKILL");
  expect(await lost.end).toBe(null);
  await until(() => lost.output().endsWith("\n"), "its script, which goes on");
  writeFileSync(join(folder, "go"), "");
  expect(await kept.end).toMatchObject({ exit: { code: 5, signal: 0 } });
  await until(() => startTicksOf(Number(lost.output())) === null, "the end of the other script");
});

test.each([
  ["killed while an order is under way", true],
  ["stopped for too long", false],
])("the program is %s: nothing was started, nor ever is, and what runs goes on", async (_how, isKilled) => {
  scripts.close();
  scripts = open(isKilled ? undefined : 300);
  const running = await start("a", "while [ ! -e ../go ]; do sleep 0.02; done; exit 6");
  const [program = 0] = programs.slice(-1);
  process.kill(program, "SIGSTOP");
  const ordered = start("b", "echo started");
  if (isKilled) process.kill(program, "SIGKILL");
  const second = await ordered;
  expect(second.keeper).toBe(null);
  writeFileSync(join(folder, "go"), "");
  expect(await running.end).toMatchObject({ exit: { code: 6, signal: 0 } });
  await until(() => startTicksOf(running.keeper?.pid ?? 0) === null, "a keeper without a program ends");
  expect(second.output()).toBe("");
});

test("a stopped keeper has nothing to start either, once that was given up", async () => {
  scripts.close();
  scripts = open(300);
  const first = await start("a", "exit 1");
  await first.end;
  const { pid = 0 } = first.keeper ?? {};
  process.kill(pid, "SIGSTOP");
  const second = await start("b", "echo started");
  expect(second.keeper).toBe(null);
  expect(startTicksOf(pid)).toBe(null);
  expect(second.output()).toBe("");
});

test("keepers without work end with their program's holder, and those with a script after that", async () => {
  const source = `
    const { realScripts } = await import(process.argv[2]);
    const scripts = realScripts({ stdio: () => ({ list: ["pipe", "pipe", "ignore", "pipe"], done() {} }), onReaped() {}, isEager: true });
    const [folder] = process.argv.slice(3);
    const nothing = (await import("node:fs")).openSync("/dev/null", "r+");
    const start = (name) => scripts.start({
      folder: folder + "/" + name, workDir: folder, argv: ["/bin/sh", "-c", name === "idle" ? "exit 0" : "while [ ! -e go ]; do sleep 0.02; done; exit 7"],
      environment: { PATH: "/usr/bin:/bin" }, umask: undefined, limits: [], descriptors: [nothing, nothing, nothing], onExit() { done() },
    });
    let done = () => {};
    const over = new Promise((resolve) => { done = resolve; });
    const busy = await start("busy");
    const idle = await start("idle");
    await over;
    console.log(JSON.stringify([busy.pid, idle.pid]));
  `;
  for (const name of ["busy", "idle"]) mkdirSync(join(folder, name));
  const { build } = await import("esbuild");
  const module = join(folder, "forker.mjs");
  await build({
    entryPoints: ["src/platform/script-forker.ts"],
    outfile: module,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const holder = spawn(process.execPath, ["--input-type=module", "-e", source, "holder", module, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((resolve) => holder.once("exit", resolve));
  const said = await new Promise<string>((resolve) => holder.stdout.once("data", (data) => resolve(String(data))));
  const [busy = 0, idle = 0] = JSON.parse(said) as number[];
  expect(startTicksOf(idle)).not.toBe(null);
  holder.kill("SIGKILL");
  await gone;
  await until(() => startTicksOf(idle) === null, "the idle keeper's end");
  expect(startTicksOf(busy)).not.toBe(null);
  expect(existsSync(join(folder, "busy", "exit"))).toBe(false);
  writeFileSync(join(folder, "go"), "");
  await until(() => startTicksOf(busy) === null, "the busy keeper's end");
  expect(readFileSync(join(folder, "busy", "exit"), "utf8")).toMatch(/^7\n *$/);
});
