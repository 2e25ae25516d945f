/**
 * `srun --bcast` that makes a job of its own: copies go to the nodes of a job that runs, so mgpu-salloc gets the job and
 * mgpu-srun copies and runs within it.
 */

import { SESSION_SIGNALS, type SessionSignal } from "../../attach/steering.ts";
import type { CommandContext } from "../../context.ts";
import { baseName } from "../../jobspec.ts";
import type { ParsedOptions } from "../../option.ts";
import { submitOptions } from "../../options/submit.ts";

/** Said by both. */
const BOTH: ReadonlySet<string> = new Set(["quiet", "verbose", "connection-timeout"]);

/** Signals of the keyboard, which reach both programs by themselves. */
const OF_KEYBOARD: ReadonlySet<SessionSignal> = new Set(["SIGINT", "SIGQUIT"] as SessionSignal[]);

/** The command line: what salloc knows of the options is for the job, the rest for the step in it. Pure. */
export function throughAllocation({ values, operands }: ParsedOptions, folder: string): readonly string[] {
  const ofJob = new Set<string>(submitOptions("salloc").map(({ long }) => long));
  const flags = new Set<string>(
    submitOptions("srun").flatMap(({ long, argument }) => (argument === "none" ? [long] : [])),
  );
  const words = (wanted: (long: string) => boolean): string[] =>
    [...values].flatMap(([long, texts]) =>
      wanted(long) ? texts.map((text) => (flags.has(long) || text === "" ? `--${long}` : `--${long}=${text}`)) : [],
    );
  const name = values.has("job-name") ? [] : [`--job-name=${baseName(operands[0] ?? "srun")}`];
  return [
    ...[`${folder}/mgpu-salloc`, "--quiet", "--no-bell", ...name, ...words((long) => ofJob.has(long))],
    ...[`${folder}/mgpu-srun`, ...words((long) => !ofJob.has(long) || BOTH.has(long)), "--", ...operands],
  ];
}

/** Runs it to its end; answers with the exit code. */
export async function runThroughAllocation(typed: ParsedOptions, context: CommandContext): Promise<number> {
  const { session, environment, launcherFolder } = context;
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const argv = throughAllocation(typed, launcherFolder);
  const child = await session.startChild({ argv, environment: Object.fromEntries(given), isApart: false });
  const undo = (Object.keys(SESSION_SIGNALS) as SessionSignal[]).map((name) =>
    session.onSignal(name, () => {
      if (!OF_KEYBOARD.has(name)) child.signal(SESSION_SIGNALS[name]);
    }),
  );
  try {
    const { code, signal } = await child.exited;
    return signal === 0 ? code : 128 + signal;
  } finally {
    for (const one of undo) one();
  }
}
