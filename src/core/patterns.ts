/**
 * File name patterns of -o, -e and -i, filled in as Slurm does. Pure; never throws, whatever the pattern.
 *
 *   %j job id    %J job.step (job id for a batch script)    %A array's job id (job id without an array)
 *   %a array index (4294967294 without an array)    %b the same modulo 10
 *   %s step id (`batch` for a batch script)    %t task    %n node number in the job
 *   %N node name    %u user    %x job name    %% a percent sign
 *
 * A number between % and a letter pads with zeros (`%4t`), to ten digits at most, and numbers only. A backslash
 * anywhere turns all this off; then each backslash only takes its own meaning from the letter after it. Other letters
 * stay as they are. Checked against sbatch of Slurm 22.05; `%b` is of later versions.
 */

import type { JobId, StepId } from "./ids.ts";

/** What a pattern's letters stand for. */
export interface PatternFacts {
  readonly jobId: JobId;
  /** The array that the job is a task of; null if it is none. */
  readonly array: { readonly jobId: JobId; readonly taskId: number } | null;
  readonly stepId: StepId;
  readonly jobName: string;
  readonly userName: string;
  readonly nodeName: string;
  /** Number within the job. */
  readonly nodeId: number;
  /** Number within the step. */
  readonly task: number;
}

/** Slurm's value for "no array index" (NO_VAL), which it prints as it is. */
const NO_ARRAY_INDEX = 4_294_967_294;

/** Slurm pads to ten digits at most. */
const WIDTH_MAX = 10;

/** sbatch's file for output when the user names none. */
export function defaultOutput(isArray: boolean): string {
  return isArray ? "slurm-%A_%a.out" : "slurm-%j.out";
}

/**
 * The absolute path that a pattern stands for.
 * @param workDir absolute; relative patterns start there
 */
export function fillPattern(pattern: string, facts: PatternFacts, workDir: string): string {
  const path = pattern.includes("\\") ? pattern.replace(/\\(.?)/gs, "$1") : substitute(pattern, facts);
  if (path.startsWith("/")) return path;
  return workDir.endsWith("/") ? workDir + path : `${workDir}/${path}`;
}

function substitute(pattern: string, facts: PatternFacts): string {
  return pattern.replace(/%(\d*)([%A-Za-z])/g, (whole, digits: string, letter: string) => {
    if (letter === "%") return digits === "" ? "%" : whole;
    const width = Math.min(Number(digits), WIDTH_MAX);
    return letterValue(letter, facts, width) ?? whole;
  });
}

function letterValue(letter: string, facts: PatternFacts, width: number): string | undefined {
  const pad = (number: number): string => String(number).padStart(width, "0");
  const { jobId, array, stepId } = facts;
  const arrayIndex = array?.taskId ?? NO_ARRAY_INDEX;
  switch (letter) {
    case "j":
      return pad(jobId);
    case "J":
      return stepId === "batch" ? pad(jobId) : `${pad(jobId)}.${stepId}`;
    case "A":
      return pad(array?.jobId ?? jobId);
    case "a":
      return pad(arrayIndex);
    case "b":
      return pad(arrayIndex % 10);
    case "s":
      return typeof stepId === "number" ? pad(stepId) : stepId;
    case "t":
      return pad(facts.task);
    case "n":
      return pad(facts.nodeId);
    case "N":
      return facts.nodeName;
    case "u":
      return facts.userName;
    case "x":
      return facts.jobName;
    default:
      return undefined;
  }
}
