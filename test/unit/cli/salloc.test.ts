/** salloc: from the request to the command's exit code. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/salloc.ts";
import type { Child, ChildRequest } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { RunningJob } from "../../../src/core/job.ts";
import type { Params, Result } from "../../../src/protocol/procedures.ts";
import { request, spec } from "../support/samples.ts";
import { type Fake, type FakeOptions, fakeContext, settle } from "./fake-context.ts";
import { type FakeJob, fakeJob, jobRow, RUNNING } from "./fake-job.ts";

interface Started {
  readonly job: FakeJob;
  readonly fake: Fake;
  readonly children: ChildRequest[];
  readonly signals: number[];
  readonly completions: Params<"job.complete">[];
  /** Ends the command. */
  exit(code: number, signal?: number): Promise<void>;
  code(): number | undefined;
}

function allocated(): RunningJob {
  const gpus = [{ index: 1, uuid: "GPU-1", type: "a100", thousandths: 1000 }];
  return {
    ...{ id: 7, attempt: 1, requestId: "r", array: null, submitAt: 0, eligibleAt: 0, startAt: 2000, limitS: 60 },
    ...{ state: "RUNNING", steps: [], nextStepId: 0, suspendedAt: null, suspendedMs: 0, retried: 0 },
    spec: spec({
      kind: "alloc",
      name: "interactive",
      request: request({ tasks: 3, gpus: { per: "node", wishes: [{ type: null, thousandths: 1000 }] } }),
    }),
    allocation: [
      { node: "n1", tasks: 2, cpus: 4, memoryMiB: 0, gpus },
      { node: "n2", tasks: 1, cpus: 4, memoryMiB: 0, gpus: [] },
    ],
  } as Partial<RunningJob> as RunningJob;
}

async function salloc(argv: string[], options: FakeOptions = {}): Promise<Started> {
  const completions: Params<"job.complete">[] = [];
  const children: ChildRequest[] = [];
  const signals: number[] = [];
  let exit: (value: { code: number; signal: number }) => void = () => {};
  const exited = new Promise<{ code: number; signal: number }>((resolve) => {
    exit = resolve;
  });
  const job = fakeJob({
    "job.complete": (params) => {
      completions.push(params);
      return {};
    },
    "jobs.get": async (_, send) => {
      await send({ jobs: [{ job: allocated(), row: jobRow({ ...RUNNING }) }] });
      return { now: 0 };
    },
    "controller.status": () => ({ clusterName: "home" }) as Result<"controller.status">,
  });
  const fake = fakeContext({
    program: "salloc",
    controller: () => job.connectController(),
    startChild: async (child): Promise<Child> => {
      children.push(child);
      return { exited, signal: (signal) => void signals.push(signal) };
    },
    environment: { SHELL: "/bin/zsh", PATH: "/bin", SLURM_NTASKS_PER_NODE: "9", SLURM_JOB_ID: "3" },
    ...options,
  });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  return {
    ...{ job, fake, children, signals, completions },
    async exit(value, signal = 0) {
      exit({ code: value, signal });
      await settle();
    },
    code: () => code,
  };
}

describe("a command", () => {
  test("runs here with the allocation's variables, and its end gives the job back", async () => {
    const { job, fake, children, completions, exit, code } = await salloc(["-n3", "make", "-j"]);
    expect(job.submissions[0]?.job).toMatchObject({ kind: "alloc", name: "make", argv: ["make", "-j"] });
    job.update(RUNNING);
    await settle();
    expect(children).toHaveLength(1);
    expect(children[0]).toMatchObject({ argv: ["make", "-j"], isApart: true });
    expect(children[0]?.environment).toEqual({
      ...{ SHELL: "/bin/zsh", PATH: "/bin", SLURM_JOB_ID: "7", SLURM_JOBID: "7", SLURM_JOB_NAME: "interactive" },
      ...{ SLURM_JOB_NODELIST: "n[1-2]", SLURM_NODELIST: "n[1-2]", SLURM_JOB_NUM_NODES: "2", SLURM_NNODES: "2" },
      ...{ SLURM_NTASKS: "3", SLURM_NPROCS: "3", SLURM_TASKS_PER_NODE: "2,1", SLURM_JOB_CPUS_PER_NODE: "4(x2)" },
      ...{ SLURM_JOB_PARTITION: "main", SLURM_CLUSTER_NAME: "home", SLURM_SUBMIT_DIR: "/home/ada" },
      ...{ SLURM_SUBMIT_HOST: "desk", SLURM_JOB_START_TIME: "2", SLURM_JOB_END_TIME: "62", SLURM_JOB_GPUS: "1" },
      SLURM_GPUS_PER_NODE: "1",
    });
    expect(code()).toBeUndefined();
    await exit(3);
    expect(code()).toBe(3);
    expect(completions).toEqual([{ jobId: 7, exit: { code: 3, signal: 0 } }]);
    expect(fake.err()).toBe("salloc: Granted job allocation 7\nsalloc: Relinquishing job allocation 7\n");
  });
  test("a wait is told", async () => {
    const { job, fake } = await salloc(["x"]);
    await fake.clock.advance(1000);
    job.update(RUNNING);
    await settle();
    expect(fake.err()).toBe(
      "salloc: Pending job allocation 7\nsalloc: job 7 queued and waiting for resources\n" +
        "salloc: job 7 has been allocated resources\nsalloc: Granted job allocation 7\n",
    );
  });
  test("none is the user's shell, in the same session as the terminal", async () => {
    const { job, children } = await salloc([], { terminal: { columns: 80, rows: 24 } });
    expect(job.submissions[0]?.job).toMatchObject({ name: "interactive", argv: ["/bin/zsh"] });
    job.update(RUNNING);
    await settle();
    expect(children[0]).toMatchObject({ argv: ["/bin/zsh"], isApart: false });
  });
  test.each([
    [1, 0],
    [2, 0],
    [9, 0],
    [15, 1],
    [11, 1],
  ])("one that dies of signal %i ends it with %i", async (signal, expected) => {
    const { job, exit, code } = await salloc(["x"]);
    job.update(RUNNING);
    await settle();
    await exit(0, signal);
    expect(code()).toBe(expected);
  });
  test("one that can't be started gives the job back too", async () => {
    const startChild = () => Promise.reject(Object.assign(new Error("x"), { code: "ENOENT" }));
    const { job, fake, completions, code } = await salloc(["nope"], { startChild });
    job.update(RUNNING);
    await settle();
    expect(code()).toBe(1);
    expect(completions).toEqual([{ jobId: 7, exit: { code: 1, signal: 0 } }]);
    expect(fake.err()).toContain('salloc: error: Unable to exec command "nope": No such file or directory\n');
  });
  test("--no-shell leaves the job as it is", async () => {
    const { job, children, completions, code } = await salloc(["--no-shell"]);
    expect(job.submissions[0]?.job).toMatchObject({ kind: "alloc", argv: [] });
    job.update(RUNNING);
    await settle();
    expect({ code: code(), children, completions }).toEqual({ code: 0, children: [], completions: [] });
  });
});

describe("the end of the job", () => {
  test("is told; the command goes on, and its code counts", async () => {
    const { job, fake, completions, signals, exit, code } = await salloc(["x"]);
    job.update(RUNNING);
    await settle();
    job.update({ state: "CANCELLED", endAt: 5000 }, { final: true });
    await settle();
    expect(fake.err()).toContain("salloc: Job allocation 7 has been revoked.\n");
    expect({ signals, code: code() }).toEqual({ signals: [], code: undefined });
    await exit(4);
    expect({ completions, code: code() }).toEqual({ completions: [], code: 4 });
  });
  test("by its time limit", async () => {
    const { job, fake } = await salloc(["x"]);
    job.update(RUNNING);
    job.update({ state: "TIMEOUT", endAt: 5000 });
    await settle();
    expect(fake.err()).toContain("Job 7 has exceeded its time limit and its allocation has been revoked.\n");
  });
  test.each([
    [["-K", "x"], {}, 15],
    [["-K", "x"], { terminal: { columns: 80, rows: 24 } }, 1],
    [["--kill-command=INT", "x"], {}, 2],
  ])("%j %j: the command gets %i", async (argv, options, signal) => {
    const { job, signals } = await salloc(argv, options);
    job.update(RUNNING);
    await settle();
    job.update({ state: "CANCELLED", endAt: 5000 });
    await settle();
    expect(signals).toEqual([signal]);
  });
  test("while it waits", async () => {
    const { job, fake, code } = await salloc(["x"]);
    job.update({ state: "CANCELLED", endAt: 5000 }, { final: true });
    await settle();
    expect(code()).toBe(1);
    expect(fake.err()).toBe("salloc: Job allocation 7 has been revoked.\n");
  });
});

describe("signals", () => {
  test("take a waiting request back", async () => {
    const { fake, completions, code } = await salloc(["x"]);
    fake.signal("SIGINT");
    fake.signal("SIGINT");
    await settle();
    expect(code()).toBe(1);
    expect(completions).toEqual([{ jobId: 7, exit: { code: 0, signal: 2 } }]);
    expect(fake.err()).toBe("salloc: Job allocation 7 has been revoked.\nsalloc: Job aborted due to signal\n");
  });
  test("leave the command alone, TERM aside; HUP gives the job back without it", async () => {
    const { job, fake, signals, completions, code } = await salloc(["x"], { terminal: { columns: 80, rows: 24 } });
    job.update(RUNNING);
    await settle();
    for (const name of ["SIGINT", "SIGQUIT", "SIGUSR1", "SIGTERM"] as const) fake.signal(name);
    await settle();
    expect({ signals, code: code() }).toEqual({ signals: [15], code: undefined });
    fake.signal("SIGHUP");
    await settle();
    expect(completions).toHaveLength(1);
    expect(code()).toBe(1);
  });
});

describe("what is asked for", () => {
  test("--immediate gives up", async () => {
    const { fake, completions, code } = await salloc(["-I", "x"], { environment: { SLURM_EXIT_IMMEDIATE: "7" } });
    await fake.clock.advance(1100);
    expect(code()).toBe(7);
    expect(completions).toHaveLength(1);
    expect(fake.err()).toContain("salloc: error: Job submit/allocate failed: Requested nodes are busy\n");
  });
  test("the bell rings after a long wait, or when wanted", async () => {
    const terminal = { columns: 80, rows: 24 };
    const rings = async (argv: string[], ms: number): Promise<boolean> => {
      const { job, fake } = await salloc(argv, { terminal });
      await fake.clock.advance(ms);
      job.update(RUNNING);
      await settle();
      return fake.out().includes("\x07");
    };
    expect(await rings(["x"], 100)).toBe(false);
    expect(await rings(["x"], 11_000)).toBe(true);
    expect(await rings(["--no-bell", "x"], 11_000)).toBe(false);
    expect(await rings(["--bell", "x"], 100)).toBe(true);
  });
});
