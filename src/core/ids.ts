/**
 * Names of the things in a cluster.
 *
 * A job is known by one positive integer, as in Slurm. A step is numbered from 0 within its job, or is the
 * batch script's own step. An attempt counts how often a job was started: messages that speak of an older
 * attempt are ignored everywhere.
 */

/** A positive integer; never used twice in one state folder. */
export type JobId = number;

/** 0, 1, 2 ... for steps that srun made; `batch` for the script of sbatch. (`extern` stands in accounting's listings only.) */
export type StepId = number | "batch";

/** 1 for the first start of a job, one more after each requeue. */
export type Attempt = number;

/** The name a node registered under: letters, digits, `.`, `_` and `-`. */
export type NodeName = string;

/** One start of one step; what node daemons and holders key their records by. */
export interface StepKey {
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
}

/** One start of a job, whatever steps it has. */
export interface JobStart {
  readonly jobId: JobId;
  readonly attempt: Attempt;
}

/** `JOB.ATTEMPT`: a map key. */
export function formatStart({ jobId, attempt }: JobStart): string {
  return `${jobId}.${attempt}`;
}

/** `JOB.ATTEMPT.STEP`: a file name and a map key. */
export function formatStepKey(key: StepKey): string {
  return `${key.jobId}.${key.attempt}.${key.stepId}`;
}

/** The inverse of {@link formatStepKey}; `undefined` for anything else. */
export function parseStepKey(text: string): StepKey | undefined {
  const match = /^([1-9]\d{0,14})\.([1-9]\d{0,8})\.(0|[1-9]\d{0,8}|batch)$/.exec(text);
  if (!match) return undefined;
  const [, job, attempt, step] = match;
  return { jobId: Number(job), attempt: Number(attempt), stepId: step === "batch" ? "batch" : Number(step) };
}

/** Whether a word can name a node. */
export function isNodeName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}
