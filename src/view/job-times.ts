/** What the times of a job's row mean at a given moment. All in seconds, moments in milliseconds since 1970. */

import type { JobRow } from "../protocol/procedures.ts";

/** What the time that a job ran follows from. */
export type RunTimes = Pick<JobRow, "startAt" | "endAt" | "suspendedAt" | "suspendedMs">;

/**
 * How long the job has run, or ran, without the time that it was suspended; 0 before its start. A clock that lags
 * behind the controller's gives 0 too.
 */
export function usedS({ startAt, endAt, suspendedAt, suspendedMs }: RunTimes, nowMs: number): number {
  if (startAt === null) return 0;
  return Math.max(0, Math.floor(((endAt ?? suspendedAt ?? nowMs) - startAt - suspendedMs) / 1000));
}

/** What is left of its time limit; Infinity without one. */
export function leftS(row: RunTimes & Pick<JobRow, "limitS">, nowMs: number): number {
  if (row.limitS === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, row.limitS - usedS(row, nowMs));
}

/** When it ended or will end at the latest; `null` before its start, Infinity if nothing ends it. */
export function expectedEndMs({
  startAt,
  endAt,
  limitS,
  suspendedMs = 0,
}: Pick<JobRow, "startAt" | "endAt" | "limitS"> & { readonly suspendedMs?: number }): number | null {
  if (endAt !== null) return endAt;
  if (startAt === null) return null;
  return limitS === 0 ? Number.POSITIVE_INFINITY : startAt + suspendedMs + limitS * 1000;
}
