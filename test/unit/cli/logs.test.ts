/** mgpu logs: which files are shown, how lines are labelled, and what is followed for how long. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { EndedJob, Job, PendingJob, Step, StepPart } from "../../../src/core/job.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { pending, running } from "../sched/samples.ts";
import { fakeContext, fakePeer, type Script } from "./fake-context.ts";

const NODES = { n1: "desk", n2: "other.lab" };

function part(node: string, tasks: readonly number[]): StepPart {
  return { node, tasks, cpus: 1, memoryMiB: 0, gpus: [], phase: "running", exits: [] };
}

function stepOf(id: Step["id"], ...parts: StepPart[]): Step {
  const times = { startAt: 0, endAt: null, state: "RUNNING", ending: null } as const;
  return { id, name: "x", spec: null, requestId: "", ...times, parts };
}

function live(id: number, over: Partial<PendingJob["spec"]> = {}, steps = [stepOf("batch", part("n1", [0]))]): Job {
  return { ...running(pending(id, { workDir: "/work", ...over })), steps };
}

function over(job: Job): EndedJob {
  if (job.state !== "RUNNING") throw new Error("it does not run");
  const { id, spec, submitAt, attempt, requestId, array, startAt, eligibleAt, limitS, allocation, steps } = job;
  return {
    ...{ id, spec, submitAt, attempt, requestId, array, startAt, eligibleAt, limitS, allocation, steps },
    ...{ state: "COMPLETED", endAt: startAt + 1000, exit: { code: 0, signal: 0 }, cause: "", cancelledBy: null },
    ...{ cleanup: [], suspendedMs: 0 },
  };
}

/** A controller with these jobs: those of the past are not in the queue. */
function controller(jobs: () => readonly Job[], more: Script = {}, isPast = false) {
  const isAsked = (job: Job, ids: readonly number[]) =>
    ids.includes(job.array?.jobId ?? job.id) || ids.includes(job.id);
  return fakePeer({
    "nodes.list": () => ({
      nodes: Object.entries(NODES).map(([name, hostname]) => ({ name, inventory: { hostname } })) as never,
      now: 0,
    }),
    "jobs.history": async ({ filter }, send) => {
      const facts = { partition: "main", reason: "Resources", reasonText: "waits for 4 GPUs", isDuplicate: false };
      const found = jobs().filter((job) => isAsked(job, filter.ids));
      await send({ records: found.map((job) => ({ job, state: job.state, ...facts })) });
      return { now: 0, clusterName: "lab", damaged: 0 };
    },
    "jobs.get": async ({ filter }, send) => {
      const row = { reason: "Resources", reasonText: "waits for 4 GPUs" } as never;
      const found = jobs().filter((job) => !isPast && isAsked(job, filter.ids));
      await send({ jobs: found.map((job) => ({ job, row })) });
      return { now: 0 };
    },
    ...more,
  });
}

async function logs(argv: readonly string[], jobs: readonly Job[], files: Record<string, string>, more: Script = {}) {
  const fake = fakeContext({ program: "mgpu", files, controller: controller(() => jobs, more) });
  const code = await runCommand(command, ["logs", ...argv], fake.context);
  return { code, out: fake.out(), err: fake.err() };
}

const io = (stdout: string | null, stderr: string | null = null) => ({
  io: { stdin: "none", stdout, stderr, openMode: "truncate", label: false } as const,
});

describe("once", () => {
  test("one file is passed on as it is", async () => {
    const files = { "/work/slurm-1.out": "a\nb\nc" };
    expect(await logs(["1"], [live(1)], files)).toEqual({ code: 0, out: "a\nb\nc", err: "" });
    expect((await logs(["-n2", "1"], [live(1)], files)).out).toBe("b\nc");
    expect((await logs(["-n0", "1"], [live(1)], files)).out).toBe("");
    expect((await logs(["-n9", "1"], [live(1)], files)).out).toBe("a\nb\nc");
    expect((await logs(["--head=2", "1"], [live(1)], files)).out).toBe("a\nb\n");
    expect((await logs(["-n1", "1"], [live(1)], { "/work/slurm-1.out": "a\nb\n" })).out).toBe("b\n");
  });
  test("two files of one job, chosen or labelled", async () => {
    const job = live(1, io("o-%x", "e-%j"));
    const files = { "/work/o-train": "1\n2", "/work/e-1": "bad\n" };
    expect((await logs(["1"], [job], files)).out).toBe("out: 1\nout: 2\nerr: bad\n");
    expect((await logs(["--stdout", "1"], [job], files)).out).toBe("1\n2");
    expect((await logs(["--stderr", "1"], [job], files)).out).toBe("bad\n");
  });
  test("several jobs, an array, a step's tasks", async () => {
    const files = {
      "/work/slurm-1.out": "one\n",
      "/work/slurm-2.out": "two\n",
      "/work/t-0": "x\n",
      "/work/t-1": "y\n",
    };
    expect((await logs(["1,2"], [live(1), live(2)], files)).out).toBe("1: one\n2: two\n");
    const task: Job = { ...live(5), array: { jobId: 4, tasks: [{ first: 3, last: 3, step: 1 }] } };
    expect((await logs(["4"], [task], { "/work/slurm-4_3.out": "z\n" })).out).toBe("4_3: z\n");
    const step = live(3, { kind: "run", ...io("t-%t") }, [stepOf(0, part("n1", [0, 1]))]);
    expect((await logs(["3"], [step], files)).out).toBe("0: x\n1: y\n");
    expect((await logs(["3.0"], [step], files)).out).toBe("0: x\n1: y\n");
  });
  test("what there is not is told of", async () => {
    const run = live(3, { kind: "run" }, [stepOf(0, part("n1", [0]))]);
    expect((await logs(["3"], [run], {})).err).toContain(
      'output of step 3.0 goes to the command that started it, on desk; "mgpu-sattach 3.0" shows',
    );
    expect(await logs(["1.4"], [live(1)], {})).toMatchObject({
      err: "mgpu logs: job 1 has no step 4; its steps are 1.batch\n",
    });
    expect(await logs(["1"], [over(live(1))], {})).toMatchObject({
      code: 1,
      err: "mgpu logs: /work/slurm-1.out on n1 does not exist: it was removed or moved since job 1 ended\n",
    });
    expect(await logs(["1"], [pending(1)], {})).toMatchObject({
      code: 0,
      err: 'mgpu logs: job 1 waits: Resources: waits for 4 GPUs; "mgpu logs -f 1" waits for its start\n',
    });
    expect(await logs(["9"], [], {})).toMatchObject({
      code: 1,
      err: "mgpu logs: error: Invalid job id specified: 9\n",
    });
    expect((await logs(["--head=x", "-n1", "--head", "2", "a"], [], {})).code).toBe(2);
  });
  test("a batch script with a terminal has its file", async () => {
    const job = live(1, { pty: { term: "xterm", rows: 24, columns: 80 } as never });
    expect(await logs(["1"], [job], { "/work/slurm-1.out": "x\n" })).toEqual({ code: 0, out: "x\n", err: "" });
  });
  test("a file on another machine comes through the controller", async () => {
    const job = live(1, {}, [stepOf("batch", part("n2", [0]))]);
    const text = new TextEncoder().encode("far\n");
    const found = await logs(
      ["1"],
      [job],
      { "/work/slurm-1.out": "not this one\n" },
      {
        "job.output": ({ jobId, stepId, node, path, from, bytes }) => {
          expect({ jobId, stepId, node, path }).toEqual({
            jobId: 1,
            stepId: "batch",
            node: "n2",
            path: "/work/slurm-1.out",
          });
          return { window: { data: text.subarray(from, from + bytes), size: text.length } };
        },
      },
    );
    expect(found).toEqual({ code: 0, out: "far\n", err: "" });
    const refused = await logs(
      ["1"],
      [job],
      {},
      {
        "job.output": () => {
          throw new RpcError("PERMISSION", "Access/permission denied", "job 1 is bob's");
        },
      },
    );
    expect(refused).toMatchObject({ code: 1, err: "mgpu logs: Access/permission denied (job 1 is bob's)\n" });
  });
});

test("a number of lines that is none is named by both of its options", async () => {
  expect((await logs(["1", "-n", "abc"], [live(1)], {})).err).toContain("error: -n, --tail: ");
});

describe("followed", () => {
  function following(argv: readonly string[], files: Record<string, string>, first: Job) {
    let job = first;
    const fake = fakeContext({ program: "mgpu", files, controller: controller(() => [job]) });
    const done = runCommand(command, ["logs", "-f", ...argv], fake.context);
    const set = (next: Job): void => {
      job = next;
    };
    return { ...fake, done, files, set };
  }

  test("from before the start to the end, through a restart that empties the file", async () => {
    const one = following(["1"], {}, pending(1, { workDir: "/work" }));
    await one.clock.advance(600);
    expect(one.err()).toBe("mgpu logs: job 1 waits: Resources: waits for 4 GPUs\n");
    one.set(live(1));
    await one.clock.advance(300);
    one.files["/work/slurm-1.out"] = "a\nb";
    await one.clock.advance(300);
    one.files["/work/slurm-1.out"] = "a\nbc\n";
    await one.clock.advance(300);
    expect(one.out()).toBe("a\nbc\n");
    one.set({ ...live(1), attempt: 2 });
    one.files["/work/slurm-1.out"] = "again\n";
    await one.clock.advance(300);
    one.set(over({ ...live(1), attempt: 2 }));
    one.files["/work/slurm-1.out"] = "again\nend";
    await one.clock.advance(300);
    expect(await one.done).toBe(0);
    expect(one.out()).toBe("a\nbc\nagain\nend");
  });
  test("what may not be read is told, and waited for no longer", async () => {
    const job = live(1, {}, [stepOf("batch", part("n2", [0]))]);
    const refuse = (): never => {
      throw new RpcError("PERMISSION", "Access/permission denied", "job 1 is bob's");
    };
    const fake = fakeContext({ program: "mgpu", controller: controller(() => [job], { "job.output": refuse }) });
    const done = runCommand(command, ["logs", "-f", "1"], fake.context);
    await fake.clock.advance(300);
    expect(await done).toBe(1);
    expect(fake.err()).toBe("mgpu logs: Access/permission denied (job 1 is bob's)\n");
  });
  test("Ctrl-C ends it without a word", async () => {
    const one = following(["-n1", "1"], { "/work/slurm-1.out": "a\nb\n" }, live(1));
    await one.clock.advance(300);
    expect(one.signal("SIGINT")).toBe(true);
    expect(await one.done).toBe(130);
    expect([one.out(), one.err()]).toEqual(["b\n", ""]);
  });
  test("a job of the past is shown and done with", async () => {
    const files = { "/work/slurm-1.out": "old\n" };
    const fake = fakeContext({ program: "mgpu", files, controller: controller(() => [over(live(1))], {}, true) });
    expect(await runCommand(command, ["logs", "-f", "1"], fake.context)).toBe(0);
    expect(fake.out()).toBe("old\n");
  });
});
