/** What a task's process has before its program begins: mask, limits, pid, remarks; with every shell that is here. */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type TaskOpening, taskOpener } from "../../../src/node/holder/task-opener.ts";
import type { StepLaunch, TaskLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, runToEnd, shell, stepKey, task } from "./harness.ts";
import { realPorts } from "./ports.ts";

const REPORT = "umask; ulimit -S -n; ulimit -S -c; echo $SLURM_TASK_PID $$";

const PLAIN: TaskOpening = {
  ...{
    fifos: new Map(),
    sharesOutput: false,
    umask: undefined,
    rlimits: undefined,
    openFiles: null,
    remark: undefined,
  },
  environment: {},
};

async function runStep(tasks: TaskLaunch[], more: Partial<StepLaunch>) {
  const { handlers } = openHolder();
  return runToEnd(handlers, launch(stepKey(), tasks, more));
}

describe("a task's process", () => {
  test("has the mask, the limits and its own pid, of a plain step", async () => {
    const client = await runStep([shell(REPORT)], { umask: 0o27, rlimits: { NOFILE: 256, CORE: 512 * 3 } });
    expect(client.text(0, "err")).toBe("");
    expect(client.text()).toMatch(/^0027\n256\n3\n(\d+) \1\n$/);
  });

  test("is bound to its CPUs, and tells so with its own pid", async () => {
    const report = { before: "cpu-bind=MAP  - n1, task  0  0 [", after: "]: mask 0x1 set" };
    const bound = { ...shell("grep Cpus_allowed_list /proc/self/status; echo $$"), cpuBind: { cpus: [0], report } };
    const client = await runStep([bound], {});
    const pid = /^Cpus_allowed_list:\t0\n(\d+)\n$/.exec(client.text())?.[1];
    expect(client.text(0, "err")).toBe(`cpu-bind=MAP  - n1, task  0  0 [${pid}]: mask 0x1 set\n`);
  });

  test("runs unbound where it can't be bound, and says so", async () => {
    const client = await runStep([{ ...shell("echo ran"), cpuBind: { cpus: [4095] } }], {});
    expect(client.text()).toBe("ran\n");
    expect(client.text(0, "err")).toBe("slurmstepd: error: --cpu-bind: taskset can't bind the task to the CPUs 4095\n");
    const missing = { ...PLAIN, cpuBind: { cpus: [0] } };
    const none = { findProgram: () => ({ problem: { code: "ENOENT", number: 2, text: "No such file or directory" } }) };
    expect(taskOpener(none, missing).join("\n")).toContain("this node has no taskset (package util-linux)");
  });

  test("of a step with a terminal, too", async () => {
    const pty = { columns: 80, rows: 24 };
    const client = await runStep([shell(REPORT)], { pty, umask: 0o27, rlimits: { NOFILE: 256, CORE: 0 } });
    expect(client.text().replaceAll("\r", "")).toMatch(/^0027\n256\n0\n(\d+) \1\n$/);
  });

  test("of a batch script, too; its output file has the mode that the mask gives", async () => {
    const { handlers, folder } = openHolder();
    const path = join(folder, "out");
    const out = { stdout: { to: "file", path, append: false }, stderr: { to: "stdout" } } as const;
    const script = Buffer.from(`#!/bin/sh\n${REPORT}\n`);
    const batch = { script, spool: makeFolder(folder, "spool") };
    const limits = { umask: 0o007, rlimits: { NOFILE: 256, CORE: 1024 } };
    const step = launch(stepKey("batch"), [task(["script"], out)], { batch, ...limits });
    await call(handlers, "holder.launch", step);
    await ended(handlers, step.key);
    expect(readFileSync(path, "utf8")).toMatch(/^0007\n256\n2\n(\d+) \1\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test("gets as much as the node allows, with a warning where that is less than asked for", async () => {
    const most = execFileSync("sh", ["-c", "ulimit -H -n"], { encoding: "utf8" }).trim();
    const asked = 1_000_000_000;
    const many = await runStep([shell("ulimit -S -n")], { rlimits: { NOFILE: asked } });
    expect(many.text()).toBe(`${most}\n`);
    expect(many.text(0, "err")).toBe(
      `slurmstepd: error: RLIMIT_NOFILE of ${asked} is more than this node allows: ${most}\n`,
    );
    const all = await runStep([shell("ulimit -S -n")], { rlimits: { NOFILE: -1 } });
    expect([all.text(), all.text(0, "err")]).toEqual([`${most}\n`, ""]);
  });

  test("has the node's own limit of open files where the user named none", () => {
    const { processes } = realPorts("task-opener");
    const text = (rlimits: Record<string, number>) => taskOpener(processes, { ...PLAIN, openFiles: 300, rlimits })[2];
    expect(text({ CORE: 0 })).toContain("ulimit -S -n 300\n");
    expect(text({ NOFILE: 1024 })).not.toContain("300");
  });

  test("says its remark first", async () => {
    const client = await runStep([shell("echo mine >&2", { remark: "it's bound: $HOME" })], {});
    expect(client.text(0, "err")).toBe("it's bound: $HOME\nmine\n");
  });

  test("has the environment as it was given, shells or not", async () => {
    const variables = { PWD: "/it's elsewhere", SHLVL: "3", "BASH_FUNC_hi%%": "() {  echo hi; }" };
    const bash = task(["bash", "-c", "hi; pwd"], { environment: variables });
    expect((await runStep([bash], { workDir: "/usr" })).text()).toBe("hi\n/usr\n");
    const printed = await runStep([task(["printenv", "SHLVL", "PWD"], { environment: variables })], {});
    expect(printed.text()).toBe("3\n/it's elsewhere\n");
  });

  test("ends as the program does that it became", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("kill -SEGV $$")], { umask: 0 }));
    await attach(handlers, key).done;
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 11 }]);
  });
});

describe("the opener's shell text", () => {
  const { processes } = realPorts("task-opener");
  // Each under the name that makes it the shell that /bin/sh is elsewhere.
  const folder = mkdtempSync(join(tmpdir(), "mgpu-shells-"));
  const SHELLS = ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox"].filter((file) => existsSync(file));
  for (const [at, file] of SHELLS.entries()) {
    mkdirSync(join(folder, String(at)));
    symlinkSync(file, join(folder, String(at), "sh"));
  }
  const run = (shellFile: string, text: string, ...argv: string[]): string =>
    execFileSync(join(folder, String(SHELLS.indexOf(shellFile)), "sh"), ["-c", text, "sh", ...argv], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: {},
    });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(SHELLS)("sets every limit by its name in %s", (file) => {
    const rlimits = {
      ...{ AS: 2 ** 40, CORE: 1024, CPU: 1000, DATA: 2 ** 40, FSIZE: 2 ** 30, MEMLOCK: 4096 },
      ...{ NOFILE: 100, NPROC: 4000, RSS: 2 ** 30, STACK: 2 ** 20, UNKNOWN: 5 },
    };
    const [, , text = ""] = taskOpener(processes, { ...PLAIN, rlimits });
    const limits = run(file, text, "/bin/cat", "/proc/self/limits");
    const soft = (name: string): string | undefined => new RegExp(`^${name} +(\\S+)`, "m").exec(limits)?.[1];
    expect(soft("Max address space")).toBe(String(2 ** 40));
    expect(soft("Max core file size")).toBe("1024");
    expect(soft("Max cpu time")).toBe("1000");
    expect(soft("Max data size")).toBe(String(2 ** 40));
    expect(soft("Max file size")).toBe(String(2 ** 30));
    expect(soft("Max locked memory")).toBe("4096");
    expect(soft("Max open files")).toBe("100");
    expect(soft("Max processes")).toBe("4000");
    expect(soft("Max resident set")).toBe(String(2 ** 30));
    expect(soft("Max stack size")).toBe(String(2 ** 20));
  });

  test.each(SHELLS)("adds nothing to the environment but the pid in %s", (file) => {
    const [, , text = ""] = taskOpener(processes, PLAIN);
    const names = run(file, text, "/usr/bin/env")
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["", "_", "SHLVL"].includes(name ?? ""))).toEqual(["SLURM_TASK_PID"]);
  });
});

describe("a task prolog", () => {
  const says = (text: string, then = "") => {
    const { folder } = openHolder();
    const path = join(folder, "prolog");
    writeFileSync(path, `#!/bin/sh\n${text}\n${then}\n`, { mode: 0o755 });
    return path;
  };

  test("sets, removes and prints as Slurm's does; all else of its output is nothing", async () => {
    const value = "a 'b' $HOME `x` \\\\ =c";
    const lines = [
      `export NEW=${value}`,
      "export 1BAD=x",
      "export PPID=3",
      "unset GONE",
      "unset a-b",
      "print  hello $x",
    ];
    const path = says(
      `cat <<'E'\n${[...lines, "echo no", "export NOTHING"].join("\n")}\nE\necho pid $SLURM_TASK_PID >&2`,
    );
    const report = shell('printf "%s\\n" "$NEW|${GONE-none}|$KEPT|${_mgpu_said-}${_mgpu_line-}|$$"', {
      environment: { GONE: "1", KEPT: "k" },
    });
    const client = await runStep([report], { prolog: path });
    const pid = /pid (\d+)/.exec(client.text(0, "err"))?.[1];
    expect(client.text()).toBe(` hello $x\n${value}|none|k||${pid}\n`);
  });

  test("that fails, or is missing, is told of, and the task runs", async () => {
    const client = await runStep([shell("echo ran")], { prolog: says("exit 4") });
    expect(client.text(0, "err")).toBe("slurmstepd: error: --task-prolog failed status=4\n");
    expect(client.text()).toBe("ran\n");
    const missing = await runStep([shell("echo ran")], { prolog: "/no/prolog", epilog: "/no/epilog" });
    expect(missing.text(0, "err")).toContain("--task-epilog: /no/epilog: No such file");
    expect(missing.text(0, "err")).toContain("--task-prolog failed status=127");
    expect(missing.text()).toBe("ran\n");
  });

  test.each([null, { columns: 80, rows: 24 }])("and an epilog run around each task (terminal: %s)", async (pty) => {
    const { folder } = openHolder();
    const note = (word: string) => says(`echo ${word} $SLURM_TASK_PID $N >> ${folder}/notes`);
    const environment = { N: "7" };
    const step = { pty, prolog: note("before"), epilog: note("after") };
    const client = await runStep([shell(`echo $$ task >> ${folder}/notes; exit 3`, { environment })], step);
    expect((await client.done).exits[0]?.exit).toEqual({ code: 3, signal: 0 });
    expect(readFileSync(`${folder}/notes`, "utf8")).toMatch(/^before (\d+) 7\n\1 task\nafter 7\n$/);
  });
});
