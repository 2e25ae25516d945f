/** Programs of users get the limit of open files that mgpu was started with, not the one that Node raises. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHolder } from "../../../src/node/holder/holder.ts";
import { taskOpener } from "../../../src/node/holder/task-opener.ts";
import type { StepLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, runToEnd, shell, stepKey, task } from "./harness.ts";

const SOFT = 300;
const HARD = execFileSync("sh", ["-c", "ulimit -H -n"], { encoding: "utf8" }).trim();
const LIMITS = `${SOFT}\n${HARD}\n`;
const SHOW = "ulimit -S -n; ulimit -H -n";

function openLimited() {
  const { ports, folder } = openHolder();
  const holder = createHolder({ ...ports, openFiles: SOFT });
  return { handlers: holder.handlers, folder };
}

describe("the soft limit is restored", () => {
  test("for every task, with the environment as it was", async () => {
    const { handlers } = openLimited();
    const environment = { "BASH_FUNC_greet%%": '() {  echo "greetings"\n}', PWD: "/nonsense", "odd-name": "x" };
    const show = task(["bash", "-c", `${SHOW}; greet; env | grep -c odd-name`], { environment });
    const step = launch(stepKey(), [show, { ...show, task: 1 }, task(["env"], { task: 2, environment })]);
    const client = await runToEnd(handlers, step);
    for (const number of [0, 1]) expect(client.text(number)).toBe(`${LIMITS}greetings\n1\n`);
    expect(client.text(2)).toContain("PWD=/nonsense\n");
    expect(client.text(2)).not.toMatch(/^(SHLVL|OLDPWD)=/m);
  });

  test("on a terminal", async () => {
    const { handlers } = openLimited();
    const step = launch(stepKey(), [shell(`${SHOW}; tty`)], { pty: { columns: 80, rows: 24 } });
    const client = await runToEnd(handlers, step);
    expect(client.text()).toMatch(new RegExp(`^${SOFT}\r\n${HARD}\r\n/dev/pts/\\d+\r\n$`));
  });

  test("for a batch script, which still leads its session and gets its arguments", async () => {
    const { handlers, folder } = openLimited();
    const script = `#!/bin/sh\n${SHOW}\nread -r _ _ _ _ group _ </proc/$$/stat\n[ $$ = $group ] && echo "$@"\n`;
    const streams = { stdout: { to: "file", path: "out", append: false }, stderr: { to: "stdout" } } as const;
    const step: StepLaunch = {
      ...launch(stepKey("batch"), [task(["script", "a b", "-c"], streams)]),
      workDir: folder,
      batch: { script: Buffer.from(script), spool: makeFolder(folder, "spool") },
    };
    await call(handlers, "holder.launch", step);
    expect((await ended(handlers, step.key)).exits).toEqual([{ code: 0, signal: 0 }]);
    expect(readFileSync(join(folder, "out"), "utf8")).toBe(`${LIMITS}a b -c\n`);
  });

  test("together with a FIFO", async () => {
    const { handlers, folder } = openLimited();
    const fifo = join(folder, "in");
    execFileSync("mkfifo", [fifo]);
    const key = stepKey();
    await call(
      handlers,
      "holder.launch",
      launch(key, [shell(`cat; ${SHOW}`, { stdin: { from: "file", path: fifo } })]),
    );
    const client = attach(handlers, key);
    await writeFile(fifo, "typed\n");
    await client.done;
    expect(client.text()).toBe(`typed\n${LIMITS}`);
  });
});

test("problems and exits are told as without it", async () => {
  const { handlers } = openLimited();
  const missing = await call(handlers, "holder.launch", launch(stepKey(), [task(["nosuch"])]));
  expect(missing).toMatchObject({ problem: "execve(): nosuch: No such file or directory", exits: [{ code: 2 }] });
  const long = await call(handlers, "holder.launch", launch(stepKey(), [task(["true", "x".repeat(200_000)])]));
  expect(long.problem).toMatch(/^execve\(\): .*true: Argument list too long$/);
  const client = await runToEnd(handlers, launch(stepKey(), [shell("kill -USR1 $$")]));
  expect((await client.done).exits).toEqual([{ task: 0, exit: { code: 0, signal: 10 } }]);
});

test("the shell before a program sets it, and leaves arguments and environment as they are", () => {
  const found = {
    findProgram: (name: string) => ({ file: execFileSync("which", [name]).toString().trim() }),
  };
  const environment = { "a-b": "c" };
  const nothing = { fifos: new Map(), sharesOutput: false, umask: undefined, rlimits: undefined, remark: undefined };
  const [file = "", ...rest] = taskOpener(found, { ...nothing, environment, openFiles: SOFT });
  const options = { encoding: "utf8", env: { PATH: process.env.PATH } } as const;
  const shown = execFileSync(
    file,
    [...rest, "/bin/bash", "-c", `${SHOW}; env | grep a-b; echo "$1"`, "sh", "x y"],
    options,
  );
  expect(shown).toBe(`${LIMITS}a-b=c\nx y\n`);
});
