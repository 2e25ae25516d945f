/** Part of the table of procedures: machines that another batch system lends. */

import * as v from "valibot";
import { MANAGERS } from "../core/elastic/records.ts";
import * as s from "./schemas.ts";

const TIME_S_MAX = 365 * 86_400;

const seconds = v.pipe(s.count, v.maxValue(TIME_S_MAX));

const limits = v.object({ max: s.positive, backlog: s.positive, minBetweenS: seconds, idleS: seconds });

const note = v.object({ at: s.count, text: s.text });

/** What would be submitted. */
const draft = v.object({ script: s.text, argv: v.array(s.text), test: s.text, isTaken: v.boolean() });

const queue = v.object({
  id: s.positive,
  name: s.name,
  manager: v.picklist(MANAGERS),
  by: s.text,
  since: s.count,
  shape: v.object({ cpus: s.count, memoryMiB: s.count, gpus: s.text, timeS: s.count }),
  limits,
  args: v.array(s.text),
  /** How many there were so far. */
  submitted: s.count,
  /** Why nothing new is asked for, in words; empty while it is not paused. */
  paused: s.text,
  isLeaving: v.boolean(),
  failures: s.count,
  /** Nothing is asked for before; 0 for no such time. */
  retryAt: s.count,
  /** What the last failure was; empty for none. */
  problem: s.text,
  /** What the batch system said instead of an answer, and since when; empty, 0 if it answers. */
  away: s.text,
  awaySince: s.count,
  notes: v.array(note),
  nodes: v.array(
    v.object({
      node: s.nodeName,
      outerId: s.text,
      /** As listings show it: ordered, waiting, starting, running, lost, leaving. */
      state: s.text,
      why: s.text,
      host: s.text,
      orderedAt: s.count,
      endsAt: v.nullable(s.count),
      jobs: s.count,
      output: s.text,
    }),
  ),
});

/** Spread into PROCEDURES. */
export const ELASTIC_PROCEDURES = {
  /** Makes a queue of allocations, or (`dryRun`) only says what it would submit. */
  "alloc.add": {
    on: "controller",
    kind: "unary",
    params: v.object({
      manager: v.picklist(MANAGERS),
      /** What is absent is the part of a node that the GPUs are of its GPUs. */
      shape: v.object({
        cpus: v.optional(s.positive),
        memoryMiB: v.optional(s.positive),
        gpus: s.text,
        timeS: v.pipe(s.positive, v.maxValue(TIME_S_MAX)),
      }),
      limits,
      args: v.pipe(v.array(s.text), v.maxLength(100)),
      /** Where the caller finds the batch system's commands, and with which variables: counts for whose daemons these are. */
      place: v.object({
        path: v.optional(s.text),
        variables: v.optional(v.record(v.picklist(["SLURM_CONF", "SLURM_CONF_SERVER"]), s.text)),
      }),
      dryRun: v.boolean(),
    }),
    /** `id`: `null` where nothing was made. `as`: the user as whom jobs are submitted. */
    result: v.object({ id: v.nullable(s.positive), name: s.text, as: s.text, draft }),
  },
  "alloc.list": {
    on: "controller",
    kind: "unary",
    params: v.object({}),
    result: v.object({ queues: v.array(queue), now: s.count }),
  },
  /** Pauses a queue, lets it go on, or removes it; `force` ends what runs in its allocations. */
  "alloc.change": {
    on: "controller",
    kind: "unary",
    params: v.object({ id: s.positive, action: v.picklist(["pause", "resume", "remove"]), force: v.boolean() }),
    /** Allocations that are left. */
    result: v.object({ left: s.count }),
  },
} as const;
