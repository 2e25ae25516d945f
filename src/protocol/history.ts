/** What jobs.history carries: a question about the past, and records of jobs that answer it. */

import * as v from "valibot";
import type { HistoryRecord } from "../core/history.ts";
import * as j from "./job-schemas.ts";
import { isRecord } from "./records.ts";
import * as s from "./schemas.ts";

/** See {@link HistoryFilter} of core/history.ts, which it is. */
const historyFilter = v.object({
  ids: v.array(s.positive),
  tasks: v.optional(v.array(v.object({ jobId: s.positive, tasks: j.taskSet }))),
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

export const historyParams = v.object({
  filter: historyFilter,
  /** Also earlier attempts of requeued jobs, each as a record of its own. */
  duplicates: v.boolean(),
  /** Without, records have no steps. */
  steps: v.boolean(),
});

/** Checked where the state makes them: a million records are not looked through twice. */
export const historyItem = v.object({
  records: v.array(v.custom<HistoryRecord>(isRecord, "expected a record")),
});

export const historyResult = v.object({
  now: s.count,
  clusterName: s.text,
  /** Lines of the accounting files that could not be read. */
  damaged: s.count,
});
