import { spawn } from "node:child_process";
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { readBatchExit, readWrapper, splitEnvironment, wrapperArgv } from "../../../src/node/holder/batch-spool.ts";
import { parseStat } from "../../../src/platform/proctable.ts";
import type { StepLaunch, TaskLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, stepKey, task, until } from "./harness.ts";

function batch(
  folder: string,
  script: string,
  more: Partial<TaskLaunch> = {},
  env: Record<string, string> = {},
): StepLaunch {
  const spool = makeFolder(folder, "spool");
  const out = { to: "file", path: join(folder, "out"), append: false } as const;
  const step = launch(stepKey("batch"), [
    task(["script", "first", "-second"], { stdout: out, stderr: { to: "stdout" }, ...more }),
  ]);
  return {
    ...step,
    workDir: folder,
    environment: { ...step.environment, ...env },
    batch: { script: Buffer.from(script), spool },
  };
}

/** Children of this program that start scripts. */
function forkers(): number[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const isChild = parseStat(readFileSync(`/proc/${name}/stat`, "latin1"))?.parent === process.pid;
      return isChild && readFileSync(`/proc/${name}/comm`, "latin1").startsWith("perl") ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const output = (folder: string): string => readFileSync(join(folder, "out"), "utf8");

/** Whether it is a program of its own that starts scripts, from the first one on. */
const WAYS: readonly (readonly [way: string, isEager: boolean])[] = [
  ["by a shell", false],
  ["by a program that forks", true],
];

describe.each(WAYS)("a batch script, started %s", (_way, isEager) => {
  test.each([
    ["exit 0", { code: 0, signal: 0 }],
    ["exit 7", { code: 7, signal: 0 }],
    ["exit 143", { code: 143, signal: 0 }],
    ["exit 255", { code: 255, signal: 0 }],
    ["kill -TERM $$", { code: 0, signal: 15 }],
    ["kill -KILL $$", { code: 0, signal: 9 }],
    ["kill -SEGV $$", { code: 0, signal: 11 }],
    ["(sh -c 'kill -TERM $$'; exit $?) 2>/dev/null; exit $?", { code: 143, signal: 0 }],
  ])("ends exactly: %s", async (text, exit) => {
    const { handlers, folder, ports } = openHolder(isEager);
    const step = batch(folder, `#!/bin/sh\necho said >&2\n${text}\n`);
    expect(await call(handlers, "holder.launch", step)).toMatchObject({ phase: "running" });
    const { usage, ...end } = await ended(handlers, step.key);
    expect(end).toEqual({ key: step.key, phase: "ended", exits: [exit], problem: "", clean: true });
    expect(usage?.cpuMs[4]).toBeGreaterThanOrEqual(0);
    expect(output(folder)).toBe("said\n");
    const spool = join(folder, "spool");
    expect(readBatchExit(spool, ports.processes, ports.table)).toEqual({ phase: "ended", exit });
    expect(readdirSync(spool).filter((name) => (lstatSync(join(spool, name)).mode & 0o077) !== 0)).toEqual([]);
  });

  test("that starts again writes a file of its own: an older start that still runs can't mix in", async () => {
    const { handlers, folder } = openHolder(isEager);
    const start = async (attempt: number, append = false): Promise<void> => {
      const stdout = { to: "file", path: join(folder, "out"), append } as const;
      const step = batch(folder, `#!/bin/sh\necho start ${attempt}\n`, { stdout });
      const key = { ...step.key, attempt };
      await call(handlers, "holder.launch", { ...step, key });
      await ended(handlers, key);
      rmSync(join(folder, "spool"), { recursive: true });
    };
    await start(1);
    const old = openSync(join(folder, "out"), "a");
    await start(2);
    writeSync(old, "late\n");
    expect(output(folder)).toBe("start 2\n");
    await start(3, true);
    expect(output(folder)).toBe("start 2\nstart 3\n");
    // A link leads elsewhere for a reason.
    rmSync(join(folder, "out"));
    symlinkSync(join(folder, "behind"), join(folder, "out"));
    await start(4);
    expect([readFileSync(join(folder, "behind"), "utf8"), lstatSync(join(folder, "out")).isSymbolicLink()]).toEqual([
      "start 4\n",
      true,
    ]);
    closeSync(old);
  });

  test("leads a session and a process group; gets its arguments, its folder, its environment", async () => {
    const { handlers, folder } = openHolder(isEager);
    const variables = {
      "BASH_FUNC_greet%%": '() {  echo "greetings, $1"\n}',
      script: "mine",
      a: "kept",
      "odd-name": "x",
    };
    const script =
      "#!/bin/bash\nread -r _ _ _ _ group session _ < /proc/$$/stat\n" +
      "[ $$ = $group ] && [ $$ = $session ] && echo leads\n" +
      'echo "$@"\npwd\ngreet you\necho "$script $a $MGPU_STEP"\nenv | grep odd-name\n' +
      "cat\n[ -t 0 ] || echo no terminal\n";
    const step = batch(folder, script, {}, variables);
    await call(handlers, "holder.launch", step);
    expect((await ended(handlers, step.key)).exits).toEqual([{ code: 0, signal: 0 }]);
    const { jobId } = step.key;
    expect(output(folder)).toBe(
      `leads\nfirst -second\n${folder}\ngreetings, you\nmine kept ${jobId}.1.batch\nodd-name=x\nno terminal\n`,
    );
  });

  test("INT, about which shells say nothing, is a signal when it was sent, and a code when not", async () => {
    const { handlers, folder } = openHolder(isEager);
    const sent = batch(makeFolder(folder, "a"), "#!/bin/sh\necho ready\nexec sleep 1000\n");
    await call(handlers, "holder.launch", sent);
    await until(() => output(join(folder, "a")) === "ready\n", "the script");
    await until(
      async () => (await call(handlers, "holder.signal", { key: sent.key, signal: 2, tree: false })).signalled === 1,
      "the signal",
    );
    expect((await ended(handlers, sent.key)).exits).toEqual([{ code: 0, signal: 2 }]);
    const own = batch(makeFolder(folder, "b"), "#!/bin/sh\nexit 130\n");
    await call(handlers, "holder.launch", own);
    expect((await ended(handlers, own.key)).exits).toEqual([{ code: 130, signal: 0 }]);
  });

  test("signals reach the script alone, or all of it; never the wrapper", async () => {
    const { handlers, folder } = openHolder(isEager);
    const script =
      "#!/bin/bash\ntrap 'echo script' USR1\n(trap 'echo child' USR1; echo ready; while :; do sleep 0.01; done) &\n" +
      "while :; do sleep 0.01; done\n";
    const step = batch(folder, script);
    await call(handlers, "holder.launch", step);
    await until(() => output(folder) === "ready\n", "the traps");
    expect(await call(handlers, "holder.signal", { key: step.key, signal: 10, tree: false })).toEqual({ signalled: 1 });
    await until(() => output(folder) === "ready\nscript\n", "the script's trap");
    await call(handlers, "holder.signal", { key: step.key, signal: 10, tree: true });
    await until(() => output(folder).includes("child\n"), "the child's trap");
    await call(handlers, "holder.terminate", { jobId: step.key.jobId, attempt: 1, killWaitMs: 5000 });
    expect((await ended(handlers, step.key)).exits).toEqual([{ code: 0, signal: 15 }]);
  });

  test("terminating spares the wrapper, kills what ignores TERM, and answers after the exit is known", async () => {
    const { handlers, folder } = openHolder(isEager);
    const step = batch(
      folder,
      "#!/bin/sh\ntrap '' TERM\n(setsid sleep 1000 &)\necho ready\nwhile :; do sleep 1; done\n",
    );
    await call(handlers, "holder.launch", step);
    await until(() => output(folder) === "ready\n", "the trap");
    await call(handlers, "holder.terminate", { jobId: step.key.jobId, attempt: 1, killWaitMs: 100 });
    const { steps } = await call(handlers, "holder.status", {});
    expect(steps[0]).toMatchObject({ phase: "ended", exits: [{ code: 0, signal: 9 }], clean: true, problem: "" });
  });

  test("terminated right after its launch it does not run on", async () => {
    const { handlers, folder, ports } = openHolder(isEager);
    const step = batch(folder, "#!/bin/sh\nsleep 1000\n");
    await call(handlers, "holder.launch", step);
    await call(handlers, "holder.terminate", { jobId: step.key.jobId, attempt: 1, killWaitMs: 1000 });
    expect((await ended(handlers, step.key)).exits).toEqual([{ code: 0, signal: 15 }]);
    expect(ports.table.find("")).toEqual([]);
  });

  test("limits are the script's, and of nobody who keeps its records", async () => {
    const { handlers, folder } = openHolder(isEager);
    const step = { ...batch(folder, "#!/bin/sh\n[ $(ulimit -S -f) = 0 ] || exit 3\n"), rlimits: { FSIZE: 0 } };
    const stdout = { to: "file", path: "/dev/null", append: true } as const;
    const tasks = step.tasks.map((one) => ({ ...one, stdout }));
    await call(handlers, "holder.launch", { ...step, tasks });
    expect((await ended(handlers, step.key)).exits).toEqual([{ code: 0, signal: 0 }]);
  });

  test("who attaches is told of the end, and the step is forgotten without a client", async () => {
    const { handlers, folder } = openHolder(isEager);
    const step = batch(folder, "#!/bin/sh\nexit 3\n");
    await call(handlers, "holder.launch", step);
    const result = await attach(handlers, step.key).done;
    expect(result).toEqual({ exits: [{ task: 0, exit: { code: 3, signal: 0 } }], problem: "" });
    await call(handlers, "holder.forget", { key: step.key });
    expect(await call(handlers, "holder.status", {})).toEqual({ steps: [] });
  });
});

describe.each(WAYS)("a script that can't run, started %s", (_way, isEager) => {
  test.each([
    ["echo no first line\n", /^This does not look like a batch script\./, 8],
    ["", /^This does not look like a batch script\./, 8],
    ["#!/no/such/shell\n", /^execve\(\): bad interpreter\(\/no\/such\/shell\): No such file or directory$/, 2],
    ["#!/bin/sh\r\nexit 0\r\n", /^execve\(\): bad interpreter\(\/bin\/sh\r\): No such file or directory$/, 2],
  ])("%j", async (script, problem, code) => {
    const { handlers, folder } = openHolder(isEager);
    const step = await call(handlers, "holder.launch", batch(folder, script));
    expect(step.problem).toMatch(problem);
    expect(step).toMatchObject({ phase: "ended", exits: [{ code, signal: 0 }] });
  });

  test("an output file that can't be had, a spool that is not there", async () => {
    const { handlers, folder } = openHolder(isEager);
    const step = batch(folder, "#!/bin/sh\n", { stdout: { to: "file", path: "/proc/no/out", append: false } });
    const { problem } = await call(handlers, "holder.launch", step);
    expect(problem).toBe("Could not open stdout file /proc/no/out: No such file or directory");
    const lost = { ...step, key: stepKey("batch"), batch: { script: Buffer.from("#!/bin/sh\n"), spool: "/no/spool" } };
    expect((await call(handlers, "holder.launch", lost)).problem).toMatch(
      /^Could not write the batch script \/no\/spool\/script: No such/,
    );
  });
});

describe.each(WAYS)("without its holder, started %s", (_way, isEager) => {
  const HOLDER = `
    import { createHolder } from "./src/node/holder/holder.ts";
    import { realPorts } from "./test/unit/holder/ports.ts";
    const [scope, step] = process.argv.slice(2);
    const { batch, ...rest } = JSON.parse(step);
    const holder = createHolder(realPorts(scope, ${isEager}));
    const script = Buffer.from(batch.script);
    const launched = await holder.handlers["holder.launch"]({ ...rest, batch: { ...batch, script } });
    console.log(launched.phase);
  `;

  test("a script outlives the holder's kill, and its end is read from the spool", async () => {
    const { folder, ports, handlers } = openHolder(isEager);
    const step = batch(folder, "#!/bin/bash\necho ready\nwhile [ ! -e go ]; do sleep 0.02; done\nkill -USR1 $$\n");
    const program = join(folder, "holder.mjs");
    const source = { contents: HOLDER, resolveDir: process.cwd(), loader: "ts" } as const;
    await build({ stdin: source, outfile: program, bundle: true, platform: "node", format: "esm", logLevel: "error" });
    const plain = {
      ...step,
      batch: { spool: step.batch?.spool, script: Buffer.from(step.batch?.script ?? []).toString() },
    };
    const holder = spawn(process.execPath, [program, folder, JSON.stringify(plain)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = new Promise((resolve) => holder.once("exit", resolve));
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const spool = step.batch?.spool ?? "";
    const read = () => readBatchExit(spool, ports.processes, ports.table);
    await until(() => readWrapper(spool, ports.processes) !== null && output(folder) === "ready\n", "the script");
    holder.kill("SIGKILL");
    await gone;
    expect(read()).toEqual({ phase: "running" });
    await expect(call(handlers, "holder.launch", step)).rejects.toMatchObject({ code: "LAUNCH" });
    expect(ports.table.find(`${step.key.jobId}.1.`).length).toBeGreaterThan(0);
    writeFileSync(join(folder, "go"), "");
    const last = await until(() => (read().phase === "running" ? null : read()), "the script's end");
    expect(last).toEqual({ phase: "ended", exit: { code: 0, signal: 10 } });
    await until(() => ports.table.find("").length === 0, "nothing is left");
  });

  test("a wrapper that was killed is a loss", async () => {
    const { handlers, folder, ports } = openHolder(isEager);
    const step = batch(folder, "#!/bin/sh\necho ready\nsleep 1000\n");
    const spool = step.batch?.spool ?? "";
    expect(readBatchExit(spool, ports.processes, ports.table)).toMatchObject({ phase: "lost", cause: /not started/ });
    await call(handlers, "holder.launch", step);
    const wrapper = await until(() => readWrapper(spool, ports.processes), "the wrapper");
    await until(() => output(folder) === "ready\n", "the script");
    ports.table.signal(wrapper, 9);
    const lost = await ended(handlers, step.key);
    expect(lost).toMatchObject({ exits: [{ code: 0, signal: 9 }], clean: false });
    expect(lost.problem).toMatch(/^the shell that ran the batch script was killed/);
    await call(handlers, "holder.terminate", { jobId: step.key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("what starts scripts may be killed: those that run are not lost, and others start", async () => {
    const { handlers, folder } = openHolder(isEager);
    const script = "#!/bin/sh\necho ready\nwhile [ ! -e go ]; do sleep 0.02; done\nexit 9\n";
    const [first, second] = [batch(makeFolder(folder, "a"), script), batch(makeFolder(folder, "b"), script)];
    await call(handlers, "holder.launch", first);
    await until(() => output(join(folder, "a")) === "ready\n", "the first script");
    for (const pid of forkers()) process.kill(pid, "SIGKILL");
    await until(() => forkers().length === 0, "the program's end");
    await call(handlers, "holder.launch", second);
    await until(() => output(join(folder, "b")) === "ready\n", "the second script");
    for (const name of ["a", "b"]) writeFileSync(join(folder, name, "go"), "");
    for (const { key } of [first, second]) expect((await ended(handlers, key)).exits).toEqual([{ code: 9, signal: 0 }]);
  });
});

test("a folder that a script had is the next one's, once the first is forgotten; its records are not", async () => {
  const { handlers, folder, ports } = openHolder(true);
  const start = async (name: string, text: string) => {
    const step = batch(folder, text);
    const spool = join(folder, name);
    await call(handlers, "holder.launch", { ...step, batch: { script: Buffer.from(text), spool } });
    const read = () => readBatchExit(spool, ports.processes, ports.table);
    return { step, spool, read, inode: lstatSync(spool).ino };
  };
  rmSync(makeFolder(folder, "spool"), { recursive: true });
  const first = await start("a", "#!/bin/sh\nexit 200\n");
  await ended(handlers, first.step.key);
  expect(first.read()).toEqual({ phase: "ended", exit: { code: 200, signal: 0 } });
  await call(handlers, "holder.forget", { key: first.step.key });
  rmSync(join(folder, "spool"), { recursive: true });
  const second = await start("b", "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.02; done\nexit 4\n");
  expect(second.inode).toBe(first.inode);
  expect(second.read()).toEqual({ phase: "running" });
  expect(readWrapper(first.spool, ports.processes)).toBe(null);
  writeFileSync(join(folder, "go"), "");
  expect((await ended(handlers, second.step.key)).exits).toEqual([{ code: 4, signal: 0 }]);
  expect(second.read()).toEqual({ phase: "ended", exit: { code: 4, signal: 0 } });
  // One that was killed leaves a word of that: its folder is nobody else's.
  await call(handlers, "holder.forget", { key: second.step.key });
  rmSync(join(folder, "spool"), { recursive: true });
  const third = await start("c", "#!/bin/sh\nkill -9 $$\n");
  expect((await ended(handlers, third.step.key)).exits).toEqual([{ code: 0, signal: 9 }]);
  await call(handlers, "holder.forget", { key: third.step.key });
  rmSync(join(folder, "spool"), { recursive: true });
  const fourth = await start("d", "#!/bin/sh\nexit 137\n");
  expect((await ended(handlers, fourth.step.key)).exits).toEqual([{ code: 137, signal: 0 }]);
  expect(fourth.read()).toEqual({ phase: "ended", exit: { code: 137, signal: 0 } });
});

describe("the spool's files", () => {
  const files = (contents: Record<string, string>) => ({ readText: (path: string) => contents[path.slice(3)] ?? null });
  const pid = '{"pid":5,"startTicks":77}\n';
  const alive = { isAlive: () => true };
  const dead = { isAlive: () => false };

  test("an exit status counts only when it is whole", () => {
    expect(readBatchExit("/s", files({ pid, exit: "14" }), alive)).toEqual({ phase: "running" });
    expect(readBatchExit("/s", files({ pid, exit: "14" }), dead)).toMatchObject({ phase: "lost" });
    expect(readBatchExit("/s", files({ pid, exit: "14\n" }), dead)).toEqual({
      phase: "ended",
      exit: { code: 14, signal: 0 },
    });
    // Where a record of a script before was: blanks, or what a keeper wrote over them.
    expect(readBatchExit("/s", files({ pid: `${pid}    `, exit: "    " }), alive)).toEqual({ phase: "running" });
    expect(readBatchExit("/s", files({ pid: "    ", exit: "    " }), alive)).toMatchObject({ cause: /not started/ });
    expect(readBatchExit("/s", files({ pid, exit: "14      " }), dead)).toMatchObject({ phase: "lost" });
    expect(readBatchExit("/s", files({ pid, exit: "14\n     " }), dead)).toMatchObject({ exit: { code: 14 } });
  });

  test("a word of the shell makes a signal of a status above 128, and only of a possible one", () => {
    const exit = (status: number, more: Record<string, string>) =>
      readBatchExit("/s", files({ pid, exit: `${status}\n`, ...more }), dead);
    expect(exit(143, { "wrapper.err": "Terminated\n" })).toMatchObject({ exit: { code: 0, signal: 15 } });
    expect(exit(143, { "wrapper.err": "" })).toMatchObject({ exit: { code: 143, signal: 0 } });
    expect(exit(14, { "wrapper.err": "noise\n" })).toMatchObject({ exit: { code: 14, signal: 0 } });
    expect(exit(255, { "wrapper.err": "noise\n" })).toMatchObject({ exit: { code: 255, signal: 0 } });
    expect(exit(130, { interrupted: "2\n" })).toMatchObject({ exit: { code: 0, signal: 2 } });
    expect(exit(141, { interrupted: "2\n" })).toMatchObject({ exit: { code: 141, signal: 0 } });
  });

  test("an environment is split by what a shell passes on", () => {
    expect(splitEnvironment({ A_1: "x", "BASH_FUNC_f%%": "y", "1a": "z", "": "none" })).toEqual({
      passed: { A_1: "x" },
      dropped: { "BASH_FUNC_f%%": "y", "1a": "z" },
    });
  });

  test.each(["/bin/dash", "/bin/bash"])("the wrapper does the same under %s", async (shell) => {
    const { folder, ports } = openHolder();
    const spool = makeFolder(folder, "spool");
    writeFileSync(join(spool, "script"), "#!/bin/sh\nkill -HUP $$\n", { mode: 0o700 });
    const [file = "", ...argv] = wrapperArgv(
      shell,
      spool,
      { X: "1" },
      { env: "/usr/bin/env", setsid: "/usr/bin/setsid" },
      [],
    );
    const errors = await ports.processes.openOutput(join(spool, "wrapper.err"));
    const none = await ports.processes.openOutput("/dev/null");
    if ("problem" in errors || "problem" in none) throw new Error("no files");
    await new Promise<void>((resolve) => {
      const descriptors = ["ignore" as const, errors.value, errors.value, none.value, none.value, none.value];
      spawn(file, argv, { stdio: descriptors, env: { LC_ALL: "no_SUCH", PATH: "" } }).once("exit", () => resolve());
    });
    for (const { value } of [errors, none]) ports.processes.closeDescriptor(value);
    expect(readBatchExit(spool, ports.processes, ports.table)).toEqual({
      phase: "ended",
      exit: { code: 0, signal: 1 },
    });
  });
});
