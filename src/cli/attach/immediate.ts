/** --immediate: how a command ends that did not get its resources at once. */

import type { CommandContext } from "../context.ts";

/** SLURM_EXIT_IMMEDIATE if it is an exit code, else 1. */
export function immediateExitCode(environment: CommandContext["environment"]): number {
  const text = environment.SLURM_EXIT_IMMEDIATE ?? "";
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : 1;
}

/** What `at once` may take: a look of the scheduler at an idle cluster. */
export const AT_ONCE_S = 1;
