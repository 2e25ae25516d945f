/**
 * Slurm's own command in the place of ours. Node can't become another program: it starts it with its own streams and
 * terminal, passes on the signals that reach it alone, and ends as it ended.
 */

import type { OrderScript, SCRIPT_PATH as Path } from "../backend/slurm/hand-over.ts";
import type { Cancel } from "../platform/clock.ts";
import { systemText } from "../util/errno.ts";
import { type Command, type CommandContext, type SignalName, UserError } from "./context.ts";
import { markedWords } from "./directives.ts";
import type { ParsedOptions } from "./option.ts";
import { loadScript } from "./script.ts";
import type { SlurmHandOver } from "./slurm.ts";

/** Signals that are for the command; the terminal's own reach it by themselves. */
const PASSED: Readonly<Partial<Record<SignalName, number>>> = { SIGTERM: 15, SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12 };

/** Of the terminal: they reach all of its foreground, and we stay for the exit code. */
const OF_THE_TERMINAL: Readonly<Partial<Record<SignalName, number>>> = { SIGINT: 2, SIGQUIT: 3 };

/** What a shell adds to the number of a signal. */
const SIGNAL_BASE = 128;

export interface HandOverOrder {
  readonly command: Command;
  readonly parsed: ParsedOptions;
  readonly argv: readonly string[];
  /** The profile that -M names; empty for none. */
  readonly profile: string;
}

/** Runs Slurm's command to its end. @returns its exit code; 128 + the signal that ended it @throws UserError */
export async function runSlurm(
  slurm: SlurmHandOver,
  { command, parsed, argv, profile }: HandOverOrder,
  context: CommandContext,
): Promise<number> {
  const { name, options, operands } = command;
  const script = name === "sbatch" ? scriptOf(parsed, context) : null;
  const order = { name, argv, options, stops: operands === "stop", profile, script, environment: context.environment };
  const replacement = await slurm.replace(order);
  for (const note of parsed.values.has("quiet") ? [] : replacement.notes) {
    context.stdio.err(`${context.program}: ${note}\n`);
  }
  const { script: text, environment } = replacement;
  if (text === null) return runChild({ argv: replacement.argv, environment }, context);
  const { files, random } = context;
  const path = `${context.environment.TMPDIR || "/tmp"}/mgpu-${random.hex(NAME_BYTES)}-${script?.jobName ?? name}`;
  try {
    files.replace(path, new TextEncoder().encode(text));
    const words = replacement.argv.map((word) => (word === SCRIPT_PATH ? path : word));
    return await runChild({ argv: words, environment }, context);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${path} can't be written: ${systemText(error)}`);
  } finally {
    files.remove(path);
  }
}

/** As hand-over.ts of the backend has it. */
const SCRIPT_PATH: typeof Path = "\0script";

const NAME_BYTES = 6;

/** A script that can't be read, or none is, is for sbatch to complain of; what comes through a pipe is gone once read. */
function scriptOf({ values, operands: [path] }: ParsedOptions, context: CommandContext): OrderScript | null {
  const { text, bytes, jobName, problems } = loadScript(values.get("wrap")?.at(-1), path, context);
  const isFile = path !== undefined && path !== "-" && path !== "/dev/stdin";
  const isWrap = values.has("wrap");
  if (problems.length > 0 && (isFile || isWrap)) return null;
  const whole = isWrap ? new TextDecoder().decode(bytes) : text;
  const directives = markedWords(text, "MGPU");
  return { text: whole, isFile: isFile && !isWrap, jobName, directives, slurmDirectives: markedWords(text, "SBATCH") };
}

async function runChild(
  request: { readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>> },
  { session, stdio }: CommandContext,
): Promise<number> {
  const child = await session.startChild({ ...request, isApart: false }).catch((error: unknown) => {
    throw new UserError(`${request.argv[0]} can't be started: ${systemText(error)}`);
  });
  // Without a terminal nobody but us can have been told.
  const isAlone = !stdio.stdinIsTerminal && !stdio.stdoutIsTerminal && !stdio.stderrIsTerminal;
  const deaf: Cancel[] = Object.entries(OF_THE_TERMINAL).map(([signal, number]) =>
    session.onSignal(signal as SignalName, () => isAlone && child.signal(number)),
  );
  for (const [signal, number] of Object.entries(PASSED)) {
    deaf.push(session.onSignal(signal as SignalName, () => child.signal(number)));
  }
  try {
    const { code, signal } = await child.exited;
    return signal === 0 ? code : SIGNAL_BASE + signal;
  } finally {
    for (const end of deaf) end();
  }
}
