/** --iterate: the same listing again and again, until somebody stops it. */

import { isSlurmName } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";
import type { OptionReader } from "./filters.ts";

/** Longest pause in seconds: a day. */
const SECONDS_MAX = 86_400;

/**
 * Runs `once`, and again after each pause if --iterate says so; an empty line stands between. Ends with the exit code
 * of the only or the first failing one.
 * @throws UserError in Slurm's words for seconds that are none
 */
export async function repeat(
  options: OptionReader,
  { clock, stdio, program }: Pick<CommandContext, "clock" | "stdio" | "program">,
  once: () => Promise<number>,
): Promise<number> {
  const text = options.last("iterate");
  if (text === undefined) return once();
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > SECONDS_MAX) {
    const isSinfo = program.endsWith("sinfo");
    // Slurm's squeue ends it with an empty line.
    const end = isSlurmName(program) ? "\n" : "";
    throw new UserError(isSinfo ? `Error: invalid entry for --iterate=${text}` : `--iterate=${text}${end}`);
  }
  for (;;) {
    const code = await once();
    if (code !== 0) return code;
    stdio.out("\n");
    await new Promise<void>((resolve) => void clock.after(seconds * 1000, resolve));
  }
}
