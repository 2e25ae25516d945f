/** mgpu why, byte for byte: a waiting job, and one in every other state. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/mgpu.ts";
import type { Explanation } from "../../src/core/explanation.ts";
import type { Job, Step } from "../../src/core/job.ts";
import { clusterPeer, JOBS, NOW, pending, specOf } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

const amounts = (a100: number, cpus: number, memoryMiB = 64_000) => ({ gpus: { a100 }, cpus, memoryMiB });

const EXPLANATION: Explanation = {
  ...{ jobId: 14, label: "14", reason: "Resources", reasonText: "waits for 4 GPUs of type a100 to be free" },
  ...{ request: "4 GPUs of type a100, 1 CPU and 1500 MiB of memory", partition: "main" },
  nodes: [
    {
      node: "n1",
      finding: "busy",
      free: amounts(2, 3),
      total: amounts(4, 8),
      lacks: ["2 a100 GPUs more (2 of 4 free)"],
    },
    {
      node: "n2",
      finding: "busy",
      free: amounts(2, 3),
      total: amounts(4, 8),
      lacks: ["2 a100 GPUs more (2 of 4 free)"],
    },
    {
      ...{ node: "n3", finding: "small", lacks: ["4 a100 GPUs: it has none"] },
      free: { gpus: { t4: 2 }, cpus: 0, memoryMiB: 64_000 },
      total: { gpus: { t4: 2 }, cpus: 8, memoryMiB: 64_000 },
    },
    {
      ...{ node: "n6", finding: "away", lacks: ["drained: bad fan on gpu 0"] },
      free: { gpus: {}, cpus: 8, memoryMiB: 64_000 },
      total: { gpus: {}, cpus: 8, memoryMiB: 64_000 },
    },
  ],
  nodesOmitted: 0,
  holders: [
    {
      ...{ jobId: 12, label: "12", user: "bob", state: "RUNNING", nodeList: "n[1-2]", gpus: 4, cpus: 8 },
      ...{ memoryMiB: 4096, until: NOW + 3_600_000 },
    },
    {
      ...{ jobId: 13, label: "13", user: "ada", state: "RUNNING", nodeList: "n1", gpus: 0, cpus: 1, memoryMiB: 0 },
      until: null,
    },
  ],
  holdersOmitted: 2,
  place: { position: 3, of: 5, ahead: [{ jobId: 9, label: "9_[1-4]", user: "bob", request: "8 GPUs and 1 CPU" }] },
  forecast: { startAt: NOW + 3_600_000, nodeList: "n1", why: "" },
  changes: [
    {
      words: "ask for 2 a100 GPUs rather than 4",
      commands: [["mgpu-scontrol", "update", "jobid=14", "tresperjob=gpu:a100:2"]],
    },
    { words: "release it", commands: [["mgpu-scontrol", "release", "9_[1-4]"]] },
  ],
  isCut: false,
};

const BATCH: Step = {
  ...{ id: "batch", name: "batch", spec: null, requestId: "", startAt: NOW, endAt: NOW, state: "FAILED", ending: null },
  parts: [{ node: "n2", tasks: [0], cpus: 1, memoryMiB: 0, gpus: [], phase: "ended", exits: [] }],
};

/** With a step, so that there is output. */
const jobs = JOBS.map((job): Job => (job.id === 2 && job.state === "FAILED" ? { ...job, steps: [BATCH] } : job));

const controller = (explanation = EXPLANATION) =>
  clusterPeer({
    script: {
      "jobs.history": async ({ filter }, send) => {
        const found = jobs.filter(({ id }) => filter.ids.includes(id));
        const facts = { partition: "main", reason: "Resources", reasonText: "waits", isDuplicate: false };
        await send({ records: found.map((job) => ({ job, state: job.state, ...facts })) });
        return { now: NOW, clusterName: "lab", damaged: 0 };
      },
      "job.explain": () => ({ explanation, now: NOW }),
    },
  });

test("mgpu why of a waiting job", async () => {
  const { code, out, err } = await runOn(command, ["why", "14"], { controller: controller() });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden("why-waiting.txt", out);
});

test("a job that waits for its time has no nodes yet", async () => {
  const forecast = { startAt: NOW + 3_600_000, nodeList: "", why: "" };
  const { out } = await runOn(command, ["why", "14"], { controller: controller({ ...EXPLANATION, forecast }) });
  expect(out).toContain("  2026-11-21T23:00:00 at the latest, unless other jobs come before it\n");
});

test("mgpu why of jobs that run or are over", async () => {
  const ids = JOBS.filter(({ state }) => state !== "PENDING").map(({ id }) => String(id));
  const { code, out } = await runOn(command, ["why", ids.join(","), "99"], { controller: controller() });
  expect(code).toBe(1);
  expectGolden("why-started.txt", out);
});

test("mgpu why of a heterogeneous job is one answer: its components start together", async () => {
  const parts = [0, 1].map((offset) => pending(40 + offset, specOf({ name: "het", het: { offset, size: 2 } }), NOW));
  const peer = clusterPeer({
    script: {
      "jobs.history": async (_, send) => {
        const facts = { partition: "main", reason: "Resources", reasonText: "waits", isDuplicate: false };
        await send({ records: parts.map((job) => ({ job, state: job.state, ...facts })) });
        return { now: NOW, clusterName: "lab", damaged: 0 };
      },
      "job.explain": ({ jobId }) => ({ explanation: { ...EXPLANATION, jobId, label: `40+${jobId - 40}` }, now: NOW }),
    },
  });
  const { code, out } = await runOn(command, ["why", "40"], { controller: peer });
  expect(code).toBe(0);
  expectGolden("why-het.txt", out);
});

test("a batch script's steps have no output of their own to tell of, an allocation's have", async () => {
  const step: Step = { ...BATCH, id: 0, name: "x" };
  const told = async (kind: "batch" | "alloc") => {
    const job = { ...JOBS[1], spec: specOf({ kind, submitHost: "desk" }), steps: [step] } as Job;
    const script = {
      "jobs.history": async (_: unknown, send: (item: never) => Promise<void>) => {
        const facts = { partition: "main", reason: "None", reasonText: "", isDuplicate: false };
        await send({ records: [{ job, state: job.state, ...facts }] } as never);
        return { now: NOW, clusterName: "lab", damaged: 0 };
      },
    };
    return (await runOn(command, ["why", "2"], { controller: clusterPeer({ script }) })).out;
  };
  expect(await told("batch")).not.toContain("output went to");
  expect(await told("alloc")).toContain("output went to the commands that started its steps, on desk\n");
});

test("mgpu why --json", async () => {
  const { out } = await runOn(command, ["why", "--json", "2", "14"], { controller: controller() });
  const { jobs: told } = JSON.parse(out);
  expect(told).toMatchObject([
    { jobId: 2, state: "FAILED", exit: { code: 2 }, explanation: null },
    { jobId: 14, state: "PENDING", reason: "Resources", explanation: { holdersOmitted: 2 } },
  ]);
  expect(told[0].outputs[0].files).toEqual([
    { node: "n2", path: "/home/ada/project/slurm-2.out", streams: "both", tasks: [0] },
  ]);
});

test("words that are no jobs", async () => {
  const { code, err } = await runOn(command, ["why", "x,2.0", "1"], { controller: controller() });
  expect(code).toBe(2);
  expect(err).toContain("Invalid job id: x\n");
  expect(err).toContain("Invalid job id: 2.0\n");
  expect((await runOn(command, ["why"], { controller: controller() })).err).toContain("which job?");
});
