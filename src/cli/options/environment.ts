/** Options of what a job takes over from the place where it was submitted: variables and limits. */

import { expected, type Parsed } from "../../core/parse.ts";
import { parsePropagate } from "../../core/rlimits.ts";
import { parseExport } from "./export.ts";
import { flag, someText } from "./readers.ts";
import { ignored, named, RUNNERS, SBATCH, SRUN, type SubmitOption } from "./record.ts";

/** How to ask the login shell for its variables. */
export interface LoginWish {
  /** Seconds; `null` for the usual. */
  readonly timeoutS: number | null;
}

export const ENVIRONMENT = [
  {
    long: "export",
    argument: "required",
    metavar: "ALL|NONE|list",
    help: "environment of the job: all of it (default), none, or names and NAME=value pairs; ALL,NAME=value adds",
    variables: { srun: "SRUN_EXPORT_ENV", sbatch: "SBATCH_EXPORT" },
    otherVariables: { srun: ["SLURM_EXPORT_ENV"] },
    directive: true,
    of: RUNNERS,
    read: parseExport,
  },
  {
    long: "export-file",
    argument: "required",
    metavar: "file|descriptor",
    help: "variables of the job from a file: NAME=value pairs, each ended by a NUL, or one a line",
    directive: true,
    of: SBATCH,
    read: someText("a file, or the number of an open one"),
  },
  {
    long: "get-user-env",
    argument: "optional",
    metavar: "seconds",
    help: "add the variables that your login shell sets, waiting for it so long at most",
    variables: named("GET_USER_ENV", SBATCH),
    directive: true,
    of: SBATCH,
    read: readLogin,
  },
  {
    long: "propagate",
    argument: "optional",
    metavar: "ALL|NONE|list",
    help: "soft limits of this shell that the job gets: all (default), none, or some such as STACK,CORE",
    directive: true,
    of: RUNNERS,
    read: parsePropagate,
  },
  {
    long: "preserve-env",
    short: "E",
    argument: "none",
    help: "take numbers of nodes and tasks from the variables rather than from the command line",
    of: SRUN,
    read: flag,
  },
  ignored("ignore-pbs", SBATCH, "lines of #PBS and #BSUB are not read anyway", {
    argument: "none",
    variables: named("IGNORE_PBS", SBATCH),
  }),
] as const satisfies readonly SubmitOption[];

/** `[seconds][mode]`; the modes L and S say how Slurm calls su, which is not needed for one's own environment. */
function readLogin(text: string): Parsed<LoginWish> {
  const match = /^(\d{1,6})?[LS]?$/i.exec(text);
  if (!match) return expected("seconds, and L or S at will", text);
  return { value: { timeoutS: match[1] === undefined ? null : Number(match[1]) } };
}
