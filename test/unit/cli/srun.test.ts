import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/srun.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { type Fake, type FakeOptions, fakeContext, settle } from "./fake-context.ts";
import { type FakeJob, fakeJob, point, RUNNING } from "./fake-job.ts";

interface Started {
  readonly job: FakeJob;
  readonly fake: Fake;
  /** The exit code, once there is one. */
  code(): number | undefined;
}

/** Starts srun against a fake job and lets it submit. */
async function srun(argv: string[], options: FakeOptions = {}, job = fakeJob()): Promise<Started> {
  const fake = fakeContext({
    program: "mgpu-srun",
    controller: () => job.connectController(),
    connectHolder: () => job.connectHolder(),
    ...options,
  });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  return { job, fake, code: () => code };
}

const TERMINAL = { terminal: { columns: 100, rows: 30 } };

describe("from submission to exit code", () => {
  test("output comes through as it is, the code is the task's, and nothing else is said", async () => {
    const { job, fake, code } = await srun(["python3", "train.py", "--gpus", "9"]);
    job.run();
    job.out(0, "héllo\n\0", 0);
    job.emit({ type: "data", task: 0, stream: "err", offset: 0, data: Uint8Array.of(255, 10) });
    job.end([0]);
    await settle();
    expect(code()).toBe(0);
    expect(fake.out()).toBe("héllo\n\0");
    expect(fake.err()).toBe("\ufffd\n");
    expect(job.submissions[0]?.job).toMatchObject({
      kind: "run",
      name: "python3",
      argv: ["python3", "train.py", "--gpus", "9"],
    });
    expect(job.submissions[0]?.script).toBeNull();
  });
  test("the highest code wins, a signal counts 128 more, failures are told in Slurm's words", async () => {
    const { job, fake, code } = await srun(["-n5", "x"]);
    job.run(5);
    job.end([0, 3, 3, { code: 0, signal: 9 }, 140]);
    job.update({ state: "FAILED", endAt: 2000, exitSignal: 9 });
    await settle();
    expect(code()).toBe(140);
    expect(fake.err()).toBe(
      "mgpu-srun: error: n1: tasks 1-2: Exited with exit code 3\n" +
        "mgpu-srun: error: n1: task 3: Killed\n" +
        "mgpu-srun: error: n1: task 4: Exited with exit code 140\n",
    );
  });
  test("a task that fails while others run is told of at once", async () => {
    const { job, fake, code } = await srun(["-n2", "x"]);
    job.run(2);
    job.emit({ type: "exit", task: 1, exit: { code: 4, signal: 0 } });
    await fake.clock.advance(100);
    expect(fake.err()).toBe("mgpu-srun: error: n1: task 1: Exited with exit code 4\n");
    expect(code()).toBeUndefined();
  });
  test("the highest code is the first task's, and told once although a new connection repeats it", async () => {
    const { job, fake, code } = await srun(["-n2", "x"]);
    job.run(2);
    job.emit({ type: "exit", task: 0, exit: { code: 9, signal: 0 } });
    await fake.clock.advance(100);
    job.loseHolder();
    await fake.clock.advance(3000);
    job.end([9, 2]);
    await settle();
    expect(code()).toBe(9);
    expect(fake.err()).toBe(
      "mgpu-srun: error: n1: task 0: Exited with exit code 9\nmgpu-srun: error: n1: task 1: Exited with exit code 2\n",
    );
  });
  test("a launch problem is an error, and never a success", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    job.end([], "couldn't chdir to `/gone'");
    await settle();
    expect(code()).toBe(1);
    expect(fake.err()).toBe("mgpu-srun: error: couldn't chdir to `/gone'\n");
  });
  test("labels, as wide as the widest task's number", async () => {
    const { job, fake } = await srun(["-l", "-n11", "x"]);
    job.run(11);
    job.out(3, "a\nb", 0);
    job.out(10, "c\n", 0);
    job.end(Array.from({ length: 11 }, () => 0));
    await settle();
    expect(fake.out()).toBe(" 3: a\n10: c\n 3: b\n");
  });
  test("-v says where it runs", async () => {
    const { job, fake } = await srun(["-v", "-n2", "x"]);
    job.update({ reasonText: "all GPUs are in use" });
    job.run(2);
    job.end([0, 0]);
    await settle();
    expect(fake.err()).toBe(
      "mgpu-srun: job 7 waits: all GPUs are in use\n" +
        "mgpu-srun: jobid 7: nodes(1):`n1', cpu counts: 2(x1)\n" +
        "mgpu-srun: launching StepId=7.0 on host n1, 2 tasks: [0-1]\n",
    );
  });
});

describe("waiting", () => {
  test("is told after a moment, and so is its end", async () => {
    const { job, fake } = await srun(["x"]);
    await fake.clock.advance(250);
    expect(fake.err()).toBe("");
    await fake.clock.advance(100);
    expect(fake.err()).toBe("mgpu-srun: job 7 queued and waiting for resources\n");
    job.run();
    await settle();
    expect(fake.err()).toContain("mgpu-srun: job 7 has been allocated resources\n");
  });
  test("is not claimed of a job that runs, and whose holder is not known yet", async () => {
    const { job, fake } = await srun(["x"]);
    job.update(RUNNING);
    await fake.clock.advance(1000);
    expect(fake.err()).toBe("");
  });
  test("--quiet says neither", async () => {
    const { job, fake } = await srun(["-Q", "x"]);
    await fake.clock.advance(1000);
    job.run();
    await settle();
    expect(fake.err()).toBe("");
  });
  test("a job that somebody cancels", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.update({ state: "CANCELLED", endAt: 5 }, { final: true });
    await settle();
    expect(code()).toBe(1);
    expect(fake.err()).toBe(
      "mgpu-srun: Job has been cancelled\n" +
        "mgpu-srun: error: Unable to allocate resources: Job/step already completing or completed\n",
    );
  });
  test("one Ctrl-C, or SIGTERM, takes it out of the queue", async () => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
      const { job, fake, code } = await srun(["x"]);
      expect(fake.signal("SIGUSR1")).toBe(true);
      fake.signal(name);
      await settle();
      expect(job.cancels).toHaveLength(1);
      expect(job.cancels[0]).toMatchObject({ filter: { ids: [7] }, signal: null });
      expect(code()).toBe(1);
      expect(fake.err()).toBe("mgpu-srun: Job allocation 7 has been revoked\nmgpu-srun: Force Terminated JobId=7\n");
    }
  });
  test("Ctrl-C while the submission is under way cancels what comes of it", async () => {
    let accept = (): void => {};
    const job = fakeJob({
      "job.submit": () =>
        new Promise((resolve) => {
          accept = () => resolve({ jobId: 7 });
        }),
    });
    const { fake, code } = await srun(["x"], {}, job);
    expect(fake.signal("SIGINT")).toBe(true);
    accept();
    await settle();
    expect(job.cancels).toHaveLength(1);
    expect(code()).toBe(1);
  });
  test("a SIGTERM that arrives twice at once, as of timeout(1), is one", async () => {
    let answer = (): void => {};
    const job = fakeJob({ "jobs.cancel": () => new Promise((resolve) => (answer = () => resolve({ jobs: [] }))) });
    const { fake, code } = await srun(["x"], {}, job);
    for (const _ of [1, 2]) {
      fake.signal("SIGTERM");
      await settle();
    }
    expect(code()).toBeUndefined();
    answer();
    await settle();
    expect(code()).toBe(1);
    expect(fake.err()).toBe("mgpu-srun: Job allocation 7 has been revoked\nmgpu-srun: Force Terminated JobId=7\n");
  });
  test("a second Ctrl-C leaves, should the controller not answer", async () => {
    const job = fakeJob({ "jobs.cancel": () => new Promise(() => {}) });
    const { fake, code } = await srun(["x"], {}, job);
    fake.signal("SIGINT");
    await settle();
    expect(code()).toBeUndefined();
    fake.signal("SIGINT");
    await settle();
    expect(code()).toBe(130);
    expect(fake.err()).toContain("mgpu-srun: error: left job 7 as it is\n");
  });
});

describe("signals while it runs", () => {
  test("Ctrl-C: first the state, twice within a second the end, then by force", async () => {
    const { job, fake, code } = await srun(["-n3", "x"]);
    job.run(3);
    job.emit({ type: "exit", task: 1, exit: { code: 0, signal: 0 } });
    await settle();
    fake.signal("SIGINT");
    await settle();
    expect(fake.err()).toBe(
      "mgpu-srun: interrupt (one more within 1 sec to abort)\n" +
        "mgpu-srun: StepId=7.0 tasks 0,2: running\n" +
        "mgpu-srun: StepId=7.0 task 1: exited\n",
    );
    expect(job.signals).toEqual([]);
    await fake.clock.advance(1100);
    fake.signal("SIGINT");
    await fake.clock.advance(500);
    expect(job.cancels).toEqual([]);
    fake.signal("SIGINT");
    await settle();
    expect(job.signals).toEqual([2]);
    expect(job.cancels).toHaveLength(1);
    expect(fake.err()).toContain("mgpu-srun: sending Ctrl-C to StepId=7.0\nmgpu-srun: forcing job termination\n");
    await fake.clock.advance(3000);
    fake.signal("SIGINT");
    await settle();
    expect(job.signals).toEqual([2, 9]);
    job.update({ state: "COMPLETING", endAt: Date.UTC(2026, 10, 21, 22, 0, 4) });
    job.end([{ code: 0, signal: 2 }, 0, { code: 0, signal: 9 }]);
    await settle();
    expect(code()).toBe(137);
    expect(fake.err()).toContain("mgpu-srun: error: n1: task 0: Interrupt\n");
    expect(fake.err()).not.toContain("CANCELLED AT");
  });
  test("the others go to the tasks", async () => {
    const { job, fake } = await srun(["x"]);
    job.run();
    await settle();
    for (const name of ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGCONT"] as const) fake.signal(name);
    await settle();
    expect(job.signals).toEqual([15, 1, 10, 12, 3, 18]);
    expect(fake.err()).toBe("");
  });
  test("one that should end us does, also where the tasks can't be reached", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    await settle();
    job.loseHolder(1000);
    fake.signal("SIGTERM");
    await fake.clock.advance(4000);
    expect(code()).toBeUndefined();
    await fake.clock.advance(2000);
    expect(code()).toBe(143);
    expect(job.cancels).toHaveLength(1);
    expect(fake.err()).toContain("mgpu-srun: error: SIGTERM can't be passed on to the tasks; cancelling job 7\n");
  });
  test("none is listened to any more at the end", async () => {
    const { job, fake } = await srun(["x"]);
    job.run();
    job.end([0]);
    await settle();
    expect(fake.signal("SIGINT")).toBe(false);
    expect(fake.signal("SIGTERM")).toBe(false);
  });
});

describe("ends from outside", () => {
  test("the time limit, with the tasks' code; where their stderr is a file, it is for us to say", async () => {
    const { job, fake, code } = await srun(["-e", "errors", "x"], { utcOffsetMinutes: 60 });
    job.run();
    await settle();
    job.update({ state: "COMPLETING", endAt: Date.UTC(2026, 10, 21, 22, 0, 0), cause: "time limit" });
    job.end([{ code: 0, signal: 15 }]);
    await settle();
    expect(code()).toBe(143);
    expect(fake.err()).toBe(
      "mgpu-srun: Job step aborted: Waiting up to 32 seconds for job step to finish.\n" +
        "mgpu-srun: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-21T23:00:00 DUE TO TIME LIMIT ***\n" +
        "mgpu-srun: error: n1: task 0: Terminated\n",
    );
  });
  test("the time limit, said by the tasks' holder in their stderr", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    await settle();
    job.emit({ type: "data", task: 0, stream: "err", offset: 0, data: Buffer.from("slurmstepd: error: *** 7.0\n") });
    job.update({ state: "COMPLETING", endAt: Date.UTC(2026, 10, 21, 22, 0, 0), cause: "time limit" });
    job.end([{ code: 0, signal: 15 }]);
    await settle();
    expect(code()).toBe(143);
    expect(fake.err()).toBe(
      "mgpu-srun: Job step aborted: Waiting up to 32 seconds for job step to finish.\n" +
        "slurmstepd: error: *** 7.0\nmgpu-srun: error: n1: task 0: Terminated\n",
    );
  });
  test("killed tasks wait a moment for the reason, and no longer", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    job.end([{ code: 0, signal: 9 }]);
    await settle();
    expect(code()).toBeUndefined();
    await fake.clock.advance(1000);
    expect(code()).toBe(137);
    expect(fake.err()).toBe("mgpu-srun: error: n1: task 0: Killed\n");
  });
  test("a node that fails", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    await settle();
    job.loseHolder(1000);
    job.update({ state: "NODE_FAIL", endAt: 9, exitSignal: 9, cause: "it restarted" }, { final: true });
    await fake.clock.advance(20_000);
    expect(code()).toBe(137);
    expect(fake.err()).toContain("mgpu-srun: error: Node failure on n1: it restarted\n");
    expect(fake.err()).toContain("output may be missing");
  });
  test("a holder that died, and another one in its place that waits for a launch", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    job.out(0, "some\n", 0);
    await settle();
    job.forget();
    job.loseHolder(2);
    job.update({ state: "NODE_FAIL", endAt: 9, exitSignal: 9, cause: "holder lost" }, { final: true });
    await fake.clock.advance(4000);
    expect(job.connections.holder).toBe(2);
    expect(code()).toBe(137);
    expect(fake.err()).toContain("mgpu-srun: error: Node failure on n1: holder lost\n");
  });
  test("a job that ended before its tasks began: the holder will never tell", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.update(RUNNING, { attach: [point()] });
    await settle();
    job.update({ state: "CANCELLED", endAt: Date.UTC(2026, 10, 21, 22, 0, 0) }, { final: true });
    await settle();
    expect(code()).toBeUndefined();
    await fake.clock.advance(3000);
    expect(code()).toBe(1);
    expect(fake.err()).toBe("mgpu-srun: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-21T22:00:00 ***\n");
  });
  test("a job that ended while its tasks' output is still on its way", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    await settle();
    job.update({ state: "COMPLETED", endAt: 5 }, { final: true });
    await fake.clock.advance(60_000);
    expect(code()).toBeUndefined();
    job.out(0, "late\n", 0);
    job.end([0]);
    await settle();
    expect(code()).toBe(0);
    expect(fake.out()).toBe("late\n");
  });
  test("a job that ended and left nothing to attach to", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.update({ ...RUNNING, state: "FAILED", endAt: 9, exitCode: 5 }, { attach: [], final: true });
    await settle();
    expect(code()).toBe(5);
    expect(fake.err()).toContain("job 7 ended as FAILED");
  });
});

describe("lost connections", () => {
  const LINES = Array.from({ length: 40 }, (_, i) => `line ${i}\n`);

  test("to the holder, after every single item: no byte is lost or doubled", async () => {
    for (let lossAt = 0; lossAt <= LINES.length; lossAt++) {
      const { job, fake, code } = await srun(["x"]);
      job.run();
      await settle();
      let offset = 0;
      for (const [index, line] of LINES.entries()) {
        if (index === lossAt) job.loseHolder(1);
        // Repeats overlap what was sent before, as after a real loss.
        const back = index % 3 === 2 ? 4 : 0;
        job.out(
          0,
          LINES.join("").slice(offset - Math.min(back, offset), offset + line.length),
          offset - Math.min(back, offset),
        );
        offset += line.length;
        if (index === lossAt) await fake.clock.advance(200);
      }
      if (lossAt === LINES.length) job.loseHolder();
      job.end([3]);
      await settle();
      await fake.clock.advance(200);
      expect(fake.out()).toBe(LINES.join(""));
      expect(code()).toBe(3);
      expect(job.connections.holder).toBe(2);
      // Both a short silence and a word after a loss would be wrong here.
      expect(fake.err()).toBe("mgpu-srun: error: n1: task 0: Exited with exit code 3\n");
    }
  });
  test("to the controller: it is found again, and the job's start is not missed", async () => {
    const { job, fake, code } = await srun(["x"]);
    await fake.clock.advance(400);
    job.loseController(3);
    await settle();
    job.run();
    job.end([0]);
    await fake.clock.advance(5000);
    expect(code()).toBe(0);
    expect(job.connections.controller).toBe(2);
    expect(fake.err()).toContain("has been allocated resources");
  });
  test("a controller that is gone for good does not matter to running tasks", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.run();
    await settle();
    job.loseController(10_000);
    await fake.clock.advance(120_000);
    expect(code()).toBeUndefined();
    job.out(0, "still here\n", 0);
    job.end([6]);
    await settle();
    expect(code()).toBe(6);
    expect(fake.out()).toBe("still here\n");
    expect(fake.err().match(/no contact with the controller; trying again/g)?.length).toBeGreaterThan(1);
  });
  test("a controller that is gone while the job waits", async () => {
    const { job, fake, code } = await srun(["x"]);
    job.loseController(10_000);
    await fake.clock.advance(90_000);
    expect(code()).toBe(1);
    expect(fake.err()).toContain("error: no contact with the controller: job 7 may still be in the queue\n");
  });
  test("a controller that forgot the job", async () => {
    const job = fakeJob({
      "job.watch": () => {
        throw new RpcError("INVALID_JOB", "Invalid job id specified");
      },
    });
    const { fake, code } = await srun(["x"], {}, job);
    expect(code()).toBe(1);
    expect(fake.err()).toBe("mgpu-srun: error: Invalid job id specified\n");
  });
  test("a controller that was told to end is not started again", async () => {
    const job = fakeJob({
      "job.watch": () => {
        throw new RpcError("SHUTTING_DOWN", "mgpu down");
      },
    });
    const starts: (boolean | undefined)[] = [];
    const fake = fakeContext({ program: "mgpu-srun" });
    const context = {
      ...fake.context,
      connect: (options?: { start?: boolean }) => {
        starts.push(options?.start);
        return job.connectController();
      },
    };
    const code = runCommand(command, ["x"], context);
    await fake.clock.advance(90_000);
    expect(starts.slice(0, 3)).toEqual([true, false, false]);
    // It answers each time, and each time with the same: that is no contact, and no reason to try like mad.
    expect(starts.length).toBeLessThan(60);
    expect(await code).toBe(1);
    expect(fake.err()).toContain("job 7 may still be in the queue");
  });
});

describe("input", () => {
  test("goes to all tasks, in order, to its end", async () => {
    const { job, fake } = await srun(["-n2", "x"]);
    fake.input.type("early ");
    await settle();
    expect(job.inputs).toEqual([]);
    job.run(2);
    await settle();
    fake.input.type("late\n");
    fake.input.end();
    await settle();
    expect(job.inputs).toEqual([
      { task: null, offset: 0, text: "early ", eof: false },
      { task: null, offset: 6, text: "late\n", eof: false },
      { task: null, offset: 11, text: "", eof: true },
    ]);
  });
  test("is read only as fast as the tasks take it, and repeated after a loss", async () => {
    const { job, fake } = await srun(["x"]);
    job.holdInput = true;
    fake.input.type("one");
    fake.input.type("two");
    job.run();
    await settle();
    expect(job.inputs.map(({ text }) => text)).toEqual(["one"]);
    job.holdInput = false;
    job.loseHolder();
    await fake.clock.advance(100);
    expect(job.inputs.map(({ text, offset }) => `${offset} ${text}`)).toEqual(["0 one", "0 one", "3 two"]);
    expect(job.connections.holder).toBe(2);
  });
  test("for one task, for none, and for tasks that read no more", async () => {
    const one = await srun(["-n3", "-i1", "x"]);
    one.fake.input.type("a");
    one.job.run(3);
    await settle();
    expect(one.job.inputs[0]).toMatchObject({ task: 1, text: "a" });

    const none = await srun(["-inone", "x"]);
    none.fake.input.type("a");
    none.job.run();
    await settle();
    expect(none.job.inputs).toEqual([]);
    expect(none.job.submissions[0]?.job.io.stdin).toBe("none");

    const closed = await srun(["x"]);
    closed.job.inputError = new RpcError("INPUT_CLOSED", "the task reads no more");
    closed.fake.input.type("a");
    closed.job.run();
    await settle();
    closed.job.end([0]);
    await settle();
    expect(closed.code()).toBe(0);
  });
});

describe("a terminal", () => {
  test("is left alone in the background, and so are its keys", async () => {
    const { job } = await srun(["bash"], { ...TERMINAL, isForeground: false });
    expect(job.submissions[0]?.job).toMatchObject({ pty: null, io: { stdin: "none" } });
    const wanted = await srun(["--pty", "bash"], { ...TERMINAL, isForeground: false });
    expect(wanted.job.submissions[0]?.job.pty).toEqual(TERMINAL.terminal);
  });

  test("that was resized while the job waited is passed on in its new size", async () => {
    const { job, fake } = await srun(["bash"], TERMINAL);
    fake.resize(90, 31);
    job.run();
    await settle();
    expect(job.sizes).toEqual(["90x31"]);
  });

  test("is used for one task under mgpu's name, raw only while the task has it", async () => {
    const { job, fake, code } = await srun(["bash"], TERMINAL);
    expect(job.submissions[0]?.job.pty).toEqual({ columns: 100, rows: 30 });
    expect(job.submissions[0]?.environment.PYTHONUNBUFFERED).toBeUndefined();
    expect(fake.terminalLog).toEqual([]);
    job.run();
    await settle();
    expect(fake.terminalLog).toEqual(["raw"]);
    fake.resize(120, 40);
    fake.input.type("\u0003");
    fake.signal("SIGINT");
    await settle();
    expect(job.sizes).toEqual(["120x40"]);
    expect(job.inputs[0]?.text).toBe("\u0003");
    expect(job.signals).toEqual([2]);
    job.end([1]);
    await settle();
    expect(code()).toBe(1);
    expect(fake.terminalLog).toEqual(["raw", "restored"]);
    expect(fake.err()).toBe("mgpu-srun: error: n1: task 0: Exited with exit code 1\n");
  });
  test("is not the task's before the task has begun: Ctrl-C is still ours", async () => {
    const { job, fake } = await srun(["bash"], TERMINAL);
    job.update(RUNNING, { attach: [point()] });
    await settle();
    fake.signal("SIGINT");
    await settle();
    expect(job.signals).toEqual([]);
    expect(fake.err()).toContain("mgpu-srun: StepId=7.0 task 0: not started\n");
  });
  test("what is said meanwhile stands in the last row", async () => {
    const { job, fake } = await srun(["bash"], TERMINAL);
    job.run();
    await settle();
    job.loseHolder(100);
    await fake.clock.advance(5000);
    expect(fake.out()).toMatch(/\x1b\[30;1H\x1b\[0;7mmgpu-srun: no contact with the tasks on n1; trying again\x1b/);
    expect(fake.err()).toBe("");
  });
  test.each<[string, string[], FakeOptions]>([
    ["--no-pty", ["--no-pty", "x"], TERMINAL],
    ["several tasks", ["-n2", "x"], TERMINAL],
    ["output to a file", ["-ofile", "x"], TERMINAL],
    ["labels", ["-l", "x"], TERMINAL],
    ["Slurm's name", ["x"], { ...TERMINAL, program: "srun" }],
    ["no terminal", ["x"], {}],
    ["output to a pipe", ["x"], { ...TERMINAL, stdio: { stdoutIsTerminal: false } }],
    ["input from a file", ["x"], { ...TERMINAL, stdio: { stdinIsTerminal: false } }],
    ["--pty without a terminal", ["--pty", "x"], {}],
  ])("is not used with %s, and Python is told not to buffer", async (_, argv, options) => {
    const { job } = await srun(argv, options);
    expect(job.submissions[0]?.job.pty).toBeNull();
    expect(job.submissions[0]?.environment.PYTHONUNBUFFERED).toBe("1");
  });
  test("--pty under Slurm's name", async () => {
    const { job } = await srun(["--pty", "x"], { ...TERMINAL, program: "srun" });
    expect(job.submissions[0]?.job.pty).toEqual({ columns: 100, rows: 30 });
  });
  test("--pty and what does not go with it", async () => {
    const { fake, code } = await srun(["--pty", "-n2", "-ox", "-l", "x"], TERMINAL);
    expect(code()).toBe(1);
    expect(fake.err()).toBe(
      "mgpu-srun: error: --pty: one task can have the terminal, got --ntasks=2\n" +
        "mgpu-srun: error: --output can't be used with --pty\n" +
        "mgpu-srun: error: --label can't be used with --pty\n",
    );
  });
});

describe("refused before anything is queued", () => {
  test.each<[string, "missing" | "not executable" | "a folder", number, string]>([
    ["a missing program", "missing", 2, "execve(): nosuch: No such file or directory"],
    ["one that may not be run", "not executable", 13, "execve(): nosuch: Permission denied"],
    ["a folder", "a folder", 13, "execve(): nosuch: Permission denied"],
  ])("%s", async (_, state, expected, message) => {
    const { job, fake, code } = await srun(["nosuch"], { fileQuestions: { findProgram: () => state } });
    expect(code()).toBe(expected);
    expect(fake.err()).toBe(`mgpu-srun: error: ${message}\n`);
    expect(job.submissions).toEqual([]);
  });
  test("everything together", async () => {
    const fileQuestions = { findProgram: () => "missing" as const, writeProblem: () => "Permission denied" };
    const { job, fake, code } = await srun(["--gpus=two", "-t5x", "-o/root/x", "nosuch"], { fileQuestions });
    expect(code()).toBe(1);
    expect(fake.err().split("\n")).toHaveLength(5);
    expect(fake.err()).toContain("mgpu-srun: error: --gpus: expected a count of GPUs or type:count");
    expect(fake.err()).toContain("mgpu-srun: error: --output: /root/x: Permission denied\n");
    expect(job.submissions).toEqual([]);
  });
  test("no command", async () => {
    const { fake, code } = await srun([]);
    expect(code()).toBe(1);
    expect(fake.err()).toBe("mgpu-srun: error: No command given to execute.\n");
  });
  test("the program is looked for in the job's PATH and working directory", async () => {
    const asked: string[] = [];
    const findProgram = (name: string, cwd: string, path: string) => {
      asked.push(`${name} ${cwd} ${path}`);
      return "found" as const;
    };
    await srun(["-D/", "--export=ALL,PATH=/opt", "x"], { fileQuestions: { findProgram } });
    expect(asked).toEqual(["x / /opt"]);
  });
});

test("a reader that is gone ends the job and the command, quietly", async () => {
  const { job, fake, code } = await srun(["yes"]);
  Object.assign(fake.context.stdio, {
    out: () => {
      throw Object.assign(new Error("closed"), { name: "OutputClosed" });
    },
  });
  job.run();
  job.out(0, "y\n", 0);
  await settle();
  expect(job.cancels).toHaveLength(1);
  expect(code()).toBe(141);
  expect(fake.err()).toBe("");
});
