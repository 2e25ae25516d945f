/**
 * File name patterns of -o, -e and -i, filled in as Slurm does. Pure; never throws, whatever the pattern.
 *
 *   %j job id    %J job.step (job id for a batch script)    %A array's job id (job id without an array)
 *   %a array index (4294967294 without one)    %s step id    %t task    %n node number in the job
 *   %N node name    %u user    %x job name    %% a percent sign
 *
 * A number between % and a letter pads with zeros (`%4t`), for numbers only. A backslash anywhere turns all this
 * off; then each backslash only takes its own meaning from the letter after it. Other letters stay as they are.
 */

import type { StepId } from "../core/ids.ts";

/** What a pattern's letters stand for. */
export interface PatternFacts {
  readonly jobId: number;
  readonly stepId: StepId;
  readonly jobName: string;
  readonly userName: string;
  readonly nodeName: string;
  readonly nodeId: number;
  /** Number within the step. */
  readonly task: number;
}

/** Slurm's value for "no array index" (NO_VAL), which it prints as it is. */
const NO_ARRAY_INDEX = "4294967294";

/** Slurm pads to ten digits at most. */
const WIDTH_MAX = 10;

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
  const { stepId } = facts;
  switch (letter) {
    case "j":
    case "A":
      return pad(facts.jobId);
    case "J":
      return stepId === "batch" ? pad(facts.jobId) : `${pad(facts.jobId)}.${stepId}`;
    case "a":
      return NO_ARRAY_INDEX;
    case "s":
      return stepId === "batch" ? stepId : pad(stepId);
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
