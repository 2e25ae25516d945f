/**
 * "Tell me when all my jobs are done" (--mail-type=ALL_DONE): who wants to hear it, kept from a job that says so until
 * its user has no job that waits or runs. The wish outlives the job that brought it.
 */

import type { SendMail } from "./effects.ts";
import type { Event } from "./events.ts";
import { isEnded, type Job } from "./job.ts";
import { MAIL_USER_MAX } from "./mail-types.ts";
import type { ClusterState } from "./state.ts";

/** The wish of a user, and what happened since. */
export interface DoneWish {
  readonly uid: number;
  readonly name: string;
  /** Users or addresses with commas between them; empty for none. */
  readonly to: string;
  /** Web addresses. */
  readonly notify: readonly string[];
  /** Jobs of that user that ended, and those of them that did not complete. */
  readonly ended: number;
  readonly failed: number;
}

/** Of each kind that a wish remembers: the newest. */
const HEARERS_MAX = 8;

/** Notes a new job's wish. Only for `reduce`. */
export function noteSubmitted({ doneWishes }: ClusterState, { spec: { mail, user } }: Job): void {
  if (!mail?.types.includes("ALL_DONE")) return;
  const known = doneWishes.get(user.uid) ?? { uid: user.uid, name: user.name, to: "", notify: [], ended: 0, failed: 0 };
  const notify = newest(known.notify, mail.notify ?? []);
  doneWishes.set(user.uid, { ...known, to: mailUsers(known.to, mail.user), notify });
}

/** As many as a mail may be sent to, and no longer than {@link isMailUser} has them. */
function mailUsers(known: string, more: string): string {
  const of = (text: string): string[] => text.split(",").filter((one) => one !== "");
  const all = newest(of(known), of(more));
  while (all.length > 1 && all.join(",").length > MAIL_USER_MAX) all.shift();
  return all.join(",");
}

/** Each once, oldest first. A wish grows with no job, however many there are. */
function newest(known: readonly string[], more: readonly string[]): string[] {
  const added = new Set(more);
  return [...known.filter((one) => !added.has(one)), ...added].slice(-HEARERS_MAX);
}

/** Counts a job that has ended; the wish is fulfilled with the last one. Only for `reduce`. */
export function noteEnded(state: ClusterState, job: Job): void {
  const wish = state.doneWishes.get(job.spec.user.uid);
  if (!wish || !isEnded(job)) return;
  if (!hasLiveJob(state, wish.uid)) state.doneWishes.delete(wish.uid);
  else state.doneWishes.set(wish.uid, counted(wish, job));
}

/** Mail that the last job of a user has ended. @param before the user's wish before the event */
export function doneMail(before: DoneWish | undefined, after: ClusterState, event: Event): SendMail[] {
  const job = event.type === "job.ended" ? after.jobs.get(event.jobId) : undefined;
  if (!before || !job || after.doneWishes.has(before.uid)) return [];
  const { uid, name, to, notify, ended, failed } = counted(before, job);
  const failures = failed === 0 ? "" : `, ${failed} not COMPLETED`;
  const variables = {
    SLURM_JOB_ID: String(job.id),
    SLURM_JOBID: String(job.id),
    SLURM_JOB_NAME: job.spec.name,
    SLURM_JOB_USER: name,
    SLURM_JOB_UID: String(uid),
    SLURM_JOB_STATE: job.state,
    SLURM_JOB_MAIL_TYPE: "All done",
  };
  const subject = `Slurm All jobs of ${name} are done: ${ended} ended${failures}, the last one was Job_id=${job.id}`;
  return [{ type: "mail.send", to, subject, variables, ...(notify.length > 0 ? { notify } : {}) }];
}

function counted(wish: DoneWish, { state }: Job): DoneWish {
  return { ...wish, ended: wish.ended + 1, failed: wish.failed + (state === "COMPLETED" ? 0 : 1) };
}

/** Only looked for where somebody wants to hear of it. */
function hasLiveJob({ pending, active, jobs }: ClusterState, uid: number): boolean {
  for (const ids of [active, pending]) {
    for (const id of ids) {
      const job = jobs.get(id);
      if (job && job.spec.user.uid === uid && !isEnded(job)) return true;
    }
  }
  return false;
}
