/** What a job's own output says about its end, or about why it could not start. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHolder } from "../../../src/node/holder/holder.ts";
import type { StepLaunch, TaskLaunch, TerminateCause } from "../../../src/protocol/holder.ts";
import {
  attach,
  call,
  ended,
  launch,
  makeFolder,
  openHolder,
  runToEnd,
  shell,
  stepKey,
  task,
  until,
} from "./harness.ts";
import { realPorts } from "./ports.ts";

const TERM_TELLS = "trap 'echo told >&2; exit 0' TERM; echo ready; sleep 1000 & wait";
const AT = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d";

type Handlers = ReturnType<typeof openHolder>["handlers"];

function terminate(handlers: Handlers, step: StepLaunch, cause: TerminateCause = "cancelled", scripts: string[] = []) {
  const { jobId, attempt } = step.key;
  const notice = { cause, node: "n1", scripts };
  return call(handlers, "holder.terminate", { jobId, attempt, killWaitMs: 10_000, notice });
}

function line(entity: string, why = ""): string {
  return `slurmstepd: error: \\*\\*\\* ${entity} ON n1 CANCELLED AT ${AT}${why} \\*\\*\\*\n`;
}

function file(path: string): TaskLaunch["stdout"] {
  return { to: "file", path, append: false };
}

describe("scontrol notify", () => {
  test("is heard on the first task's stderr, cleared of what steers terminals", async () => {
    const { handlers } = openHolder();
    const step = launch(stepKey(), [shell(TERM_TELLS), shell(TERM_TELLS, { task: 1 })]);
    await call(handlers, "holder.launch", step);
    const client = attach(handlers, step.key);
    await until(() => client.text(0) === "ready\n" && client.text(1) === "ready\n", "the start");
    const tell = (key: StepLaunch["key"]) =>
      call(handlers, "holder.notify", { key, message: "down at\u001b[2J noon", spool: null });
    expect(await tell(step.key)).toEqual({ said: true });
    expect(await tell({ ...step.key, stepId: 7 })).toEqual({ said: false });
    const { jobId, attempt } = step.key;
    await call(handlers, "holder.terminate", { jobId, attempt, killWaitMs: 10_000 });
    await client.done;
    expect(client.text(0, "err")).toBe("srun: down at?[2J noon\ntold\n");
    expect(client.text(1, "err")).toBe("told\n");
    expect(await tell(step.key)).toEqual({ said: false });
  });
});

describe("a step that is ended", () => {
  test.each<[TerminateCause, string]>([
    ["cancelled", ""],
    ["time limit", " DUE TO TIME LIMIT"],
    ["node failure", " DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS"],
    ["preempted", " DUE TO PREEMPTION"],
    ["requeue", " DUE TO JOB REQUEUE"],
  ])("is told so on its first task's stderr, before TERM: %s", async (cause, why) => {
    const { handlers } = openHolder();
    const step = launch(stepKey(), [shell(TERM_TELLS), shell(TERM_TELLS, { task: 1 })]);
    await call(handlers, "holder.launch", step);
    const client = attach(handlers, step.key);
    await until(() => client.text(0) === "ready\n" && client.text(1) === "ready\n", "the start");
    await terminate(handlers, step, cause);
    await client.done;
    const told = new RegExp(`^${line(`STEP ${step.key.jobId}\\.0`, why)}told\n$`);
    expect(client.text(0, "err")).toMatch(told);
    expect(client.text(1, "err")).toBe("told\n");
    expect(client.text(0)).toBe("ready\n");
  });

  test("wherever that goes: to stdout, or to a file", async () => {
    const { handlers, folder } = openHolder();
    const joined = launch(stepKey(), [shell(TERM_TELLS, { stderr: { to: "stdout" } })]);
    await call(handlers, "holder.launch", joined);
    const client = attach(handlers, joined.key);
    await until(() => client.text() === "ready\n", "the start");
    await terminate(handlers, joined);
    await client.done;
    expect(client.text()).toMatch(new RegExp(`^ready\n${line(`STEP ${joined.key.jobId}\\.0`)}told\n$`));
    const errors = join(folder, "errors");
    const filed = launch(stepKey(), [shell(TERM_TELLS, { stdout: file("out"), stderr: file("errors") })], {
      workDir: folder,
    });
    await call(handlers, "holder.launch", filed);
    await until(() => existsSync(join(folder, "out")) && readFileSync(join(folder, "out"), "utf8") !== "", "the start");
    await terminate(handlers, filed);
    expect(readFileSync(errors, "utf8")).toMatch(new RegExp(`^${line(`STEP ${filed.key.jobId}\\.0`)}told\n$`));
  });

  test("a part without the first task, a terminal, a FIFO, and one ended without a cause are told nothing", async () => {
    const { handlers, folder } = openHolder();
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    const other = launch(stepKey(), [shell(TERM_TELLS, { task: 1 })]);
    const pty = launch(stepKey(), [shell(TERM_TELLS)], { pty: { columns: 80, rows: 24 } });
    for (const step of [other, pty]) {
      await call(handlers, "holder.launch", step);
      const client = attach(handlers, step.key);
      const number = step === other ? 1 : 0;
      await until(() => client.text(number).includes("ready"), "the start");
      await terminate(handlers, step);
      await client.done;
      expect(client.text(number) + client.text(number, "err")).not.toContain("slurmstepd");
    }
    const waiting = launch(stepKey(), [shell("true", { stderr: file(fifo) })]);
    await call(handlers, "holder.launch", waiting);
    await terminate(handlers, waiting);
    const plain = launch(stepKey(), [shell(TERM_TELLS)]);
    await call(handlers, "holder.launch", plain);
    const client = attach(handlers, plain.key);
    await until(() => client.text() === "ready\n", "the start");
    await call(handlers, "holder.terminate", { jobId: plain.key.jobId, attempt: 1, killWaitMs: 10_000 });
    await client.done;
    expect(client.text(0, "err")).toBe("told\n");
  });

  test("one that is over already is left as it is", async () => {
    const { handlers } = openHolder();
    const step = launch(stepKey(), [shell("echo done >&2")]);
    const client = await runToEnd(handlers, step);
    await terminate(handlers, step);
    expect(client.text(0, "err")).toBe("done\n");
    expect((await ended(handlers, step.key)).problem).toBe("");
  });
});

function batch(folder: string, script: string, more: Partial<TaskLaunch> = {}): StepLaunch {
  const streams = { stdout: file("out"), stderr: { to: "stdout" }, ...more } as const;
  return {
    ...launch(stepKey("batch"), [task(["script"], streams)]),
    workDir: folder,
    batch: { script: Buffer.from(script), spool: makeFolder(folder, "spool") },
  };
}

const text = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");

describe("a batch script that is ended", () => {
  const SCRIPT = `#!/bin/sh\n${TERM_TELLS}\n`;
  const isUp = (folder: string) => () => existsSync(join(folder, "out")) && text(folder, "out") === "ready\n";

  test("its job is told so in its output file, once", async () => {
    const { handlers, folder } = openHolder();
    const step = batch(folder, SCRIPT.replace("exit 0", ":"));
    await call(handlers, "holder.launch", step);
    await until(isUp(folder), "the start");
    const scripts = [join(folder, "spool")];
    const { jobId } = step.key;
    const both = [300, 500].map((killWaitMs) =>
      call(handlers, "holder.terminate", {
        ...{ jobId, attempt: 1, killWaitMs },
        notice: { cause: "time limit", node: "n1", scripts },
      }),
    );
    await Promise.all(both);
    expect(text(folder, "out")).toMatch(new RegExp(`^ready\n${line(`JOB ${jobId}`, " DUE TO TIME LIMIT")}told\n$`));
  });

  test("in its stderr, if that is another file; nowhere, if that is /dev/null", async () => {
    const { handlers, folder } = openHolder();
    for (const [name, stderr] of [
      ["a", file("errors")],
      ["b", file("/dev/null")],
      ["c", { to: "null" }],
    ] as const) {
      const own = makeFolder(folder, name);
      const step = batch(own, SCRIPT, { stderr });
      await call(handlers, "holder.launch", step);
      await until(isUp(own), "the start");
      await terminate(handlers, step, "cancelled", [join(own, "spool")]);
      expect(text(own, "out")).toBe("ready\n");
      if (name === "a") expect(text(own, "errors")).toMatch(new RegExp(`^${line(`JOB ${step.key.jobId}`)}told\n$`));
    }
  });

  test("also by a holder that did not start it", async () => {
    const { handlers, folder } = openHolder();
    const step = batch(folder, SCRIPT);
    await call(handlers, "holder.launch", step);
    await until(isUp(folder), "the start");
    const second = createHolder(realPorts(folder));
    await terminate(second.handlers, step, "node failure", [join(folder, "spool")]);
    expect(text(folder, "out")).toMatch(/^ready\nslurmstepd: error: .* DUE TO NODE FAILURE.*\ntold\n$/);
    await ended(handlers, step.key);
    second.close();
  });

  test("nothing is said of one that is over, nor into a file that was taken away", async () => {
    const { handlers, folder } = openHolder();
    const step = batch(folder, "#!/bin/sh\n(setsid sleep 1000 &)\n");
    await call(handlers, "holder.launch", step);
    await ended(handlers, step.key);
    await terminate(handlers, step, "cancelled", [join(folder, "spool")]);
    expect(text(folder, "out")).toBe("");
    const own = makeFolder(folder, "own");
    const gone = batch(own, SCRIPT.replace("echo ready", "rm out; echo up >up"));
    await call(handlers, "holder.launch", gone);
    await until(() => existsSync(join(own, "up")), "the start");
    await terminate(handlers, gone, "cancelled", [join(own, "spool")]);
    expect(existsSync(join(own, "out"))).toBe(false);
  });
});

describe("a batch script that can't start", () => {
  const LOST = "#!/no/such/sh\n";
  const PROBLEM = "slurmstepd: error: execve(): bad interpreter(/no/such/sh): No such file or directory\n";

  test("says why in its output file, behind what is there already", async () => {
    const { handlers, folder } = openHolder();
    writeFileSync(join(folder, "out"), "of an earlier run\n");
    expect(await call(handlers, "holder.launch", batch(folder, LOST))).toMatchObject({
      exits: [{ code: 2, signal: 0 }],
    });
    expect(text(folder, "out")).toBe(`of an earlier run\n${PROBLEM}`);
  });

  test("makes that file and its folders", async () => {
    const { handlers, folder } = openHolder();
    await call(handlers, "holder.launch", batch(folder, LOST, { stderr: file("logs/errors") }));
    expect(text(folder, "logs/errors")).toBe(PROBLEM);
  });

  test("for want of its input, or of its output", async () => {
    const { handlers, folder } = openHolder();
    const streams = {
      stdin: { from: "file", path: "missing.in" },
      stdout: file("/proc/no/out"),
      stderr: file("errors"),
    } as const;
    await call(handlers, "holder.launch", batch(folder, "#!/bin/sh\n", streams));
    expect(text(folder, "errors")).toBe(
      `slurmstepd: error: Could not open stdin file ${folder}/missing.in: No such file or directory\n` +
        "slurmstepd: error: Could not open stdout file /proc/no/out: No such file or directory\n",
    );
  });

  test("in stdout's file where stderr's can't be opened", async () => {
    const { handlers, folder } = openHolder();
    await call(handlers, "holder.launch", batch(folder, "#!/bin/sh\n", { stderr: file("/proc/no/errors") }));
    expect(text(folder, "out")).toBe(
      "slurmstepd: error: Could not open stderr file /proc/no/errors: No such file or directory\n",
    );
  });

  test("for want of its folder, in a file elsewhere", async () => {
    const { handlers, folder } = openHolder();
    const step = { ...batch(folder, "#!/bin/sh\n", { stdout: file(join(folder, "out")) }), workDir: "/no/such" };
    await call(handlers, "holder.launch", step);
    expect(text(folder, "out")).toBe("slurmstepd: error: couldn't chdir to /no/such: No such file or directory\n");
  });
});
