import { describe, expect, test } from "vitest";
import { createHolder } from "../../../src/node/holder/holder.ts";
import type { StepLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, shell, stepKey, TOKEN, task, until } from "./harness.ts";
import { realPorts } from "./ports.ts";

describe("signal", () => {
  test("the first process of each task only, or all of them", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const text =
      "trap 'echo parent' USR1; (trap 'echo child' USR1; echo ready; while :; do sleep 0.01; done) & " +
      "while :; do sleep 0.01; done";
    await call(handlers, "holder.launch", launch(key, [shell(text)]));
    const client = attach(handlers, key);
    await until(() => client.text() === "ready\n", "the traps");
    expect(await call(handlers, "holder.signal", { key, signal: 10, tree: false })).toEqual({ signalled: 1 });
    await until(() => client.text() === "ready\nparent\n", "the parent's trap");
    // The sleeps between would end the loop's command, not the loop.
    const { signalled } = await call(handlers, "holder.signal", { key, signal: 10, tree: true });
    expect(signalled).toBeGreaterThanOrEqual(2);
    await until(
      () =>
        client
          .text()
          .split("\n")
          .filter((line) => line === "child").length === 1,
      "the child's trap",
    );
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 5000 });
  });

  test("from srun, with the step's token", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["sleep", "1000"]), task(["sleep", "1000"], { task: 1 })]));
    await expect(call(handlers, "step.signal", { key, token: "no", signal: 2 })).rejects.toMatchObject({
      code: "BAD_TOKEN",
    });
    await call(handlers, "step.signal", { key, token: TOKEN, signal: 2 });
    expect((await ended(handlers, key)).exits).toEqual([
      { code: 0, signal: 2 },
      { code: 0, signal: 2 },
    ]);
    expect(await call(handlers, "holder.signal", { key, signal: 2, tree: true })).toEqual({ signalled: 0 });
  });

  test("what can't be", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await expect(call(handlers, "holder.signal", { key, signal: 1, tree: true })).rejects.toMatchObject({
      code: "UNKNOWN_STEP",
    });
    await expect(call(handlers, "holder.signal", { key, signal: 65, tree: true })).rejects.toMatchObject({
      code: "BAD_PARAMS",
    });
  });
});

describe("terminate", () => {
  const STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1; done";

  test("a job that goes by TERM, with a process that was stopped", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("kill -STOP $$; sleep 1000")]));
    const started = performance.now();
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 10_000 });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 15 }]);
  });

  test("a tree that ignores TERM is killed after the wait; calls share one run, the shortest wait counts", async () => {
    const { handlers, ports } = openHolder();
    const key = stepKey();
    const text = `(${STUBBORN}) & (setsid sh -c "${STUBBORN}" &) ; ${STUBBORN}`;
    await call(handlers, "holder.launch", launch(key, [shell(text)]));
    const client = attach(handlers, key);
    await until(() => client.text() === "ready\nready\nready\n", "the tree");
    const job = { jobId: key.jobId, attempt: 1 };
    const started = performance.now();
    const both = [600_000, 400].map((killWaitMs) => call(handlers, "holder.terminate", { ...job, killWaitMs }));
    await Promise.all(both);
    expect(performance.now() - started).toBeGreaterThanOrEqual(390);
    expect(ports.table.find(`${key.jobId}.1.`)).toEqual([]);
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 9 }], clean: true });
  });

  test("a daemon that detached itself twice, and one without any environment", async () => {
    const { handlers, ports } = openHolder();
    const key = stepKey();
    const daemon = "(setsid sh -c 'sleep 1000 & exec sleep 1000' >/dev/null 2>&1 &)";
    const bare = "env -i sleep 1000 >/dev/null 2>&1 &";
    await call(handlers, "holder.launch", launch(key, [shell(`${daemon}; ${bare} sleep 1000`)]));
    await until(() => ports.table.find(`${key.jobId}.1.`).length >= 5, "the daemon");
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 5000 });
    expect(ports.table.find(`${key.jobId}.1.`)).toEqual([]);
  });

  test("another attempt, another job, and another holder's job of the same number are left alone", async () => {
    const { handlers, ports } = openHolder();
    const other = openHolder();
    const key = stepKey();
    const later = { ...key, attempt: 2 };
    for (const one of [key, later]) await call(handlers, "holder.launch", launch(one, [task(["sleep", "1000"])]));
    await call(other.handlers, "holder.launch", launch(key, [task(["sleep", "1000"])]));
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect(ports.table.find("").map(({ step }) => step)).toEqual([`${key.jobId}.2.0`]);
    expect(other.ports.table.find("")).toHaveLength(1);
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 2, killWaitMs: 1000 });
    await call(other.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("a holder that did not start the job ends it all the same", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["sleep", "1000"])]));
    const second = createHolder(realPorts(folder));
    expect(await call(second.handlers, "holder.signal", { key, signal: 18, tree: false })).toEqual({ signalled: 1 });
    await call(second.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 15 }]);
    second.close();
  });

  /** Ends a step's job; resolves with its output once that is over. */
  async function terminated(step: StepLaunch, ready: string, killWaitMs: number) {
    const { handlers, ports } = openHolder();
    await call(handlers, "holder.launch", step);
    const client = attach(handlers, step.key);
    await until(() => client.text() === ready, "the start");
    const { jobId, attempt } = step.key;
    const started = performance.now();
    await call(handlers, "holder.terminate", { jobId, attempt, killWaitMs });
    const tookMs = performance.now() - started;
    await client.done;
    expect(ports.table.find("")).toEqual([]);
    return { text: client.text(), tookMs, exits: (await ended(handlers, step.key)).exits };
  }

  test("what a TERM handler starts is left alone, and it ends in its own time", async () => {
    const text = "trap 'sleep 0.6 && echo saved; exit 3' TERM; echo ready; while :; do sleep 0.01; done";
    const { text: output, exits } = await terminated(launch(stepKey(), [shell(text)]), "ready\n", 60_000);
    expect(output).toBe("ready\nsaved\n");
    expect(exits).toEqual([{ code: 3, signal: 0 }]);
  });

  test("one that started after TERM is not told, and killed when the wait is over", async () => {
    const later = '(trap "echo told" TERM; echo later; while :; do sleep 0.1; done) &';
    const text = `trap '${later} exit 0' TERM; echo ready; while :; do sleep 0.01; done`;
    const { text: output, tookMs } = await terminated(launch(stepKey(), [shell(text)]), "ready\n", 1500);
    expect(output).toBe("ready\nlater\n");
    expect(tookMs).toBeGreaterThanOrEqual(1490);
  });

  test("a handler that works on after the step's first process is gone is told once, and has the whole wait", async () => {
    const worker =
      "import signal, sys, time\ntold = []\nsignal.signal(signal.SIGTERM, lambda *_: told.append(1))\n" +
      "print('ready', flush=True)\nwhile not told: time.sleep(0.01)\n" +
      "end = time.monotonic() + 1.6\nwhile time.monotonic() < end: time.sleep(0.01)\nprint('told', len(told), flush=True)";
    const step = launch(stepKey(), [task(["sh", "-c", 'python3 -c "$1" & wait', "sh", worker])]);
    const { text, exits } = await terminated(step, "ready\n", 60_000);
    expect(text).toBe("ready\ntold 1\n");
    expect(exits).toEqual([{ code: 0, signal: 15 }]);
  });

  test("nobody slips through while processes are made without pause", async () => {
    const fork = "(while :; do (sleep 1000 &) ; done) & (while :; do (sleep 1000 &) ; done) &";
    for (let round = 0; round < 3; round++) {
      const step = launch(stepKey(), [shell(`${fork} echo ready; sleep 1000`)]);
      const { tookMs } = await terminated(step, "ready\n", 60_000);
      expect(tookMs).toBeLessThan(20_000);
    }
  });

  test("steps that another holder ends are left to it", async () => {
    const { handlers, folder, ports } = openHolder();
    const second = createHolder(realPorts(folder));
    const key = stepKey();
    const other = { ...key, stepId: 1 };
    await call(handlers, "holder.launch", launch(key, [shell("exec sleep 1000")]));
    await call(second.handlers, "holder.launch", launch(other, [shell("exec sleep 1000")]));
    const job = { jobId: key.jobId, attempt: 1, killWaitMs: 1000 };
    await call(handlers, "holder.terminate", { ...job, elsewhere: [`${key.jobId}.1.1`] });
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 15 }], clean: false });
    expect(ports.table.find("").map(({ step }) => step)).toEqual([`${key.jobId}.1.1`]);
    await call(second.handlers, "holder.terminate", { ...job, elsewhere: [`${key.jobId}.1.0`] });
    expect(await ended(second.handlers, other)).toMatchObject({ exits: [{ code: 0, signal: 15 }], clean: true });
    second.close();
  });

  test("a launch that is under way starts nothing any more", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const launching = call(handlers, "holder.launch", launch(key, [task(["sleep", "1000"])]));
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect(await launching).toMatchObject({
      phase: "ended",
      exits: [{ code: 0, signal: 15 }],
      problem: "terminated before it started",
    });
  });
});

describe("terminate one step", () => {
  const of = ({ jobId, attempt, stepId }: ReturnType<typeof stepKey>) => ({ jobId, attempt, stepId });

  test("its processes go, those of its job's other steps stay", async () => {
    const { handlers, ports } = openHolder();
    const key = stepKey(1);
    const others = [
      { ...key, stepId: 0 },
      { ...key, stepId: 10 },
    ] as const;
    for (const one of [key, ...others]) {
      await call(handlers, "holder.launch", launch(one, [shell("setsid sleep 1000 & sleep 1000")]));
    }
    await until(() => ports.table.find(`${key.jobId}.1.1`).length >= 4, "the processes");
    await call(handlers, "holder.terminate", { ...of(key), killWaitMs: 5000 });
    const { steps } = await call(handlers, "holder.status", {});
    expect(steps.map((step) => [step.key.stepId, step.phase, step.clean])).toEqual([
      [1, "ended", false],
      [0, "running", false],
      [10, "running", false],
    ]);
    expect(new Set(ports.table.find("").map(({ step }) => step.split(".")[2]))).toEqual(new Set(["0", "10"]));
    await call(handlers, "holder.terminate", { ...of(others[1]), killWaitMs: 5000 });
    await call(handlers, "holder.terminate", { ...of(others[0]), killWaitMs: 5000 });
    expect((await call(handlers, "holder.status", {})).steps.map(({ clean }) => clean)).toEqual([false, true, false]);
  });

  test("what ignores TERM is killed after the wait, the shortest of those that were asked for", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("trap '' TERM; echo ready; while :; do sleep 1; done")]));
    const client = attach(handlers, key);
    await until(() => client.text() === "ready\n", "the trap");
    await Promise.all(
      [600_000, 300].map((killWaitMs) => call(handlers, "holder.terminate", { ...of(key), killWaitMs })),
    );
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 9 }], clean: true });
  });

  test("a launch of it that is under way starts nothing; one of another step does", async () => {
    const { handlers } = openHolder();
    const key = stepKey(1);
    const other = { ...key, stepId: 10 };
    const launching = [key, other].map((one) => call(handlers, "holder.launch", launch(one, [task(["true"])])));
    await call(handlers, "holder.terminate", { ...of(key), killWaitMs: 1000 });
    expect(await launching[0]).toMatchObject({ phase: "ended", problem: "terminated before it started" });
    expect((await launching[1])?.problem).toBe("");
    await ended(handlers, other);
  });

  test("its output is told why, and nobody else's", async () => {
    const { handlers } = openHolder();
    const key = stepKey(1);
    const other = { ...key, stepId: 2 };
    for (const one of [key, other]) await call(handlers, "holder.launch", launch(one, [task(["sleep", "1000"])]));
    const clients = [key, other].map((one) => attach(handlers, one));
    const notice = { cause: "time limit" as const, node: "n1", scripts: [] };
    await call(handlers, "holder.terminate", { ...of(key), killWaitMs: 5000, notice });
    await clients[0]?.done;
    const line = `^slurmstepd: error: \\*\\*\\* STEP ${key.jobId}.1 ON n1 CANCELLED AT [-0-9T:]+ DUE TO TIME LIMIT \\*\\*\\*\n$`;
    expect(clients[0]?.text(0, "err")).toMatch(new RegExp(line));
    await call(handlers, "holder.terminate", { ...of(other), killWaitMs: 5000 });
    await clients[1]?.done;
    expect(clients[1]?.text(0, "err")).toBe("");
  });

  test("one that an earlier holder started", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["sleep", "1000"])]));
    const second = createHolder(realPorts(folder));
    await call(second.handlers, "holder.terminate", { ...of(key), killWaitMs: 1000 });
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 15 }]);
    second.close();
  });
});

test("a step that ends while another one of its job is being launched is not clean", async () => {
  const { handlers, folder } = openHolder();
  const key = stepKey();
  await call(handlers, "holder.launch", launch(key, [task(["sleep", "0.05"])]));
  const batch = { script: Buffer.from("#!/bin/sh\nexec sleep 1000\n"), spool: makeFolder(folder, "spool") };
  const script = { ...key, stepId: "batch" } as const;
  const null_ = { to: "null" } as const;
  await call(handlers, "holder.launch", launch(script, [task(["x"], { stdout: null_, stderr: null_ })], { batch }));
  expect((await ended(handlers, key)).clean).toBe(false);
  await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
});
