/** Procedures of accounting: records of jobs over time, and what running steps use. */

import * as v from "valibot";
import type { HistoryRecord } from "../core/history.ts";
import * as j from "./job-schemas.ts";
import { isRecord } from "./records.ts";
import * as s from "./schemas.ts";

/** See {@link HistoryFilter} of core/history.ts, which it is. */
const historyFilter = v.object({
  ids: v.array(s.positive),
  tasks: v.optional(v.array(v.object({ jobId: s.positive, tasks: j.taskSet }))),
  components: v.optional(v.array(v.object({ jobId: s.positive, offset: s.count }))),
  users: v.array(s.text),
  groups: v.array(s.count),
  states: v.array(s.text),
  names: v.array(s.text),
  accounts: v.array(s.text),
  partitions: v.array(s.text),
  nodes: v.array(s.text),
  qos: v.array(s.text),
  wckeys: v.array(s.text),
  since: v.nullable(s.integer),
  until: v.nullable(s.integer),
});

const historyParams = v.object({
  filter: historyFilter,
  /** Also earlier attempts of requeued jobs, each as a record of its own. */
  duplicates: v.boolean(),
  /** Without, records have no steps. */
  steps: v.boolean(),
});

/** Checked where the state makes them: a million records are not looked through twice. */
const historyItem = v.object({
  records: v.array(v.custom<HistoryRecord>(isRecord, "expected a record")),
});

const historyResult = v.object({
  now: s.count,
  clusterName: s.text,
  /** Lines of the accounting files that could not be read. */
  damaged: s.count,
});

/** Of one step on one node. */
const liveUsage = { usage: v.optional(s.stepUsage), pids: v.array(s.positive) };

/** Part of the table of procedures. */
export const HISTORY_PROCEDURES = {
  /**
   * Records of jobs over time, as accounting shows them: first those that left the queue's memory, as they ended, then
   * the others by number.
   */
  "jobs.history": {
    on: "controller",
    kind: "stream",
    params: historyParams,
    item: historyItem,
    result: historyResult,
  },
  /** The environment that a batch job was submitted with, as long as its record is in the queue; owner and root. */
  "job.environment": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive }),
    result: v.object({ environment: s.environment }),
  },
  /** What the running steps of a job used so far, as its nodes see it now; INVALID_JOB if it does not run. */
  "step.usage": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive }),
    result: v.object({
      steps: v.array(
        v.object({
          stepId: s.stepId,
          parts: v.array(v.object({ node: s.name, tasks: v.array(s.count), ...liveUsage })),
        }),
      ),
      /** Nodes that did not answer. */
      silent: v.array(s.name),
    }),
  },
  /** What the running steps of a job used so far on this node; nothing of those that no holder answers for. */
  "node.usage": {
    on: "node",
    kind: "unary",
    params: v.object({ jobId: s.positive, attempt: s.positive }),
    result: v.object({ steps: v.array(v.object({ stepId: s.stepId, ...liveUsage })) }),
  },
  /** What the running steps of a job used so far, and their processes. */
  "holder.usage": {
    on: "holder",
    kind: "unary",
    params: v.object({ jobId: s.positive, attempt: s.positive }),
    result: v.object({ steps: v.array(v.object({ key: s.stepKey, ...liveUsage })) }),
  },
} as const;
