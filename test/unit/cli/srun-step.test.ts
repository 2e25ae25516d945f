/** srun within a job: the step that it makes, and what becomes of it. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/srun.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Item, Params, Result } from "../../../src/protocol/procedures.ts";
import { type Fake, type FakeOptions, fakeContext, settle } from "./fake-context.ts";
import { type FakeJob, fakeJob, point, RUNNING } from "./fake-job.ts";

interface Started {
  readonly job: FakeJob;
  readonly fake: Fake;
  readonly requests: Params<"step.create">[];
  say(waiting: string): Promise<void>;
  create(tasks?: number): Promise<void>;
  refuse(error: RpcError): Promise<void>;
  code(): number | undefined;
}

const INSIDE = { HOME: "/home/ada", PATH: "/bin", SLURM_JOB_ID: "7", SLURM_NTASKS: "2", SLURM_NNODES: "1" };

async function srun(argv: string[], options: FakeOptions = {}): Promise<Started> {
  const requests: Params<"step.create">[] = [];
  let send: (item: Item<"step.create">) => Promise<void> = async () => {};
  let resolve: (value: Result<"step.create">) => void = () => {};
  let reject: (error: RpcError) => void = () => {};
  const job = fakeJob({
    "step.create": (params, given, { signal }) => {
      requests.push(params);
      send = given;
      return new Promise((yes, no) => {
        resolve = yes;
        reject = no;
        signal?.addEventListener("abort", () => no(new RpcError("CANCELLED", "cancelled")));
      });
    },
  });
  const fake = fakeContext({
    ...{ program: "srun", environment: INSIDE },
    controller: () => job.connectController(),
    connectHolder: () => job.connectHolder(),
    ...options,
  });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  return {
    ...{ job, fake, requests },
    async say(waiting) {
      await send({ waiting });
      await settle();
    },
    async create(tasks = 2) {
      job.update(RUNNING, { step: {}, attach: [point("n1", 0, tasks, 3)] });
      job.emit({ type: "started", tasks: Array.from({ length: tasks }, (_, task) => task) });
      resolve({ stepId: 3, attempt: 1, tasks });
      await settle();
    },
    async refuse(error) {
      reject(error);
      await settle();
    },
    code: () => code,
  };
}

describe("a step", () => {
  test("takes after the job's variables, and brings its own environment as it is", async () => {
    const { job, fake, requests, create, code } = await srun(["-l", "hostname", "-f"]);
    expect(job.submissions).toEqual([]);
    expect(requests).toMatchObject([
      { jobId: 7, immediate: false, step: { name: "hostname", argv: ["hostname", "-f"], request: { tasks: 2 } } },
    ]);
    expect(requests[0]?.environment).toMatchObject({ SLURM_JOB_ID: "7", SLURM_NTASKS: "2", HOME: "/home/ada" });
    await create();
    job.out(1, "b\n", 0);
    job.end([0, 5]);
    await settle();
    expect(code()).toBe(5);
    expect(fake.out()).toBe("1: b\n");
    expect(fake.err()).toBe("srun: error: n1: task 1: Exited with exit code 5\n");
  });
  test("of another job by --jobid", async () => {
    const { requests } = await srun(["--jobid=7", "--overlap", "-n1", "x"], { environment: { PATH: "/bin" } });
    expect(requests).toMatchObject([{ jobId: 7, step: { request: { tasks: 1, overlap: true } } }]);
  });
  test("a wait for room is told in Slurm's words", async () => {
    const { fake, say, create } = await srun(["x"]);
    await say("Requested nodes are busy");
    expect(fake.err()).toBe("");
    await fake.clock.advance(200);
    await say("Job is suspended");
    await create();
    expect(fake.err()).toBe(
      "srun: Job 7 step creation temporarily disabled, retrying (Requested nodes are busy)\n" +
        "srun: Job 7 step creation still disabled, retrying (Job is suspended)\n" +
        "srun: Step created for StepId=7.3\n",
    );
  });
  test("one that has room after a moment says nothing of it: the step before is over, and that is on its way", async () => {
    const { fake, say, create } = await srun(["x"]);
    await say("Requested nodes are busy");
    await fake.clock.advance(199);
    await create();
    await fake.clock.advance(1000);
    expect(fake.err()).toBe("");
  });
  test("within a step: what it waits for is the step itself", async () => {
    const environment = { ...INSIDE, SLURM_STEP_ID: "0" };
    const inner = await srun(["x"], { environment, program: "mgpu-srun" });
    await inner.say("Requested nodes are busy");
    await inner.fake.clock.advance(200);
    expect(inner.fake.err()).toContain("hint: this runs within StepId=7.0");
    const overlap = await srun(["--overlap", "x"], { environment, program: "mgpu-srun" });
    await overlap.say("Requested nodes are busy");
    await overlap.fake.clock.advance(200);
    expect(overlap.fake.err()).not.toContain("hint");
  });
  test("is asked for again, by the same name, when the controller is lost", async () => {
    const { job, fake, requests, create, code } = await srun(["x"]);
    job.loseController();
    await fake.clock.advance(1000);
    expect(requests).toHaveLength(2);
    expect(requests[1]?.requestId).toBe(requests[0]?.requestId);
    await create();
    job.end([0, 0]);
    await settle();
    expect(code()).toBe(0);
  });
  test.each([
    [
      new RpcError("INVALID_JOB", "Invalid job id specified"),
      "Unable to confirm allocation for job 7: Invalid job id specified\n",
    ],
    [new RpcError("JOB_FINISHED", "over"), "Unable to create step for job 7: over\n"],
    [
      new RpcError("NOT_FEASIBLE", "no", "ask for less"),
      // Under Slurm's name without the hint.
      "Unable to create step for job 7: no\n",
    ],
  ])("a refusal: %s", async (error, text) => {
    const { fake, refuse, code } = await srun(["x"]);
    await refuse(error);
    expect(code()).toBe(1);
    expect(fake.err()).toContain(`srun: error: ${text}`);
  });
  test("--immediate does not wait", async () => {
    const { fake, requests, refuse, code } = await srun(["-I", "x"], {
      environment: { ...INSIDE, SLURM_EXIT_IMMEDIATE: "9" },
    });
    expect(requests[0]?.immediate).toBe(true);
    await refuse(new RpcError("STEP_BUSY", "Requested nodes are busy"));
    expect(code()).toBe(9);
    expect(fake.err()).toContain("Unable to create step for job 7: Requested nodes are busy");
  });
  test("--immediate=5 waits that long", async () => {
    const { fake, requests, code } = await srun(["-I5", "x"]);
    expect(requests[0]?.immediate).toBe(false);
    await fake.clock.advance(4000);
    expect(code()).toBeUndefined();
    await fake.clock.advance(1100);
    expect(code()).toBe(1);
  });
  test("Ctrl-C while it waits", async () => {
    const { fake, code } = await srun(["x"]);
    fake.signal("SIGUSR1");
    fake.signal("SIGINT");
    await settle();
    expect(code()).toBe(1);
    expect(fake.err()).toBe(
      "srun: Cancelled pending job step with signal 2\n" +
        "srun: error: Unable to create step for job 7: Job/step already completing or completed\n",
    );
  });
});

describe("a step that runs", () => {
  test("Ctrl-C twice ends it, and not the job", async () => {
    const { job, fake, create } = await srun(["x"]);
    await create();
    fake.signal("SIGINT");
    await settle();
    fake.signal("SIGINT");
    await settle();
    expect(fake.err()).toContain("srun: StepId=7.3 tasks 0-1: running\n");
    expect(fake.err()).toContain("srun: sending Ctrl-C to StepId=7.3\n");
    expect(job.cancels).toMatchObject([{ filter: { ids: [7] }, stepId: 3, signal: null }]);
  });
  test("--quit-on-interrupt ends it at once; --disable-status passes the first one on", async () => {
    const quit = await srun(["--quit-on-interrupt", "x"]);
    await quit.create();
    quit.fake.signal("SIGINT");
    await settle();
    expect(quit.job.cancels).toHaveLength(1);
    const pass = await srun(["-X", "x"]);
    await pass.create();
    pass.fake.signal("SIGINT");
    await settle();
    expect({ signals: pass.job.signals, cancels: pass.job.cancels }).toEqual({ signals: [2], cancels: [] });
    pass.fake.signal("SIGINT");
    await settle();
    expect(pass.job.cancels).toHaveLength(1);
  });
  test("is ended by somebody else: that is told, and what the tasks died of", async () => {
    const { job, fake, create, code } = await srun(["x"]);
    await create();
    job.update({}, { step: { state: "CANCELLED" } });
    job.end([
      { code: 0, signal: 15 },
      { code: 0, signal: 15 },
    ]);
    job.update({}, { step: { state: "CANCELLED", endAt: 9000 }, final: true });
    await settle();
    for (let turn = 0; turn < 100 && code() === undefined; turn++) await settle();
    expect(code()).toBe(143);
    const lines = fake.err().split("\n");
    expect(lines[0]).toBe("srun: Job step aborted: Waiting up to 32 seconds for job step to finish.");
    expect(lines.at(-2)).toBe("srun: error: n1: tasks 0-1: Terminated");
  });
});

describe("the last tasks", () => {
  test("--kill-on-bad-exit ends the step at the first failure", async () => {
    const { job, fake, create } = await srun(["-K", "x"]);
    await create();
    job.emit({ type: "exit", task: 0, exit: { code: 3, signal: 0 } });
    await fake.clock.advance(100);
    expect(job.cancels).toMatchObject([{ stepId: 3 }]);
    expect(fake.err()).toContain("srun: Terminating StepId=7.3\n");
  });
  test("--kill-on-bad-exit=0 and good exits do not", async () => {
    for (const [argv, exitCode] of [
      [["-K0", "x"], 3],
      [["-K", "x"], 0],
    ] as const) {
      const { job, fake, create } = await srun([...argv]);
      await create();
      job.emit({ type: "exit", task: 0, exit: { code: exitCode, signal: 0 } });
      await fake.clock.advance(100);
      expect(job.cancels).toEqual([]);
    }
  });
  test("--wait ends the step some time after the first end", async () => {
    const { job, fake, create } = await srun(["-W30", "x"]);
    await create();
    job.emit({ type: "exit", task: 1, exit: { code: 0, signal: 0 } });
    await fake.clock.advance(29_000);
    expect(job.cancels).toEqual([]);
    await fake.clock.advance(1000);
    expect(job.cancels).toMatchObject([{ stepId: 3 }]);
    expect(fake.err()).toBe(
      "srun: First task exited 30s ago\nsrun: StepId=7.3 task 0: running\nsrun: StepId=7.3 task 1: exited\n" +
        "srun: Terminating StepId=7.3\n",
    );
  });
  test("without --wait those that are left are told of once", async () => {
    const { job, fake, create } = await srun(["x"]);
    await create();
    job.emit({ type: "exit", task: 1, exit: { code: 0, signal: 0 } });
    await fake.clock.advance(200_000);
    expect(job.cancels).toEqual([]);
    expect(fake.err()).toBe(
      "srun: First task exited 60s ago\nsrun: StepId=7.3 task 0: running\nsrun: StepId=7.3 task 1: exited\n",
    );
  });
});

describe("several programs", () => {
  test("--multi-prog", async () => {
    const files = { "/work/conf": "0 a %t\n1 b\n" };
    const { requests } = await srun(["--multi-prog", "conf", "more"], { files });
    expect(requests[0]?.step.programs).toEqual([
      { task: 0, argv: ["a", "0", "more"] },
      { task: 1, argv: ["b", "more"] },
    ]);
  });
  test("a file that is wrong, or missing", async () => {
    const wrong = await srun(["--multi-prog", "conf"], { files: { "/work/conf": "0 a\n" } });
    expect(wrong.fake.err()).toBe("srun: error: Configuration file conf invalid, no record for task id 1\n");
    const missing = await srun(["--multi-prog", "conf"]);
    expect(missing.fake.err()).toBe(
      "srun: error: --multi-prog: Could not open multi_prog config file conf: No such file or directory\n",
    );
    expect([wrong.code(), missing.code()]).toEqual([1, 1]);
  });
});

test("--mpi=list", async () => {
  const { fake, code } = await srun(["--mpi=list"]);
  expect({ out: fake.out(), code: code() }).toEqual({ out: "MPI plugin types are...\n\tnone\n", code: 0 });
});
