/**
 * The clients of jobs and steps: srun and salloc. Without its client a step of srun is of no use: its output has no
 * reader, and once the pipes are full it only holds its GPUs. So it is ended when nobody has claimed it for a while. A
 * session with a terminal is another matter: a person comes back to it.
 */

import type { JobId, StepId } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import { createAbsences } from "./absences.ts";

/** What a client owns: `12`, or `12.0` for a step made within a job. */
export type Owned = string;

export interface Owners {
  /** A client claims what it made; call the result when it is gone. */
  claim(owned: Owned): () => void;
  /** Something whose client should turn up: just made (`isNew`), or known from before a restart. */
  expect(owned: Owned, isNew?: boolean): void;
}

/** How a job is named here. */
export function jobName(jobId: JobId): Owned {
  return String(jobId);
}

/** How a step is named here. */
export function stepName(jobId: JobId, stepId: StepId): Owned {
  return `${jobId}.${stepId}`;
}

/** The inverse of {@link jobName} and {@link stepName}; only steps that srun made have a number. */
export function parseOwned(owned: Owned): { readonly jobId: JobId; readonly stepId: number | null } {
  const [job, step] = owned.split(".");
  return { jobId: Number(job), stepId: step === undefined ? null : Number(step) };
}

/**
 * `abandoned` is called for what had no client for `waitMs`; `isNew` says that it never had one: whoever asked for it
 * was interrupted before it knew that there is something to come back to.
 */
export function createOwners(clock: Clock, waitMs: number, abandoned: (owned: Owned, isNew: boolean) => void): Owners {
  const claims = new Map<Owned, number>();
  const unclaimed = new Set<Owned>();
  const absences = createAbsences<Owned>(
    clock,
    () => waitMs,
    (owned) => abandoned(owned, unclaimed.delete(owned)),
  );
  return {
    expect(owned, isNew = false) {
      if (claims.has(owned)) return;
      if (isNew) unclaimed.add(owned);
      absences.begin(owned);
    },
    claim(owned) {
      absences.end(owned);
      unclaimed.delete(owned);
      claims.set(owned, (claims.get(owned) ?? 0) + 1);
      return () => {
        const left = (claims.get(owned) ?? 1) - 1;
        if (left > 0) {
          claims.set(owned, left);
          return;
        }
        claims.delete(owned);
        absences.begin(owned);
      };
    },
  };
}
