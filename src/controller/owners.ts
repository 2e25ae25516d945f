/**
 * The srun clients of jobs. Without its client a job of srun is of no use: its output has no reader, and once the pipes
 * are full it only holds its GPUs. So it is cancelled when nobody has claimed it for a while. A session with a terminal
 * is another matter: a person comes back to it.
 */

import type { JobId } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import { createAbsences } from "./absences.ts";

export interface Owners {
  /** A client claims its job; call the result when it is gone. */
  claim(jobId: JobId): () => void;
  /** A job whose client should turn up: just submitted, or known from before a restart. */
  expect(jobId: JobId): void;
}

/** `abandoned` is called for a job that had no client for `waitMs`. */
export function createOwners(clock: Clock, waitMs: number, abandoned: (jobId: JobId) => void): Owners {
  const claims = new Map<JobId, number>();
  const absences = createAbsences(clock, waitMs, abandoned);
  return {
    expect(jobId) {
      if (!claims.has(jobId)) absences.begin(jobId);
    },
    claim(jobId) {
      absences.end(jobId);
      claims.set(jobId, (claims.get(jobId) ?? 0) + 1);
      return () => {
        const left = (claims.get(jobId) ?? 1) - 1;
        if (left > 0) {
          claims.set(jobId, left);
          return;
        }
        claims.delete(jobId);
        absences.begin(jobId);
      };
    },
  };
}
