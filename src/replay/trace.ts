/** What a trace says: jobs with their times and wishes, whatever file they come from. */

import type { ResourceRequest } from "../core/resources.ts";

/** One job of a trace. Times are seconds since the trace's beginning, fractions allowed. */
export interface TraceJob {
  /** As the trace names it. */
  readonly id: string;
  readonly submitS: number;
  /** How long it runs once it has what it asks for. Policies that are said not to know it never look at it. */
  readonly runS: number;
  /** What its user asked for; `null` where the trace does not say. Never less than {@link runS}. */
  readonly limitS: number | null;
  readonly wish: TraceWish;
  /** Empty where the trace does not say. */
  readonly user: string;
  readonly account: string;
  readonly name: string;
  /** How long it waited then; `null` where the trace does not say. */
  readonly waitedS: number | null;
  /** Seconds of progress that it loses at every scheduling event while it runs, if jobs are time-shared. */
  readonly eventCostS: number;
}

/** What a job asks for: as simple traces say it, or as a request of mgpu's own. */
export type TraceWish =
  | { readonly kind: "cpus"; readonly cpus: number }
  | {
      readonly kind: "gpus";
      /** For the whole job; 500 is half of one. */
      readonly thousandths: number;
      /** GPU models of which one will do; empty for any. */
      readonly models: readonly string[];
      readonly cpus: number;
      /** 0 where it does not count. */
      readonly memoryMiB: number;
    }
  | { readonly kind: "request"; readonly request: ResourceRequest };

/** Names of the formats, as `--format` takes them. */
export const TRACE_FORMATS = ["muri", "swf", "swf-csv", "openb", "philly", "mgpu"] as const;

export type TraceFormat = (typeof TRACE_FORMATS)[number];

export interface Trace {
  readonly format: TraceFormat;
  /** In the order of their submission. */
  readonly jobs: readonly TraceJob[];
  /** Processors of the machine that the log is of; `null` where it does not say. */
  readonly processors: number | null;
  /** What was left out and why, a line each. */
  readonly notes: readonly string[];
}

/** Something in a trace or another file that can't be used: where, what, and what to do. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
  readonly problems: readonly string[];
  readonly hint: string;

  constructor(problems: string | readonly string[], hint: string) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("; "));
    this.problems = list;
    this.hint = hint;
  }
}

/** Jobs in the order of their submission; of the same moment in that of the file. */
export function bySubmission(jobs: readonly TraceJob[]): readonly TraceJob[] {
  const order = jobs.map((job, at) => ({ job, at }));
  order.sort((a, b) => a.job.submitS - b.job.submitS || a.at - b.at);
  return order.map(({ job }) => job);
}
