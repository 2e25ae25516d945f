/**
 * THE TABLE: every procedure, with the schema of what goes in, what comes back and what streams.
 *
 * Typed clients, handlers (a missing one is a compile error) and validation at both ends follow from it.
 * `on` says which side answers: the controller, a node daemon, or a holder.
 */

import * as v from "valibot";
import type { Job } from "../core/job.ts";
import { ELASTIC_PROCEDURES } from "./elastic-procedures.ts";
import { ENTITY_PROCEDURES } from "./entity-procedures.ts";
import { FEED_PROCEDURES } from "./feed-procedures.ts";
import { fileWindow, fileWindowAnswer } from "./file-window.ts";
import { HISTORY_PROCEDURES } from "./history.ts";
import { terminateCause } from "./holder.ts";
import { HOLDER_PROCEDURES } from "./holder-procedures.ts";
import { JOB_PROCEDURES } from "./job-procedures.ts";
import * as j from "./job-schemas.ts";
import { listForm, listRow } from "./list-rows.ts";
import { NETWORK_PROCEDURES } from "./network-procedures.ts";
import { POLICY_PROCEDURES } from "./policy-procedures.ts";
import * as r from "./records.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

export const PROCEDURES = {
  ...HISTORY_PROCEDURES,
  ...JOB_PROCEDURES,
  ...NETWORK_PROCEDURES,
  ...FEED_PROCEDURES,
  ...ELASTIC_PROCEDURES,
  hello: { on: "any", kind: "unary", params: r.hello, result: r.helloAnswer },
  ping: { on: "any", kind: "unary", params: nothing, result: v.object({ now: s.count }) },

  "job.submit": {
    on: "controller",
    kind: "unary",
    params: v.object({
      requestId: s.name,
      job: j.jobRequest,
      script: v.nullable(s.bytes),
      environment: s.environment,
      /** The components of a heterogeneous job behind the first: accepted with it, or not at all. */
      followers: v.optional(v.array(v.object({ job: j.jobRequest, environment: s.environment }))),
      /** Root submits for somebody else (--uid, --gid): names or numbers that the controller's machine knows; empty for root's own. */
      as: v.optional(v.object({ user: s.text, group: s.text })),
      /** Nothing is queued: answers when and where it would start. */
      testOnly: v.optional(v.boolean()),
    }),
    result: v.object({
      jobId: s.positive,
      /** Of a test: where it would start, and when, milliseconds since 1970; `null` where that can't be known. */
      estimate: v.optional(
        v.object({ startAt: v.nullable(s.count), nodeList: s.text, cpus: s.count, partition: v.nullable(s.text) }),
      ),
      /** What of the job will not be as asked for, one sentence each. */
      warnings: v.optional(v.array(s.text)),
    }),
  },
  /**
   * Makes a step within a running job, as soon as there is room for it: until then `waiting` says why, once and after
   * each change. The same request id again answers with the same step.
   */
  "step.create": {
    on: "controller",
    kind: "stream",
    params: v.object({
      requestId: s.name,
      jobId: s.positive,
      step: j.stepOrder,
      environment: s.environment,
      /** Of a heterogeneous job, whose number `jobId` is: the component that the step is for; without it the first. */
      component: v.optional(s.count),
      /** More parts of the step in other components: made with it, or not at all. */
      others: v.optional(v.array(v.object({ component: s.count, step: j.stepOrder, environment: s.environment }))),
      /** Fail with STEP_BUSY rather than wait (--immediate). */
      immediate: v.boolean(),
    }),
    item: v.object({
      waiting: s.text,
      /** Who in the job holds what it waits for, in words. */
      holders: v.optional(s.text),
    }),
    result: v.object({
      stepId: s.count,
      attempt: s.positive,
      /** Of the whole step. */
      tasks: s.positive,
      /** The components' own numbers, where any was asked for: in the order of their tasks. */
      jobIds: v.optional(v.array(s.positive)),
    }),
  },
  /** The owner of an allocation without a program gives it back. */
  "job.complete": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive, exit: s.exitStatus }),
    result: nothing,
  },
  /** Sends the job's newest record at once and after each change; ends when the job is over and cleared. */
  "job.watch": {
    on: "controller",
    kind: "stream",
    params: v.object({
      jobId: s.positive,
      /** Follow this step of the job rather than the job. */
      stepId: v.optional(v.nullable(s.stepId)),
      /** The watcher is the job's (or step's) srun: without it for too long, one without a terminal is cancelled. */
      owner: v.boolean(),
    }),
    item: r.jobUpdate,
    result: nothing,
  },
  /**
   * Rows in chunks; each row is the list of the asked fields' values, in the order asked. With a form some or all may come as
   * text in its place, ready to be printed.
   */
  "jobs.list": {
    on: "controller",
    kind: "stream",
    params: v.object({ filter: r.jobFilter, fields: v.array(v.keyof(listRow)), form: v.optional(listForm) }),
    item: v.object({ rows: v.array(v.array(v.unknown())), text: v.optional(s.bytes) }),
    result: v.object({ now: s.count }),
  },
  /**
   * All jobs, for whoever shows them all the time: every row first, in chunks, then those that changed, at most a few
   * times a second. One who takes them slowly skips what is outdated. Does not end by itself.
   */
  "jobs.watch": {
    on: "controller",
    kind: "stream",
    params: v.object({ fields: v.array(v.keyof(r.jobRow)) }),
    item: v.object({
      /** Forget all rows: these are the first of all. */
      isReset: v.boolean(),
      /** More of the same come at once. */
      isPartial: v.boolean(),
      /** Values in the order of the fields that were asked for. */
      rows: v.array(v.array(v.unknown())),
      /** Numbers of jobs that have left the queue's memory. */
      gone: v.array(s.positive),
      /** Milliseconds since 1970, by the controller's clock. */
      now: s.count,
    }),
    result: nothing,
  },
  /** Ends or signals each selected job. One result a job that was asked for by id or selected. */
  "jobs.cancel": {
    on: "controller",
    kind: "unary",
    params: v.object({
      filter: r.jobFilter,
      /** Step of the one given id; null for the job. */
      stepId: v.nullable(s.stepId),
      /** Signal number, or null to end the job. */
      signal: v.nullable(s.positive),
      /** Whom a signal is for where no step is named: the steps, the batch script's shell, or all. */
      target: v.optional(v.picklist(["steps", "batch", "full"])),
      cause: s.text,
    }),
    result: r.jobResults,
  },
  /** Holds, releases, requeues, suspends, resumes or changes each selected job. */
  "jobs.steer": {
    on: "controller",
    kind: "unary",
    params: v.object({
      filter: r.jobFilter,
      action: v.variant("type", [
        v.object({ type: v.literal("hold"), by: v.picklist(["user", "admin"]) }),
        v.object({ type: v.literal("release") }),
        v.object({ type: v.literal("requeue"), hold: v.boolean(), special: v.optional(v.boolean()) }),
        v.object({ type: v.literal("suspend") }),
        v.object({ type: v.literal("resume") }),
        v.object({ type: v.literal("update"), changes: j.jobChanges }),
        // Of one step, or of all that run (`null`).
        v.object({ type: v.literal("stepLimit"), stepId: v.nullable(s.stepId), limitS: s.count }),
      ]),
    }),
    result: r.jobResults,
  },
  /** Whole records of the selected jobs, as the state keeps them, with what only the controller knows. */
  "jobs.get": {
    on: "controller",
    kind: "stream",
    params: v.object({ filter: r.jobFilter }),
    item: v.object({ jobs: v.array(v.object({ job: v.custom<Job>(r.isRecord, "expected a job"), row: r.jobRow })) }),
    result: v.object({ now: s.count }),
  },
  "nodes.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ nodes: v.array(r.nodeRow), now: s.count }),
  },
  "nodes.watch": { on: "controller", kind: "stream", params: nothing, item: r.nodesItem, result: nothing },
  ...ENTITY_PROCEDURES,
  ...POLICY_PROCEDURES,
  "controller.status": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({
      clusterName: s.text,
      stateFolder: s.text,
      socket: s.text,
      /** Whose jobs it runs, in words. */
      serves: v.optional(s.text),
      daemons: v.array(r.daemonStatus),
      jobs: v.object({ pending: s.count, running: s.count, ended: s.count }),
      /** Why nothing can be accepted right now (a full disk); empty when all is well. */
      problem: s.text,
      /** That, and all else that somebody should see to. */
      problems: v.optional(v.array(s.text)),
      /** While a shutdown waits for jobs to end: which, and when what is left of them is killed. */
      ending: v.optional(v.object({ jobs: v.array(s.positive), killAt: s.count })),
    }),
  },
  /** Ends the daemons. Refused with JOBS_RUNNING while jobs run, unless forced: then they are cancelled first. */
  "controller.shutdown": {
    on: "controller",
    kind: "unary",
    params: v.object({ force: v.boolean() }),
    /** `left`: what could not be ended, because it is on a machine whose node daemon does not answer; in sentences. */
    result: v.object({ cancelled: v.array(s.positive), left: v.optional(v.array(s.text)) }),
  },

  /** A sign of life, and how the machine is doing. Kept beside the connection, never on disk. */
  "node.vitals": { on: "controller", kind: "unary", params: r.nodeVitals, result: nothing },
  /** Reports, oldest first; the answer says that all of them are on disk. */
  "node.report": {
    on: "controller",
    kind: "unary",
    params: v.object({ reports: v.array(r.nodeReport) }),
    result: nothing,
  },

  "node.launch": { on: "node", kind: "unary", params: r.nodeLaunch, result: nothing },
  "node.signal": {
    on: "node",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      target: v.union([s.stepId, v.literal("steps"), v.literal("full")]),
      signal: s.positive,
    }),
    result: nothing,
  },
  /** Says something in the outputs of a job's first task here. */
  "node.notify": {
    on: "node",
    kind: "unary",
    params: v.object({ jobId: s.positive, attempt: s.positive, message: s.text }),
    result: v.object({ said: s.count }),
  },
  "node.terminate": {
    on: "node",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      /** Of this step only. */
      stepId: v.optional(v.nullable(s.stepId)),
      /** For the lines in the outputs of steps that still run; without it there are none. */
      cause: v.optional(terminateCause),
    }),
    result: nothing,
  },
  /** Part of a file, read with the rights of a user. */
  "node.read": {
    on: "node",
    kind: "unary",
    params: v.object({
      path: s.text,
      user: v.object({ uid: s.count, gid: s.count, name: v.optional(s.text) }),
      ...fileWindow,
    }),
    result: fileWindowAnswer,
  },
  /** The daemon ends; with `holders`, so do its idle holders. */
  "node.shutdown": { on: "node", kind: "unary", params: v.object({ holders: v.boolean() }), result: nothing },

  ...HOLDER_PROCEDURES,
} as const satisfies ProcedureTable;

/** Which program answers a procedure. */
export type Side = "controller" | "node" | "holder" | "any";

export interface Procedure {
  readonly on: Side;
  readonly kind: "unary" | "stream";
  readonly params: v.GenericSchema;
  readonly result: v.GenericSchema;
  readonly item?: v.GenericSchema;
}

type ProcedureTable = Record<string, Procedure>;

export type Method = keyof typeof PROCEDURES;
export type Params<M extends Method> = v.InferOutput<(typeof PROCEDURES)[M]["params"]>;
export type Result<M extends Method> = v.InferOutput<(typeof PROCEDURES)[M]["result"]>;
export type StreamMethod = { [M in Method]: (typeof PROCEDURES)[M]["kind"] extends "stream" ? M : never }[Method];
export type UnaryMethod = Exclude<Method, StreamMethod>;
export type Item<M extends StreamMethod> = v.InferOutput<(typeof PROCEDURES)[M]["item"]>;

/** Methods that a side must answer, `hello` and `ping` included. */
export type MethodsOn<S extends Side> = {
  [M in Method]: (typeof PROCEDURES)[M]["on"] extends S | "any" ? M : never;
}[Method];

export type { LicenseRow, PartitionRow, ReservationRow } from "./entity-schemas.ts";
export type { JobDetails, JobListRow, JobShare, ListForm } from "./list-rows.ts";
export type {
  AttachPoint,
  DaemonStatus,
  Hello,
  HelloAnswer,
  JobFilter,
  JobRow,
  JobUpdate,
  NodeLaunch,
  NodeReport,
  NodeRow,
  NodeVitals,
  TerminalStatus,
  TerminalView,
} from "./records.ts";
