/** The environment that a job gets: --export, --export-file and --get-user-env together. */

import { errnoText } from "../../util/errno.ts";
import type { CommandContext } from "../context.ts";
import { EXPORT_ALL, jobEnvironment, parsePairs } from "./export.ts";
import type { Wishes } from "./reading.ts";

export interface SubmissionEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  /** One sentence each, with its place. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type EnvironmentContext = Pick<CommandContext, "environment" | "cwd" | "files" | "shell">;

/** Seconds that the login shell has to tell its variables, as in Slurm. */
const LOGIN_S = 8;

/** First descriptor that --export-file may name: the others are the command's own. */
const FIRST_DESCRIPTOR = 3;

/** Puts the environment together; asks the login shell if the options want it. */
export async function submissionEnvironment(
  { submitter, values, place }: Wishes,
  context: EnvironmentContext,
): Promise<SubmissionEnvironment> {
  const spec = values.export ?? EXPORT_ALL;
  const named = values["export-file"];
  const read = named === undefined ? null : readPairs(named, context);
  if (typeof read === "string") {
    return { environment: {}, problems: [`${place("export-file")}: ${read}`], warnings: [] };
  }
  // A batch script runs as after a login if the user's own variables are kept from it; srun's program does not.
  const wantsLogin = values["get-user-env"] !== undefined || (submitter === "sbatch" && !spec.all);
  const timeoutS = values["get-user-env"]?.timeoutS ?? LOGIN_S;
  const login = wantsLogin ? await context.shell.loginEnvironment(timeoutS * 1000) : null;
  const isMissing = wantsLogin && login === null;
  const warning = `the login shell did not tell its variables within ${timeoutS} s; the job goes without them`;
  return {
    environment: jobEnvironment(spec, context.environment, context.cwd, { login, file: read }),
    problems: [],
    warnings: isMissing ? [warning] : [],
  };
}

/** The variables of a file or of an open descriptor; or why they can't be read. */
function readPairs(name: string, { files }: EnvironmentContext): Record<string, string> | string {
  const descriptor = /^\d{1,6}$/.test(name) ? Number(name) : null;
  if (descriptor !== null && descriptor < FIRST_DESCRIPTOR) return `expected a descriptor of at least 3, got ${name}`;
  try {
    return parsePairs(new TextDecoder().decode(files.read(descriptor === null ? name : `/dev/fd/${descriptor}`)));
  } catch (error) {
    return `${name}: ${errnoText(error)}`;
  }
}
