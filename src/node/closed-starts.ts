/**
 * Starts of jobs that the controller ended: which are being cleared away, which are clear, and which must not get new
 * steps. An order to launch can overtake, or be overtaken by, the order to end its job.
 *
 * In memory only: a controller that does not know of the clearing yet orders it again after a restart.
 */

import type { StepKey } from "../core/ids.ts";
import { formatStart } from "./step-table.ts";

/** As many as finished starts are kept on disk. */
const CLOSED_MAX = 10_000;

/** Any start of the number: of a job that was ended before its launch came, the time of its start is not known. */
const ANY = null;

export class ClosedStarts {
  private readonly closed = new Map<string, number | typeof ANY>();
  private readonly clearing = new Set<string>();
  private readonly clear = new Set<string>();

  /** No step of it may start any more. */
  close(jobId: number, attempt: number, startAt: number | null): void {
    const start = formatStart(jobId, attempt);
    this.closed.delete(start);
    this.closed.set(start, startAt);
    for (const oldest of this.closed.keys()) {
      if (this.closed.size <= CLOSED_MAX) break;
      this.closed.delete(oldest);
    }
  }

  has({ jobId, attempt }: StepKey, startAt: number): boolean {
    const known = this.closed.get(formatStart(jobId, attempt));
    return known !== undefined && (known === ANY || known === startAt);
  }

  /** Whether a start of that number was closed, whatever its time. */
  includes({ jobId, attempt }: StepKey): boolean {
    return this.closed.has(formatStart(jobId, attempt));
  }

  isClearing(jobId: number, attempt: number): boolean {
    return this.clearing.has(formatStart(jobId, attempt));
  }

  beginClearing(jobId: number, attempt: number): void {
    this.clearing.add(formatStart(jobId, attempt));
  }

  /** @param isClear whether nothing of it is left here now */
  endClearing(jobId: number, attempt: number, isClear: boolean): void {
    const start = formatStart(jobId, attempt);
    this.clearing.delete(start);
    if (isClear) this.clear.add(start);
  }

  isClear(jobId: number, attempt: number): boolean {
    return this.clear.has(formatStart(jobId, attempt));
  }

  /** Its steps are forgotten: nobody asks for {@link isClear} again. */
  dropClear(jobId: number, attempt: number): void {
    this.clear.delete(formatStart(jobId, attempt));
  }
}
