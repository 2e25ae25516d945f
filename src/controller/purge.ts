/** Moves finished jobs out of the hot state once they are old enough: first to accounting, then forgotten. */

import { isPurgeable } from "../core/decide/steer.ts";
import { type EndedJob, isEnded } from "../core/job.ts";
import type { Disk } from "../platform/disk.ts";
import type { ControllerContext } from "./context.ts";
import { recordFinished } from "./store/accounting.ts";

/** How often finished jobs are looked through. Their age is a minimum, so late is fine. */
const SWEEP_MS_MAX = 10_000;
/** Jobs moved in one go: one write for all, and the loop is free in between. */
const JOBS_A_SWEEP_MAX = 1000;

/** Sweeps for ever. */
export function startPurging(context: ControllerContext, disk: Disk): void {
  // Asked for each time: it may change while the controller runs.
  const ageMs = (): number => context.settings.minJobAgeS * 1000;
  const periodMs = (): number => Math.min(SWEEP_MS_MAX, Math.max(100, ageMs() / 4));
  const again = (): void => void context.clock.after(periodMs(), () => void sweep().finally(again));

  const sweep = async (): Promise<void> => {
    const old = finishedBefore(context, context.clock.now() - ageMs());
    if (old.length === 0 || context.loop.problem) return;
    try {
      await recordFinished(disk, context.places.accountingFolder, old);
      await Promise.all(old.map((job) => context.loop.execute({ type: "job.purge", jobId: job.id })));
      await context.blobs.sweep(digestsInUse(context));
    } catch (error) {
      context.log.warn("finished jobs stay in memory: accounting can't be written", { error: String(error) });
    }
  };
  again();
}

function finishedBefore({ loop }: ControllerContext, time: number): EndedJob[] {
  const found: EndedJob[] = [];
  for (const job of loop.state.jobs.values()) {
    if (isEnded(job) && job.endAt < time && isPurgeable(loop.state, job)) found.push(job);
    if (found.length >= JOBS_A_SWEEP_MAX) break;
  }
  return found;
}

function digestsInUse({ loop }: ControllerContext): Set<string> {
  const digests = new Set<string>();
  for (const job of loop.state.jobs.values()) {
    const { spec } = job;
    digests.add(spec.environmentDigest);
    if (spec.scriptDigest !== null) digests.add(spec.scriptDigest);
    if (job.state !== "RUNNING") continue;
    for (const step of job.steps) if (step.spec) digests.add(step.spec.environmentDigest);
  }
  return digests;
}
