/**
 * Mail about jobs (--mail-type): which event is worth one, and what it says. Pure.
 *
 * Subjects and variables are those of Slurm 22.05, which mail filters know. Of an array there is one mail for all of
 * its tasks unless its user asked for ARRAY_TASKS.
 */

import { firstTask, taskCount } from "./array-spec.ts";
import type { Effect, SendMail } from "./effects.ts";
import type { Event } from "./events.ts";
import type { JobId } from "./ids.ts";
import { type ExitStatus, isEnded, type Job, type PendingJob } from "./job.ts";
import type { MailPercent, MailType } from "./mail-types.ts";
import { type ClusterState, recordsOf } from "./state.ts";

/** What a subject says that happened; STAGE_OUT never does: there are no burst buffers. ALL_DONE is in done.ts. */
const WORDS: Readonly<Record<Exclude<MailType, "STAGE_OUT" | "ARRAY_TASKS" | "ALL_DONE">, string>> = {
  BEGIN: "Began",
  END: "Ended",
  FAIL: "Failed",
  REQUEUE: "Requeued",
  INVALID_DEPEND: "Invalid dependency",
  TIME_LIMIT: "Reached time limit",
  TIME_LIMIT_90: "Reached 90% of time limit",
  TIME_LIMIT_80: "Reached 80% of time limit",
  TIME_LIMIT_50: "Reached 50% of time limit",
};

type Occasion = keyof typeof WORDS;

/** Mail about an event. @param before the record before it; absent for a new one. @param now milliseconds since 1970 */
export function mailEffects(before: Job | undefined, after: ClusterState, event: Event, now: number): Effect[] {
  switch (event.type) {
    case "job.allocated":
      return beginMail(after, after.jobs.get(event.jobId));
    case "job.requeued":
      return before && before.state !== "PENDING" ? mail("REQUEUE", before, timeRun(before, now)) : [];
    case "job.ended":
      return [...endMails(after, after.jobs.get(event.jobId)), ...dependents(after, before)];
    case "job.cleaned":
      return dependents(after, before);
    case "job.submitted":
      return wantsDoom(event.job) ? [{ type: "mail.doomed", jobId: event.job.id }] : [];
    default:
      return [];
  }
}

/** Mail about so much of a running job's time limit being over. */
export function limitMail(job: Job | undefined, percent: MailPercent, now: number): Effect[] {
  return job?.state === "RUNNING" ? mail(`TIME_LIMIT_${percent}`, job, runTime(job, now)) : [];
}

/** Mail about a dependency that can't be met any more. */
export function doomMail(job: Job): SendMail[] {
  return mail("INVALID_DEPEND", job, NOTHING);
}

interface Told {
  /** Behind the subject's words. */
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
}

const NOTHING: Told = { text: "", variables: {} };

function wants({ spec }: Job, occasion: MailType): boolean {
  return spec.mail?.types.includes(occasion) ?? false;
}

function mail(occasion: Occasion, job: Job, told: Told, name = nameOf(job)): SendMail[] {
  const { mail: wish, user } = job.spec;
  if (!wish || !wants(job, occasion)) return [];
  const variables = {
    SLURM_JOB_ID: String(job.id),
    SLURM_JOBID: String(job.id),
    SLURM_JOB_NAME: job.spec.name,
    SLURM_JOB_USER: user.name,
    SLURM_JOB_UID: String(user.uid),
    SLURM_JOB_STATE: job.state,
    SLURM_JOB_MAIL_TYPE: WORDS[occasion],
    ...told.variables,
  };
  // Of an array there is one for all tasks: whose lines would it show?
  const about = isEnded(job) && name === nameOf(job) ? { about: job.id } : {};
  const subject = `Slurm ${name} Name=${job.spec.name} ${WORDS[occasion]}${told.text}`;
  const notify = wish.notify ? { notify: wish.notify } : {};
  return [{ type: "mail.send", to: wish.user, subject, variables, ...notify, ...about }];
}

function nameOf(job: Job): string {
  if (!job.array) return `Job_id=${job.id}`;
  const task = firstTask(job.array.tasks);
  if (taskCount(job.array.tasks) > 1) return `Array Job_id=${job.array.jobId}_* (${job.id})`;
  return `Array Task Job_id=${job.array.jobId}_${task} (${job.id})`;
}

function beginMail(state: ClusterState, job: Job | undefined): Effect[] {
  if (job?.state !== "RUNNING" || !wants(job, "BEGIN")) return [];
  const queued = duration(job.startAt - job.submitAt);
  // Slurm's own spelling of the variable, for programs that read it.
  const told = { text: `, Queued time ${queued}`, variables: { SLURM_JOB_QEUEUED_TIME: queued } };
  if (!isSummed(job)) return mail("BEGIN", job, told);
  const isFirst = !hasStarted(state, job) && hasAllTasks(job, recordsOf(state, job.array?.jobId ?? job.id));
  return isFirst ? mail("BEGIN", job, told, summaryName(job)) : [];
}

function endMails(state: ClusterState, job: Job | undefined): Effect[] {
  if (!job || !isEnded(job) || !job.spec.mail) return [];
  const ran = timeRun(job, job.endAt);
  const over = job.state === "TIMEOUT" ? mail("TIME_LIMIT", job, ran) : [];
  if (!isSummed(job)) return [...over, ...endMail(job, job.state, withExit(ran, job.state, job.exit))];
  if (isUnderWay(state, job)) return over;
  const records = recordsOf(state, job.array?.jobId ?? job.id);
  const ends = records.filter(isEnded);
  if (ends.length < records.length) return over;
  // Tasks that left memory long ago can't be asked any more.
  const worst = ends.find((one) => isFailure(one.state)) ?? job;
  const told = withExits(
    ran,
    worst.state,
    ends.map(({ exit }) => exit),
  );
  return [...over, ...endMail(worst, worst.state, told, summaryName(worst))];
}

/** Slurm's rule: FAIL for whom it is enough, else END for those who want to hear of any end. */
function endMail(job: Job, state: string, told: Told, name = nameOf(job)): Effect[] {
  return mail(isFailure(state) && wants(job, "FAIL") ? "FAIL" : "END", job, told, name);
}

function isFailure(state: string): boolean {
  return state !== "COMPLETED" && state !== "CANCELLED";
}

function withExit(ran: Told, state: string, exit: ExitStatus): Told {
  const isSignal = exit.signal !== 0;
  const variables = isSignal
    ? { SLURM_JOB_TERM_SIGNAL_MAX: String(exit.signal) }
    : { SLURM_JOB_EXIT_CODE_MAX: String(exit.code) };
  return {
    text: `${ran.text}, ${state}${isSignal ? "" : `, ExitCode ${exit.code}`}`,
    variables: { ...ran.variables, ...variables },
  };
}

function withExits(ran: Told, state: string, exits: readonly ExitStatus[]): Told {
  const signal = Math.max(...exits.map((exit) => exit.signal));
  if (signal > 0) {
    const variables = { ...ran.variables, SLURM_JOB_TERM_SIGNAL_MAX: String(signal) };
    return { text: `${ran.text}, Mixed, MaxSignal [${signal}]`, variables };
  }
  const [least, most] = [Math.min(...exits.map(({ code }) => code)), Math.max(...exits.map(({ code }) => code))];
  return {
    text: `${ran.text}, ${least === 0 && most > 0 ? "Mixed" : state}, ExitCode [${least}-${most}]`,
    variables: {
      ...ran.variables,
      SLURM_JOB_EXIT_CODE_MIN: String(least),
      SLURM_JOB_EXIT_CODE_MAX: String(most),
    },
  };
}

/** Whether mail about a job is about the whole array that it is of. */
function isSummed(job: Job): boolean {
  return job.array !== null && !wants(job, "ARRAY_TASKS");
}

function summaryName({ id, array }: Job): string {
  return `Array Summary Job_id=${array?.jobId ?? id}_* (${array?.jobId ?? id})`;
}

/** Whether another record of the array has started before. Ends at the first one: the earliest come first. */
function hasStarted({ arrays, jobs }: ClusterState, { id, array }: Job): boolean {
  for (const other of arrays.get(array?.jobId ?? id) ?? []) {
    if (other !== id && (jobs.get(other)?.attempt ?? 0) > 0) return true;
  }
  return false;
}

/** Whether an array has a task that waits or runs, as far as that is found without a look at all of its records. */
function isUnderWay({ active, jobs }: ClusterState, { id, array }: Job): boolean {
  const arrayId = array?.jobId ?? id;
  const last = jobs.get(arrayId);
  if (last && !isEnded(last)) return true;
  for (const other of active) {
    const job = jobs.get(other);
    if (job?.array?.jobId === arrayId && !isEnded(job)) return true;
  }
  return false;
}

/** Whether none of an array's tasks has left memory. */
function hasAllTasks({ spec }: Job, records: readonly Job[]): boolean {
  const known = records.reduce((sum, { array }) => sum + taskCount(array?.tasks ?? []), 0);
  return known === taskCount(spec.array?.tasks ?? []);
}

/** How long a job ran, up to `now` if it still does; nothing of one that never started. */
function timeRun(job: Exclude<Job, PendingJob>, now: number): Told {
  if (job.startAt === null) return NOTHING;
  return runTime({ ...job, startAt: job.startAt }, isEnded(job) ? job.endAt : now);
}

function runTime(job: { readonly startAt: number; readonly suspendedMs: number }, until: number): Told {
  const ran = duration(until - job.startAt - job.suspendedMs);
  return { text: `, Run time ${ran}`, variables: { SLURM_JOB_RUN_TIME: ran } };
}

/** Waiting jobs whose users want to hear when what they wait for can't happen any more, as it may be now. */
function dependents(state: ClusterState, job: Job | undefined): Effect[] {
  if (!job) return [];
  const ids = new Set<JobId>();
  for (const key of [job.id, job.array?.jobId ?? job.id]) {
    for (const id of state.dependents.get(key) ?? []) ids.add(id);
  }
  return [...ids].flatMap((jobId): Effect[] => {
    const waiting = state.jobs.get(jobId);
    return waiting && wantsDoom(waiting) ? [{ type: "mail.doomed", jobId }] : [];
  });
}

function wantsDoom(job: Job): boolean {
  return job.spec.dependency !== null && wants(job, "INVALID_DEPEND");
}

/** `00:01:30`, `2-00:00:00`. */
function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const fields = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const clock = fields.map((field) => String(field).padStart(2, "0")).join(":");
  const days = Math.floor(seconds / 86_400);
  return days > 0 ? `${days}-${clock}` : clock;
}
