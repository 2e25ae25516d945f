/** Part of the table of procedures: feeds, which are files of jobs. */

import * as v from "valibot";
import type { FeedLine } from "../core/feed/feed.ts";
import * as j from "./job-schemas.ts";
import * as s from "./schemas.ts";

const LINES_MAX = 100_000;

const feedLine: v.GenericSchema<FeedLine> = v.object({
  line: s.positive,
  priority: v.picklist(["high", "normal", "low"]),
  script: s.name,
  condaEnv: s.text,
  args: s.text,
  allowedGpus: v.array(s.count),
  gpus: s.text,
  name: s.text,
});

const problems = v.array(v.object({ line: s.count, text: s.text }));

/** Who feeds what. A repeated request id queues nothing twice. */
const order = {
  requestId: s.name,
  /** Absolute, on the client's machine: under it the lines are remembered. */
  path: s.text,
  /** What all jobs of the file have in common. */
  job: j.jobRequest,
  environment: s.environment,
  /** Queue all lines, whatever was queued of the file before. */
  again: v.boolean(),
};

/** What came of it: new jobs, lines that were jobs before, lines that are none and why, GPUs decided by models. */
const report = {
  jobIds: v.array(s.positive),
  same: s.count,
  problems,
  models: v.array(v.object({ model: s.text, gpus: s.text, jobs: s.positive })),
};

/** Spread into PROCEDURES. */
export const FEED_PROCEDURES = {
  /** Queues lines of a file that the client has read, each whose meaning was not queued before. */
  "feed.submit": {
    on: "controller",
    kind: "unary",
    params: v.object({
      ...order,
      lines: v.pipe(v.array(feedLine), v.maxLength(LINES_MAX)),
      /** Of the file, where that is sent in parts: a call that brings all of them at once holds others up. */
      linesInAll: v.optional(s.count),
    }),
    result: v.object(report),
  },
  /**
   * Watches a file of the controller's own machine. Fails with NOT_HERE for a client of another one, and for
   * users of root's daemons.
   */
  "feed.watch": {
    on: "controller",
    kind: "unary",
    params: v.object(order),
    result: v.object({ feedId: s.positive, ...report }),
  },
  /** Files that are watched: one's own, or all for whoever manages the cluster. */
  "feed.list": {
    on: "controller",
    kind: "unary",
    params: v.object({}),
    result: v.object({
      feeds: v.array(
        v.object({
          id: s.positive,
          user: s.text,
          path: s.text,
          /** Milliseconds since 1970, as all times here. */
          since: s.count,
          /** `null` as long as it could not be read. */
          readAt: v.nullable(s.count),
          /** In the file, when it was read last. */
          jobs: s.count,
          /** Since it is watched. */
          queued: s.count,
          /** The first of them. */
          problems,
          problemCount: s.count,
          /** Why the file can't be read now; empty if it can. */
          trouble: s.text,
        }),
      ),
      now: s.count,
    }),
  },
  /** Watches a file no more; its jobs stay. */
  "feed.stop": { on: "controller", kind: "unary", params: v.object({ feedId: s.positive }), result: v.object({}) },
} as const;
