/**
 * The shared shapes of what a holder (mgpu-stepd) is asked to run. A new node daemon must speak to an old
 * holder, so these change by adding optional fields only.
 */

import * as v from "valibot";
import {
  bytes,
  count,
  environment,
  exitStatus,
  integer,
  name,
  nodeName,
  positive,
  stepKey,
  stepUsage,
  text,
} from "./schemas.ts";

/**
 * Where one stream of a task goes.
 * - `client`: relayed to whoever attaches
 * - `null`: /dev/null
 * - `file`: opened by the holder with the job's rights; missing parent folders are made
 */
const streamTarget = v.union([
  v.object({ to: v.literal("client") }),
  v.object({ to: v.literal("null") }),
  v.object({ to: v.literal("file"), path: text, append: v.boolean() }),
]);

/** One process to start. */
export const taskLaunch = v.object({
  /** Number within the step. */
  task: count,
  argv: v.array(text),
  /** Variables that differ from the step's environment. */
  environment,
  stdin: v.union([
    v.object({ from: v.literal("client") }),
    v.object({ from: v.literal("null") }),
    v.object({ from: v.literal("file"), path: text }),
  ]),
  stdout: streamTarget,
  /** `stdout` for the same open file as stdout. */
  stderr: v.union([streamTarget, v.object({ to: v.literal("stdout") })]),
  /** One line for its stderr, before its program starts. */
  remark: v.optional(text),
  /** CPUs that it is bound to, none for all; the report for its stderr has the task's pid between its halves. */
  cpuBind: v.optional(v.object({ cpus: v.array(count), report: v.optional(v.object({ before: text, after: text })) })),
});

/** One node's part of a step. */
export const stepLaunch = v.object({
  key: stepKey,
  /** A keyed digest of the key, which the controller can make again; whoever attaches must show it. */
  token: name,
  workDir: text,
  environment,
  tasks: v.array(taskLaunch),
  /** `inactivityS`: seconds without a key typed or anything printed after which it is ended. */
  pty: v.nullable(v.object({ columns: positive, rows: positive, inactivityS: v.exactOptional(positive) })),
  /**
   * For a batch script: its text, and the folder where its copy, its pid and its exit status are kept, so that it
   * needs no mgpu process to be followed to its end.
   */
  batch: v.nullable(v.object({ script: bytes, spool: text })),
  /** File mode bits that new files don't get, those of the output included; the holder's own if absent. */
  umask: v.optional(count),
  /** Soft limits of its processes by Slurm's names (`NOFILE`), in setrlimit's units; -1 for none. */
  rlimits: v.optional(v.record(v.string(), integer)),
  /**
   * Programs to run before and after each task, with its environment: paths, or names to be found along PATH. The first
   * one's output changes the task's environment.
   */
  prolog: v.optional(text),
  epilog: v.optional(text),
  /**
   * MiB that the step, and all steps of its job here, may use together; above it they are ended. 0 for no limit.
   * `group`: the folder of the control group in which the node daemon puts its tasks, which wait for that.
   */
  memory: v.optional(v.object({ stepMiB: count, jobMiB: count, group: v.exactOptional(text) })),
});

/** Where a step stands in a holder. `problem` says in words why it could not start. */
export const holderStep = v.object({
  key: stepKey,
  phase: v.picklist(["running", "ended"]),
  exits: v.array(exitStatus),
  problem: text,
  /** Nothing of the job is left in this machine's process table, as far as the holder can see. */
  clean: v.boolean(),
  /** It was ended because it, or its job, used more memory than it may. */
  outOfMemory: v.optional(v.boolean()),
  /** Pids of tasks that wait to be put into its control group (`holder.go`). */
  waiting: v.optional(v.array(count)),
  /** What its tasks used, once it ended. */
  usage: v.optional(stepUsage),
});

/** Why a job's processes are ended, for the line in its own output. One that is not known yet is a plain end. */
export const terminateCause = v.fallback(
  v.picklist(["cancelled", "time limit", "node failure", "preempted", "requeue"]),
  "cancelled",
);

/** How a job is ended beyond signals: with what words, and who else is at it. */
export const terminateDetails = {
  /** For the lines in the outputs of what still runs; without it there are none. */
  notice: v.optional(
    v.object({
      cause: terminateCause,
      /** Of this node. */
      node: nodeName,
      /** Spool folders of batch scripts that get such a line, with or without the holder that started them. */
      scripts: v.array(text),
    }),
  ),
  /** Steps (JOB.ATTEMPT.STEP) that other holders end at the same time. */
  elsewhere: v.optional(v.array(text)),
};

export type TerminateCause = v.InferOutput<typeof terminateCause>;
export type TerminateDetails = v.InferOutput<v.ObjectSchema<typeof terminateDetails, undefined>>;
export type TerminateNotice = NonNullable<TerminateDetails["notice"]>;
export type StepLaunch = v.InferOutput<typeof stepLaunch>;
export type TaskLaunch = v.InferOutput<typeof taskLaunch>;
export type HolderStep = v.InferOutput<typeof holderStep>;
