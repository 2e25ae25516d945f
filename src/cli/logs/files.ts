/** Which files hold the output that was asked for, how their lines are labelled, and what is to be said of the rest. */

import type { Job } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { type OutputFile, outputsOf, type StepOutputs } from "../../core/outputs.ts";
import { formatRanges } from "../../util/ranges.ts";

/** What was asked for. */
export interface Wanted {
  /** A step by its number or name; `null` for what the job itself prints. */
  readonly step: number | string | null;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Lines say of which job they are. */
  readonly namesJobs: boolean;
}

/** A file to be shown. */
export interface LogFile extends OutputFile {
  readonly job: Job;
  readonly stepId: StepOutputs["stepId"];
  /** `12 err`; empty where nothing needs to be told apart. */
  readonly label: string;
}

/** What there is to show of one job, and sentences about what there is not. */
export interface JobLogs {
  readonly files: readonly LogFile[];
  readonly remarks: readonly string[];
}

/** The files of a job that is not waiting. */
export function logsOf(job: Job, wanted: Wanted): JobLogs {
  const outputs = outputsOf(job);
  const steps = chosenSteps(job, outputs, wanted.step);
  const name = jobLabel(job);
  if (steps.length === 0) return { files: [], remarks: [missingText(job, outputs, wanted.step)] };
  const found = steps.flatMap(({ stepId, files }) =>
    files.filter((file) => isWanted(file, wanted)).map((file) => ({ ...file, stepId })),
  );
  const files = found.map((file) => ({ ...file, job, label: labelOf(job, file, found, wanted) }));
  return { files, remarks: steps.flatMap((step) => remarksOn(job, name, step, files.length)) };
}

/** The job's own step, and all with files where it has none of its own. */
function chosenSteps(job: Job, outputs: readonly StepOutputs[], step: Wanted["step"]): readonly StepOutputs[] {
  if (step !== null) return outputs.filter(({ stepId }) => stepId === step);
  const own = outputs.filter(({ stepId }) => stepId === (job.spec.kind === "batch" ? "batch" : 0));
  return job.spec.kind === "alloc" ? outputs.filter(({ files }) => files.length > 0) : own;
}

function missingText(job: Job, outputs: readonly StepOutputs[], step: Wanted["step"]): string {
  const name = jobLabel(job);
  const steps = outputs.map(({ stepId }) => `${name}.${stepId}`);
  if (step !== null) {
    return steps.length === 0
      ? `job ${name} has no step ${step}: nothing of it was started`
      : `job ${name} has no step ${step}; its steps are ${steps.slice(0, 10).join(", ")}`;
  }
  if (job.spec.kind === "alloc")
    return `job ${name} is an allocation: what its steps print goes to those who start them`;
  return `job ${name} has no output: it never started${job.state === "CANCELLED" ? ", it was cancelled" : ""}`;
}

function isWanted({ streams }: OutputFile, { stdout, stderr }: Wanted): boolean {
  return streams === "both" || (streams === "stdout" ? stdout : stderr);
}

function remarksOn(job: Job, name: string, { stepId, clientHost }: StepOutputs, files: number): string[] {
  if (clientHost === null) {
    return files > 0 ? [] : [`step ${name}.${stepId} has no such output: it goes to /dev/null or into another file`];
  }
  const isLive = job.state === "RUNNING" && typeof stepId === "number";
  const look = isLive ? `; "mgpu-sattach ${job.id}.${stepId}" shows what comes from now on` : "";
  return [`output of step ${name}.${stepId} goes to the command that started it, on ${clientHost}${look}`];
}

function labelOf(job: Job, file: OutputFile, all: readonly OutputFile[], { namesJobs }: Wanted): string {
  const parts: string[] = namesJobs ? [jobLabel(job)] : [];
  const isOneOf = (of: (file: OutputFile) => string): boolean => all.some((other) => of(other) !== of(file));
  if (isOneOf((one) => one.tasks.join())) parts.push(formatRanges(file.tasks));
  if (isOneOf((one) => one.streams)) parts.push({ both: "both", stdout: "out", stderr: "err" }[file.streams]);
  if (all.some((other) => other.path === file.path && other.node !== file.node)) parts.push(file.node);
  return parts.join(" ");
}
