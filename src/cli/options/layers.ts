/** The places where options of submission may stand, as layers: the command line and the environment. */

import type { Environment } from "../../config/places.ts";
import type { Option, ParsedOptions } from "../option.ts";
import type { Submitter } from "./record.ts";
import { submitOptions } from "./submit.ts";

/** One place where options may stand. */
export interface Layer {
  /** Texts by long name, in the order of {@link parseOptions}. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** How a problem names the option there: `--gpus`, `SBATCH_GPUS`, `train.sh: line 3: --gpus`. */
  readonly label: (long: string) => string;
}

/**
 * What a running job finds in its own variables, and srun would read as wishes. Inside of a job they describe that
 * job: nobody's wish for the next one.
 */
const SET_IN_JOBS: ReadonlySet<string> = new Set([
  ...["SLURM_JOB_NAME", "SLURM_JOB_NUM_NODES", "SLURM_NNODES", "SLURM_NTASKS", "SLURM_NPROCS"],
  ...["SLURM_NTASKS_PER_NODE", "SLURM_NTASKS_PER_GPU", "SLURM_CPUS_PER_GPU", "SLURM_GPUS", "SLURM_GPUS_PER_NODE"],
  ...["SLURM_GPUS_PER_TASK", "SLURM_GPU_BIND", "SLURM_TRES_PER_TASK", "SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU"],
  ...["SLURM_MEM_PER_GPU", "SLURM_DISTRIBUTION", "SLURM_OVERCOMMIT"],
]);

/** Those of them by which a step within the job takes after it, by option. The first that is set counts. */
const STEP_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  ntasks: ["SLURM_NTASKS", "SLURM_NPROCS"],
  nodes: ["SLURM_JOB_NUM_NODES", "SLURM_NNODES"],
  "ntasks-per-node": ["SLURM_NTASKS_PER_NODE"],
  "ntasks-per-gpu": ["SLURM_NTASKS_PER_GPU"],
  "cpus-per-task": ["SLURM_CPUS_PER_TASK"],
  "gpus-per-task": ["SLURM_GPUS_PER_TASK"],
  "gpu-bind": ["SLURM_GPU_BIND"],
  distribution: ["SLURM_DISTRIBUTION"],
  overcommit: ["SLURM_OVERCOMMIT"],
};

/** The one wish that does not count for a job of its own. */
const FOR_STEPS_ONLY = "SLURM_STEP_GRES";

/** Whether the command was typed inside of a job. */
export function isInsideJob(environment: Environment): boolean {
  return Boolean(environment.SLURM_JOB_ID);
}

/** What was typed; for a later component of a heterogeneous job its problems name that. */
export function commandLineLayer(parsed: ParsedOptions, component = 0): Layer {
  const place = component > 0 ? `component ${component}: ` : "";
  return { values: parsed.values, label: (long) => `${place}--${long}` };
}

/** What the submitter's variables say. An empty variable says nothing, unless it stands for a flag. */
export function environmentLayer(submitter: Submitter, environment: Environment): Layer {
  const insideJob = isInsideJob(environment);
  const isWish = (variable: string): boolean => (insideJob ? !SET_IN_JOBS.has(variable) : variable !== FOR_STEPS_ONLY);
  return variableLayer(submitter, environment, ({ variables, otherVariables }) => {
    const names = [variables?.[submitter] ?? "", ...(otherVariables?.[submitter] ?? [])];
    return names.filter(isWish);
  });
}

/** What the variables of the enclosing job say to a step of srun within it. */
export function stepDefaultsLayer(environment: Environment): Layer {
  return variableLayer("srun", environment, ({ long }) => STEP_DEFAULTS[long] ?? []);
}

function variableLayer(
  submitter: Submitter,
  environment: Environment,
  namesOf: (option: Option) => readonly string[],
): Layer {
  const values = new Map<string, readonly string[]>();
  const variables = new Map<string, string>();
  for (const option of submitOptions(submitter)) {
    for (const variable of namesOf(option)) {
      const text = textOf(option, environment[variable]);
      if (text === undefined) continue;
      variables.set(option.long, variable);
      values.set(option.long, [text]);
      break;
    }
  }
  return { values, label: (long) => variables.get(long) ?? `--${long}` };
}

/** A flag's variable is empty, `yes` or a number but 0, as in Slurm; how verbose to be may be any number. */
function textOf({ argument, long }: Option, text: string | undefined): string | undefined {
  if (text === undefined || (argument !== "none" && text === "")) return undefined;
  if (argument !== "none") return text;
  if (text !== "" && !/^(yes|[+-]?\d*[1-9]\d*)$/i.test(text)) return undefined;
  return long === "verbose" && /^\d+$/.test(text) ? text : "";
}
