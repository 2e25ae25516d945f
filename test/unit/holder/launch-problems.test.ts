import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StepLaunch, TaskLaunch } from "../../../src/protocol/holder.ts";
import {
  attach,
  call,
  ended,
  input,
  launch,
  makeFolder,
  openHolder,
  runToEnd,
  shell,
  stepKey,
  task,
  until,
} from "./harness.ts";

/** Root may write anywhere; these need a path that nobody can use. */
const NOWHERE = "/proc/nowhere/out.txt";

async function problemOf(handlers: ReturnType<typeof openHolder>["handlers"], step: StepLaunch) {
  const { phase, exits, problem, clean } = await call(handlers, "holder.launch", step);
  expect([phase, clean]).toEqual(["ended", true]);
  const attached = await attach(handlers, step.key).done;
  expect(attached.problem).toBe(problem);
  expect(attached.exits.map(({ exit }) => exit)).toEqual(exits);
  return { problem, codes: exits.map(({ code }) => code) };
}

async function check(
  tasks: TaskLaunch[],
  expected: { problem: string; codes: number[] },
  more: Partial<StepLaunch> = {},
) {
  const { handlers } = openHolder();
  expect(await problemOf(handlers, launch(stepKey(), tasks, more))).toEqual(expected);
}

describe("in Slurm's words", () => {
  test("a program that is not there", () =>
    check([task(["nosuch"])], { problem: "execve(): nosuch: No such file or directory", codes: [2] }));

  test("an empty name", () => check([task([])], { problem: "execve(): : No such file or directory", codes: [2] }));

  test("a path that is not there", () =>
    check([task(["./nosuch"])], { problem: "execve(): ./nosuch: No such file or directory", codes: [2] }));

  test("a folder", () => check([task(["/tmp"])], { problem: "execve(): /tmp: Is a directory", codes: [13] }));

  test("a work folder that is not there", () =>
    check(
      [task(["true"]), task(["true"], { task: 1 })],
      { problem: "couldn't chdir to /no/such: No such file or directory", codes: [1, 1] },
      { workDir: "/no/such" },
    ));

  test("files that can't be opened", () =>
    check(
      [
        task(["true"], { stdout: { to: "file", path: NOWHERE, append: false } }),
        task(["true"], { task: 1, stdin: { from: "file", path: "missing.txt" } }),
        task(["true"], { task: 2, stdin: { from: "file", path: "." } }),
        task(["true"], { task: 3, stdout: { to: "file", path: "/tmp", append: true } }),
      ],
      {
        problem:
          `Could not open stdout file ${NOWHERE}: No such file or directory\n` +
          "Could not open stdin file /tmp/missing.txt: No such file or directory\n" +
          "Could not open stdin file /tmp/.: Is a directory\n" +
          "Could not open stdout file /tmp: Is a directory",
        codes: [1, 1, 1, 1],
      },
    ));

  test("all of it at once, each once, and no task runs", async () => {
    const { handlers, folder } = openHolder();
    const mark = join(folder, "ran");
    const tasks = [
      shell(`touch ${mark}`),
      task(["nosuch"], { task: 1 }),
      task(["nosuch"], { task: 2 }),
      task(["true"], { task: 3, stderr: { to: "file", path: NOWHERE, append: true } }),
    ];
    expect(await problemOf(handlers, launch(stepKey(), tasks))).toEqual({
      problem:
        "execve(): nosuch: No such file or directory\n" +
        `Could not open stderr file ${NOWHERE}: No such file or directory`,
      codes: [0, 2, 2, 1],
    });
    expect(existsSync(mark)).toBe(false);
  });

  test("programs that may not, or can't, be executed", async () => {
    const { handlers, folder } = openHolder();
    const file = (name: string, text: string, mode: number): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    };
    const plain = file("plain", "text", 0o644);
    const text = file("text", "echo without a first line\n", 0o755);
    const lost = file("lost", "#!/no/such/python -u\n", 0o755);
    const problem = (path: string) => problemOf(handlers, launch(stepKey(), [task([path])]));
    expect(await problem(plain)).toEqual({ problem: `execve(): ${plain}: Permission denied`, codes: [13] });
    expect(await problem(text)).toEqual({ problem: `execve(): ${text}: Exec format error`, codes: [8] });
    expect(await problem(lost)).toEqual({
      problem: "execve(): bad interpreter(/no/such/python): No such file or directory",
      codes: [2],
    });
  });

  test("arguments beyond what the system takes: tasks started before are ended", async () => {
    const { handlers, ports, folder } = openHolder();
    const key = stepKey();
    const tasks = [shell("sleep 1000"), task(["true", "x".repeat(200_000)], { task: 1 })];
    const step = await call(handlers, "holder.launch", launch(key, tasks, { workDir: folder }));
    expect(step.problem).toMatch(/^execve\(\): .*true: Argument list too long$/);
    expect(step.exits).toEqual([
      { code: 0, signal: 0 },
      { code: 7, signal: 0 },
    ]);
    expect(ports.table.find("")).toEqual([]);
  });

  test("what no node daemon asks for is refused", async () => {
    const { handlers } = openHolder();
    const refused = (step: StepLaunch) =>
      expect(call(handlers, "holder.launch", step)).rejects.toMatchObject({ code: "BAD_PARAMS" });
    await refused(launch(stepKey(), []));
    await refused(launch(stepKey(), [task(["true"]), task(["true"])]));
    await refused(launch(stepKey(), [task(["true"])], { workDir: "here" }));
    await refused(launch(stepKey(), [task(["true"]), task(["true"], { task: 1 })], { pty: { columns: 80, rows: 24 } }));
  });
});

describe("programs are found", () => {
  test("in the PATH of the task, relative parts against the work folder", async () => {
    const { handlers, folder } = openHolder();
    mkdirSync(join(folder, "tools"));
    mkdirSync(join(folder, "first", "hello"), { recursive: true });
    writeFileSync(join(folder, "tools", "hello"), '#!/bin/sh\necho "hello from $0"\n', { mode: 0o755 });
    const hello = task(["hello"], { environment: { PATH: "first:tools:/usr/bin:/bin" } });
    const client = await runToEnd(handlers, launch(stepKey(), [hello], { workDir: folder }));
    expect(client.text()).toBe(`hello from ${folder}/tools/hello\n`);
  });

  test("by a path against the work folder", async () => {
    const { handlers, folder } = openHolder();
    writeFileSync(join(folder, "run"), "#!/bin/sh\npwd\n", { mode: 0o755 });
    const client = await runToEnd(handlers, launch(stepKey(), [task(["./run"])], { workDir: folder }));
    expect(client.text()).toBe(`${folder}\n`);
  });
});

describe("files", () => {
  test("missing parent folders are made, with mode 0755", async () => {
    const { handlers, folder } = openHolder();
    const path = join(folder, "a", "b", "out.txt");
    await runToEnd(handlers, launch(stepKey(), [shell("echo text", { stdout: { to: "file", path, append: false } })]));
    expect(readFileSync(path, "utf8")).toBe("text\n");
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o755);
  });

  test("truncate and append; relative names are the work folder's", async () => {
    const { handlers, folder } = openHolder();
    const run = (text: string, append: boolean) =>
      runToEnd(
        handlers,
        launch(stepKey(), [shell(text, { stdout: { to: "file", path: "out", append } })], { workDir: folder }),
      );
    await run("echo 1", false);
    await run("echo 2", false);
    await run("echo 3", true);
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("2\n3\n");
  });

  test("a launch that fails empties nothing", async () => {
    const { handlers, folder } = openHolder();
    const path = join(folder, "precious");
    writeFileSync(path, "kept");
    const tasks = [shell("true", { stdout: { to: "file", path, append: false } }), task(["nosuch"], { task: 1 })];
    await problemOf(handlers, launch(stepKey(), tasks));
    expect(readFileSync(path, "utf8")).toBe("kept");
  });

  test("several tasks share one file: nothing is overwritten", async () => {
    const { handlers, folder } = openHolder();
    const path = join(folder, "shared");
    const target = { to: "file", path, append: false } as const;
    const text = "for i in $(seq 1 200); do echo line of $TASK; done";
    const tasks = [0, 1, 2, 3].map((number) =>
      shell(text, { task: number, environment: { TASK: String(number) }, stdout: target, stderr: target }),
    );
    await runToEnd(handlers, launch(stepKey(), tasks));
    const lines = readFileSync(path, "utf8").trim().split("\n").sort();
    expect(lines).toHaveLength(800);
    for (const number of [0, 1, 2, 3]) expect(lines.filter((line) => line === `line of ${number}`)).toHaveLength(200);
  });

  test("each task reads all of the same file", async () => {
    const { handlers, folder } = openHolder();
    writeFileSync(join(folder, "in"), "data\n");
    const both = [0, 1].map((number) => task(["cat"], { task: number, stdin: { from: "file", path: "in" } }));
    const client = await runToEnd(handlers, launch(stepKey(), both, { workDir: folder }));
    expect([client.text(0), client.text(1)]).toEqual(["data\n", "data\n"]);
  });
  test("binary files pass exactly, from stdin to stdout", async () => {
    const { handlers, folder } = openHolder();
    const data = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) & 0xff));
    writeFileSync(join(folder, "in"), data);
    const copy = task(["cat"], {
      stdin: { from: "file", path: "in" },
      stdout: { to: "file", path: "out", append: false },
    });
    await runToEnd(handlers, launch(stepKey(), [copy], { workDir: folder }));
    expect(readFileSync(join(folder, "out")).equals(data)).toBe(true);
  });

  test("no descriptor and no pipe of one task is open in another, or left in the holder", async () => {
    const { handlers } = openHolder();
    const before = readdirSync("/proc/self/fd").length;
    const open = shell("ls -l /proc/self/fd | grep -c pipe:");
    const three = [0, 1, 2].map((number) => ({ ...open, task: number, stdin: { from: "client" } as const }));
    const key = stepKey();
    await runToEnd(handlers, launch(key, three));
    // The pipes kept ready, and nothing else.
    expect(readdirSync("/proc/self/fd").length - before).toBeLessThanOrEqual(17 + 2);
    await expect(input(handlers, key, { offset: 0, data: "x" })).rejects.toMatchObject({ code: "INPUT_CLOSED" });
  });
});

describe("FIFOs", () => {
  const makeFifo = (folder: string, name: string): string => {
    const path = join(folder, name);
    execFileSync("mkfifo", [path]);
    return path;
  };
  const reads = (path: string) => ({ stdin: { from: "file", path } }) as const;

  test("without a peer hold up nobody else, and are ended like any step", async () => {
    const { handlers, folder } = openHolder();
    const keys = [];
    for (let index = 0; index < 5; index++) {
      const fifo = makeFifo(folder, `f${index}`);
      const key = stepKey();
      keys.push(key);
      const target = index === 4 ? { stdout: { to: "file", path: fifo, append: false } as const } : reads(fifo);
      expect(await call(handlers, "holder.launch", launch(key, [shell("true", target)]))).toMatchObject({
        phase: "running",
      });
    }
    const out = { to: "file", path: join(folder, "out"), append: false } as const;
    await runToEnd(handlers, launch(stepKey(), [shell("echo text", { stdout: out })]));
    expect(readFileSync(out.path, "utf8")).toBe("text\n");
    for (const { jobId, attempt } of keys) await call(handlers, "holder.terminate", { jobId, attempt, killWaitMs: 0 });
    for (const key of keys) await ended(handlers, key);
  });

  test("a peer that comes later is waited for; its end is the program's end of input", async () => {
    const { handlers, folder } = openHolder();
    const [inFifo, outFifo] = [makeFifo(folder, "in $x"), makeFifo(folder, "out'")];
    const streams = {
      ...reads(inFifo),
      stdout: { to: "file", path: outFifo, append: false },
      stderr: { to: "stdout" },
      environment: { "odd-name": "kept", MGPU_DAEMON: "1" },
    } as const;
    const key = stepKey();
    const text = "cat; echo errors >&2; env | grep -e odd -e DAEMON; cd /proc/self/fd; echo [0-9] [0-9][0-9]; exit 3";
    await call(handlers, "holder.launch", launch(key, [task(["bash", "-c", text], streams)]));
    const got = readFile(outFifo, "utf8");
    await writeFile(inFifo, "typed\n");
    expect(await got).toBe("typed\nerrors\nodd-name=kept\n0 1 2 3 [0-9][0-9]\n");
    expect((await ended(handlers, key)).exits).toEqual([{ code: 3, signal: 0 }]);
  });

  test("a batch script's, too", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey("batch");
    const path = join(folder, "out");
    const streams = {
      ...reads(makeFifo(folder, "in")),
      stdout: { to: "file", path, append: false },
      stderr: { to: "stdout" },
    } as const;
    const script = '#!/bin/sh\ncat\nread -r _ _ _ _ group _ </proc/$$/stat\n[ $$ = $group ] && echo "$0" "$@"\n';
    const batch = { script: Buffer.from(script), spool: makeFolder(folder, "spool") };
    await call(handlers, "holder.launch", launch(key, [task(["x", "a b"], streams)], { batch }));
    await writeFile(join(folder, "in"), "typed\n");
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 0 }]);
    await until(() => readFileSync(path, "utf8") === `typed\n${batch.spool}/script a b\n`, "the output");
  });
});
