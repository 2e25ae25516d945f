/**
 * Starts of jobs, and single steps, that the controller ended: which are being cleared away, which are clear, and which
 * must not start (any more). An order to launch can overtake, or be overtaken by, the order to end its job or step.
 *
 * In memory only: a controller that does not know of the clearing yet orders it again after a restart.
 */

import { formatStart, formatStepKey, type StepKey } from "../core/ids.ts";

/** As many as finished starts are kept on disk. */
const CLOSED_MAX = 10_000;

/** Any start of the number: of a job that was ended before its launch came, the time of its start is not known. */
const ANY = null;

export class ClosedStarts {
  private readonly closed = new Map<string, number | typeof ANY>();
  private readonly steps = new Map<string, number | typeof ANY>();
  private readonly clearing = new Set<string>();
  private readonly clear = new Set<string>();

  /** No step of it may start any more. */
  close(jobId: number, attempt: number, startAt: number | null): void {
    close(this.closed, formatStart({ jobId, attempt }), startAt);
  }

  /** That step must not start any more. */
  closeStep(key: StepKey, startAt: number | null): void {
    close(this.steps, formatStepKey(key), startAt);
  }

  hasStep(key: StepKey, startAt: number): boolean {
    return isClosed(this.steps.get(formatStepKey(key)), startAt);
  }

  /** Whether a step of that key was closed, whatever the time of its job's start. */
  includesStep(key: StepKey): boolean {
    return this.steps.has(formatStepKey(key));
  }

  has({ jobId, attempt }: StepKey, startAt: number): boolean {
    return isClosed(this.closed.get(formatStart({ jobId, attempt })), startAt);
  }

  /** Whether a start of that number was closed, whatever its time. */
  includes({ jobId, attempt }: StepKey): boolean {
    return this.closed.has(formatStart({ jobId, attempt }));
  }

  isClearing(jobId: number, attempt: number): boolean {
    return this.clearing.has(formatStart({ jobId, attempt }));
  }

  beginClearing(jobId: number, attempt: number): void {
    this.clearing.add(formatStart({ jobId, attempt }));
  }

  /** @param isClear whether nothing of it is left here now */
  endClearing(jobId: number, attempt: number, isClear: boolean): void {
    const start = formatStart({ jobId, attempt });
    this.clearing.delete(start);
    if (isClear) this.clear.add(start);
  }

  isClear(jobId: number, attempt: number): boolean {
    return this.clear.has(formatStart({ jobId, attempt }));
  }

  /** Its steps are forgotten: nobody asks for {@link isClear} again. */
  dropClear(jobId: number, attempt: number): void {
    this.clear.delete(formatStart({ jobId, attempt }));
  }
}

function close(closed: Map<string, number | typeof ANY>, name: string, startAt: number | null): void {
  closed.delete(name);
  closed.set(name, startAt);
  for (const oldest of closed.keys()) {
    if (closed.size <= CLOSED_MAX) break;
    closed.delete(oldest);
  }
}

function isClosed(known: number | typeof ANY | undefined, startAt: number): boolean {
  return known !== undefined && (known === ANY || known === startAt);
}
