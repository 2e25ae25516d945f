/** The places where options of submission may stand, as layers: the command line and the environment. */

import type { Environment } from "../../config/places.ts";
import type { Option, ParsedOptions } from "../option.ts";
import type { Layer } from "./reading.ts";
import { type SubmitLong, type Submitter, submitOptions } from "./submit.ts";

/**
 * What a running job finds in its own SLURM_* variables. Inside of a job they describe that job, they are nobody's
 * wish for the next one.
 */
const SET_IN_JOBS: readonly SubmitLong[] = ["job-name", "ntasks", "cpus-per-task", "nodes", "mem", "gpus", "gres"];

/** Whether the command was typed inside of a job. */
export function isInsideJob(environment: Environment): boolean {
  return Boolean(environment.SLURM_JOB_ID);
}

/** What was typed. */
export function commandLineLayer(parsed: ParsedOptions): Layer {
  return { values: parsed.values, label: (long) => `--${long}` };
}

/** What the submitter's variables say. An empty variable says nothing; neither does a flag's `0`. */
export function environmentLayer(submitter: Submitter, environment: Environment): Layer {
  const values = new Map<string, readonly string[]>();
  const variables = new Map<string, string>();
  const insideJob = isInsideJob(environment);
  for (const option of submitOptions(submitter)) {
    const variable = option.variables?.[submitter];
    if (variable === undefined) continue;
    if (insideJob && variable.startsWith("SLURM_") && SET_IN_JOBS.some((long) => long === option.long)) continue;
    const text = environment[variable];
    if (text === undefined || text === "" || (isFlag(option) && text === "0")) continue;
    variables.set(option.long, variable);
    values.set(option.long, [isFlag(option) && option.long !== "verbose" ? "" : text]);
  }
  return { values, label: (long) => variables.get(long) ?? long };
}

function isFlag(option: Option): boolean {
  return option.argument === "none";
}
