/** The sessions with a terminal that a job has. */

import type { StepId } from "../../core/ids.ts";
import { isOpenStep, type Job } from "../../core/job.ts";
import type { PtySpec } from "../../core/jobspec.ts";

/** A running step with a terminal. */
export interface TerminalSession {
  readonly stepId: StepId;
  /** The size that it was asked for with. */
  readonly size: PtySpec;
  readonly argv: readonly string[];
  /** Milliseconds since 1970. */
  readonly startAt: number;
  readonly node: string;
}

/** In the order in which they were made. */
export function sessionsOf(job: Job): TerminalSession[] {
  if (job.state !== "RUNNING") return [];
  return job.steps.filter(isOpenStep).flatMap((step) => {
    const { pty, argv } = step.spec ?? job.spec;
    const [part] = step.parts;
    return pty && part ? [{ stepId: step.id, size: pty, argv, startAt: step.startAt, node: part.node }] : [];
  });
}
