/** Jobs of the past and the present with their steps, for sacct: one in every state, arrays, starts that were given up. */

import { earlierRecords, type HistoryRecord, historyMatcher } from "../../src/core/history.ts";
import type { EndedJob, Job, Step, StepPart } from "../../src/core/job.ts";
import { DEFAULT_PARTITION } from "../../src/core/partition.ts";
import type { StepUsage } from "../../src/core/usage.ts";
import type { FakePeer, Script } from "../unit/cli/fake-context.ts";
import { association, policyOf, qos } from "../unit/support/policy.ts";
import { clusterPeer, gpus, JOBS, NOW, pending, rowOf, share, specOf } from "./cluster.ts";

const S = 1000;
const HOUR = 3600 * S;

const USED: StepUsage = {
  ...{ userMs: 61_250, systemMs: 1500, cpuMs: [40_000, 1, 22_750, 0, 62_750], pages: [3, 0, 1, 1, 4] },
  ...{ rssKiB: [2_097_152, 1, 51_200, 0, 2_148_352], vmKiB: [4_194_304, 1, 102_400, 0, 4_296_704] },
  ...{ read: [89_000_000, 0, 1000, 1, 89_001_000], written: [10_485_760, 0, 0, 1, 10_485_760] },
};

const ONE = { cpuMs: [153, 0, 153, 0, 153], pages: [0, 0, 0, 0, 0] } as const;

function part(node: string, tasks: readonly number[], over: Partial<StepPart> = {}): StepPart {
  return {
    ...{ node, tasks, cpus: tasks.length, memoryMiB: 512, gpus: [], phase: "ended" },
    ...{ exits: tasks.map(() => ({ code: 0, signal: 0 })) },
    ...over,
  };
}

function step(id: Step["id"], over: Partial<Step> = {}): Step {
  return {
    ...{ id, name: id === "batch" ? "batch" : "python", spec: null, requestId: "", startAt: NOW - HOUR },
    ...{ endAt: NOW - HOUR + 90 * S, parts: [part("n1", [0])], state: "COMPLETED", ending: null },
    ...over,
  };
}

function over(id: number, more: Partial<EndedJob>): EndedJob {
  return {
    ...{ id, spec: specOf(), submitAt: NOW - 2 * HOUR, requestId: "", attempt: 1, array: null, state: "COMPLETED" },
    ...{ startAt: NOW - HOUR, eligibleAt: NOW - 2 * HOUR, endAt: NOW - HOUR + 100 * S, limitS: 3600 },
    ...{ allocation: [share("n1", 2, [0, 1]), share("n2", 2)], steps: [], exit: { code: 0, signal: 0 } },
    ...{ cause: "", cancelledBy: null, cleanup: [], suspendedMs: 0 },
    ...more,
  };
}

const failedTasks = [
  { code: 0, signal: 0 },
  { code: 9, signal: 0 },
];

const MORE: readonly Job[] = [
  over(20, {
    spec: specOf(
      { account: "lab", comment: "first try", submitLine: "sbatch train.sh" },
      { tasks: 4, memory: { per: "node", mib: 2048 }, gpus: gpus(2), constraint: "fast&ssd" },
    ),
    steps: [
      step("batch", { parts: [part("n1", [0], { usage: { userMs: 120, systemMs: 33, ...ONE } })] }),
      step(0, {
        parts: [part("n1", [0, 1], { usage: USED }), part("n2", [2, 3], { usage: USED, exits: failedTasks })],
        state: "FAILED",
      }),
    ],
  }),
  over(21, {
    ...{ state: "CANCELLED", cancelledBy: 1000, suspendedMs: 20 * S },
    steps: [step("batch", { state: "CANCELLED", parts: [part("n1", [0], { exits: [{ code: 0, signal: 15 }] })] })],
  }),
  over(23, { array: { jobId: 22, tasks: [{ first: 3, last: 3, step: 1 }] }, spec: specOf({ name: "sweep" }) }),
  {
    ...pending(22, specOf({ name: "sweep", array: { tasks: [{ first: 3, last: 9, step: 1 }], limit: 2 } }), NOW - HOUR),
    array: { jobId: 22, tasks: [{ first: 4, last: 9, step: 1 }] },
  },
  {
    ...pending(24, specOf({ name: "again" }), NOW - 2 * HOUR),
    attempt: 1,
    earlier: [
      {
        ...{ attempt: 1, startAt: NOW - HOUR, endAt: NOW - HOUR + 30 * S, limitS: 0, allocation: [share("n1", 1)] },
        ...{ steps: [step("batch", { state: "CANCELLED", endAt: NOW - HOUR + 30 * S })], state: "REQUEUED" },
        ...{ exit: { code: 0, signal: 0 }, cause: "requeued by request", suspendedMs: 0 },
      },
    ],
  },
  over(25, { spec: specOf({ name: "left", het: { offset: 0, size: 2 } }) }),
  over(26, { spec: specOf({ name: "right", het: { offset: 1, size: 2 } }) }),
  over(27, { spec: specOf({ name: "a|b\nc" }), endAt: NOW - 20 * 24 * HOUR, startAt: NOW - 21 * 24 * HOUR }),
];

const HISTORY: readonly Job[] = [...JOBS, ...MORE].map((job) => ({ ...job }));

/** The account that job 20 is charged to. */
const POLICY = policyOf([
  qos(1, "normal"),
  association(2, { account: "lab" }),
  association(9, { account: "lab", user: "ada" }),
]);

/** A controller that answers jobs.history from these, some records at a time. */
export function historyPeer(chunk = 3, jobs: readonly Job[] = HISTORY, script: Script = {}): FakePeer {
  return clusterPeer({
    script: {
      "policy.list": () => ({ policy: POLICY, clusterName: "lab", gpuTypes: ["a100"], now: NOW }),
      ...script,
      "jobs.history": async ({ filter, duplicates, steps }, send) => {
        const matches = historyMatcher(filter, () => DEFAULT_PARTITION.name, NOW);
        const records = jobs.flatMap((job): HistoryRecord[] => {
          const row = rowOf(job);
          const { reason, reasonText } = job.state === "PENDING" ? row : { reason: "None", reasonText: "" };
          const isSuspended = job.state === "RUNNING" && job.suspendedAt !== null;
          const all = [
            ...(duplicates ? earlierRecords(job) : []),
            { job, state: isSuspended ? "SUSPENDED" : job.state },
          ];
          return all
            .filter((one) => matches(one.job, one.state))
            .map((one) => ({
              ...{ job: steps || one.job.state === "PENDING" ? one.job : { ...one.job, steps: [] }, state: one.state },
              ...{ partition: DEFAULT_PARTITION.name, reason, reasonText, isDuplicate: one.job !== job },
            }));
        });
        for (let at = 0; at < records.length; at += chunk) await send({ records: records.slice(at, at + chunk) });
        return { now: NOW, clusterName: "lab", damaged: 0 };
      },
    },
  });
}

/** The same jobs, job 20's second step with this besides on its first node. */
export function withUsage(more: Partial<StepUsage>): readonly Job[] {
  return HISTORY.map((job) => {
    if (job.id !== 20 || job.state === "PENDING") return job;
    const steps = job.steps.map((one) => ({
      ...one,
      parts: one.parts.map((each) => {
        const isFirst = each.usage !== undefined && each.node === "n1" && one.id === 0;
        const gpus = [0, 1].map((index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths: 1000 }));
        return isFirst ? { ...each, gpus, usage: { ...each.usage, ...more } as StepUsage } : each;
      }),
    }));
    return { ...job, steps };
  });
}
