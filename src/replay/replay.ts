/** Replays of one trace with several policies on one or more clusters, one after the other. */

import type { Node } from "../core/node.ts";
import { countOf } from "../util/plural.ts";
import { inOrder } from "./cluster.ts";
import { type PlacementName, Placing } from "./placement.ts";
import { findPolicy, type Policy } from "./policies.ts";
import { replayQueue } from "./queue.ts";
import { replayShare, SLICE_S } from "./share.ts";
import { type Summary, summarize } from "./statistics.ts";
import { createTasks, type Task } from "./task.ts";
import { ReplayError, type Trace, type TraceJob } from "./trace.ts";

/** A cluster with the words for it. */
export interface Variant {
  /** Empty for the cluster as it is. */
  readonly label: string;
  readonly nodes: readonly Node[];
}

export interface ReplayOptions {
  readonly policies: readonly Policy[];
  readonly variants: readonly Variant[];
  /** Seconds that a job may run whose trace names no limit; `null` for as long as it does run. */
  readonly limitS: number | null;
  readonly placement: PlacementName;
  /** Seconds of progress that a scheduling event costs each running job that takes turns; `null` for what the trace says. */
  readonly eventCostS: number | null;
}

/** One policy on one cluster. */
export interface Run {
  readonly policy: string;
  readonly variant: string;
  readonly summary: Summary;
  /** Share of the cluster in use over time, in equal steps from the first submission to the last end. */
  readonly load: readonly number[];
  readonly tasks: readonly Task[];
}

export interface Outcome {
  readonly runs: readonly Run[];
  /** What a reader should know, a line each. */
  readonly notes: readonly string[];
}

/** How far it is: runs that are over, of how many, and events of the one under way of about how many. */
export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly label: string;
  readonly events: number;
  readonly eventsLikely: number;
}

/** Replays all policies on all variants. Yields every few milliseconds of work how far it is. @throws ReplayError */
export function* replay(trace: Trace, options: ReplayOptions): Generator<Progress, Outcome> {
  const { policies, variants } = options;
  const runs: Run[] = [];
  const { possible, notes } = fitting(trace, variants);
  for (const variant of variants) {
    const nodes = options.placement === "first-fit" ? inOrder(variant.nodes) : variant.nodes;
    for (const policy of policies) {
      const jobs = possible.map((job) => withCost(job, options.eventCostS));
      const { tasks } = createTasks(jobs, nodes, { limitS: limitOf(policy, options) });
      const label = [policy.name, variant.label].filter((word) => word !== "").join(", ");
      const steps = stepsOf(policy, tasks, nodes, new Placing(options.placement));
      const of = policies.length * variants.length;
      for (;;) {
        const step = steps.next();
        if (step.done) {
          const { load } = step.value;
          runs.push({
            policy: policy.name,
            variant: variant.label,
            summary: summarize(tasks, step.value),
            load,
            tasks,
          });
          break;
        }
        yield { done: runs.length, of, label, events: step.value, eventsLikely: tasks.length * 2 };
      }
    }
  }
  return { runs, notes: [...trace.notes, ...notes, ...limitNotes(possible, options)] };
}

/** Names to policies. @throws ReplayError with all that are unknown */
export function policiesNamed(names: readonly string[], known: readonly Policy[]): Policy[] {
  const unknown = names.filter((name) => findPolicy(name) === undefined);
  if (unknown.length > 0) {
    throw new ReplayError(
      unknown.map((name) => `--policy: no policy is named "${name}"`),
      `known are ${known.map(({ name }) => name).join(", ")}`,
    );
  }
  return [...new Set(names)].flatMap((name) => findPolicy(name) ?? []);
}

function stepsOf(policy: Policy, tasks: readonly Task[], nodes: readonly Node[], placing: Placing) {
  if (policy.kind === "queue") return replayQueue(tasks, nodes, policy.rules, placing);
  const nodeSize = nodes.reduce((most, { inventory }) => Math.max(most, inventory.gpus.length), 0) * 1000;
  return replayShare(tasks, nodes, policy.create(nodeSize), placing);
}

function limitOf(policy: Policy, { limitS }: ReplayOptions): (job: TraceJob) => number {
  if (policy.kind === "share") return () => SLICE_S;
  // A limit of 0 is none, so a job of no length has a short one.
  return (job) => Math.max(job.limitS ?? Math.max(limitS ?? 0, job.runS), Number.MIN_VALUE);
}

function withCost(job: TraceJob, eventCostS: number | null): TraceJob {
  return eventCostS === null ? job : { ...job, eventCostS };
}

/** Jobs that could run on every one of the clusters: only then what they wait can be compared. @throws ReplayError */
function fitting(trace: Trace, variants: readonly Variant[]): { possible: readonly TraceJob[]; notes: string[] } {
  const notes: string[] = [];
  const excluded = new Set<TraceJob>();
  for (const variant of variants) {
    const { tasks, impossible } = createTasks(trace.jobs, variant.nodes, { limitS: () => 0 });
    if (tasks.length === 0) throw nothingFits(trace, variant);
    if (impossible.length > 0) notes.push(leftOut(impossible, variant));
    for (const job of impossible) excluded.add(job);
  }
  return { possible: trace.jobs.filter((job) => !excluded.has(job)), notes };
}

function limitNotes(jobs: readonly TraceJob[], { policies, limitS }: ReplayOptions): string[] {
  const without = jobs.filter((job) => job.limitS === null).length;
  if (without === 0 || !policies.some(({ kind }) => kind === "queue")) return [];
  const taken =
    limitS === null ? "their run times, known in advance" : `${limitS} s, or their run times if those are longer`;
  return [`${countOf(without, "job")} without a time limit: taken for it are ${taken}`];
}

/** Jobs that a note names. */
const NAMED_MAX = 3;

function leftOut(impossible: readonly TraceJob[], { label }: Variant): string {
  const names = impossible.slice(0, NAMED_MAX).map(({ id }) => id);
  const more = impossible.length > NAMED_MAX ? ", ..." : "";
  const where = label === "" ? "this cluster" : `this cluster with ${label}`;
  return `left out: ${countOf(impossible.length, "job")} that could never run on ${where} (${names.join(", ")}${more})`;
}

function nothingFits({ jobs }: Trace, { label }: Variant): ReplayError {
  const where = label === "" ? "this cluster" : `the cluster with ${label}`;
  return new ReplayError(
    `none of ${countOf(jobs.length, "job")} could ever run on ${where}`,
    "--cluster names another: 8x8 is 8 nodes of 8 GPUs, 1x0x128 one of 128 CPUs",
  );
}
