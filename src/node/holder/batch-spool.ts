/**
 * How a batch script is run so that it needs no mgpu process, and how its end is read from its spool folder.
 *
 *   script        the user's text, executable
 *   pid           {"pid":N,"startTicks":M} of the wrapper, written by itself before the script starts
 *   exit          what `$?` was, and a newline: complete only with it; empty before
 *   wrapper.err   what the shell said: a word such as `Terminated` if the script died of a signal, else nothing
 *   interrupted   a signal that shells say nothing about, if one was sent
 *   errors        the path of the script's stderr as JSON; gone once the script's end was announced there
 *
 * Blanks may follow in `pid`, `exit` and `errors`, or be all that is in them: a folder that was used before is used again.
 *
 * The wrapper is a `/bin/sh` in a session of its own, without the step's cookie: termination spares it, so that it
 * can record how the script ended.
 */

import type { ExitStatus } from "../../core/job.ts";
import type { Processes } from "../../platform/process.ts";
import type { ProcessRef, ProcessTable } from "../../platform/proctable.ts";
import { SIGNAL } from "./ports.ts";

/** Paths of the files in a spool folder. */
export interface BatchSpool {
  readonly script: string;
  readonly pid: string;
  readonly exit: string;
  readonly wrapperErrors: string;
  readonly interrupted: string;
  readonly errors: string;
}

/** How a batch script fares. `cause` says in words why its end will never be known. */
export type BatchExit =
  | { readonly phase: "running" }
  | { readonly phase: "ended"; readonly exit: ExitStatus }
  | { readonly phase: "lost"; readonly cause: string };

/** The files of a spool folder. */
export function batchSpool(folder: string): BatchSpool {
  return {
    script: `${folder}/script`,
    pid: `${folder}/pid`,
    exit: `${folder}/exit`,
    wrapperErrors: `${folder}/wrapper.err`,
    interrupted: `${folder}/interrupted`,
    errors: `${folder}/errors`,
  };
}

/**
 * The wrapper's program; `$0` is the spool folder, the arguments are what to run. It uses no variable outside a
 * subshell: an exported one of that name would change in the script's environment. The script's redirections are
 * in a subshell too, because dash would otherwise send its own `Terminated` to the script's stderr. Emptying
 * wrapper.err first takes away what a shell says about itself (a missing locale). Field 22 is the start time. An empty `exit` is
 * there from the start: then nobody else may read it, whatever the wrapper's mask.
 */
const SAY_PID = [
  "(umask 077; read -r a b c d e f g h i j k l m n o p q r s t u v w </proc/$$/stat",
  'echo "{\\"pid\\":$$,\\"startTicks\\":$v}" >"$0/pid"; : >"$0/wrapper.err" >"$0/exit")',
];
const SAY_EXIT = 'echo $? >"$0/exit"';
const WRAPPER = [...SAY_PID, '(exec "$@" <&3 >&4 2>&5 3<&- 4>&- 5>&-)', SAY_EXIT].join("\n");

/** Shells print nothing when a child dies of these: an interrupt is common, a broken pipe is ordinary. */
export const SILENT_SIGNALS: readonly number[] = [SIGNAL.INT, SIGNAL.PIPE];

/**
 * The wrapper's argument list. Its own descriptors 3, 4 and 5 become the script's 0, 1 and 2.
 * @param shell usually /bin/sh
 * @param opener what runs in the script's process and then becomes the script; usually nothing
 * @param setVariables variables that the script gets beyond the wrapper's own
 */
export function wrapperArgv(
  shell: string,
  folder: string,
  setVariables: Readonly<Record<string, string>>,
  tools: { readonly env: string; readonly setsid: string },
  scriptArguments: readonly string[],
  opener: readonly string[] = [],
): string[] {
  const assignments = Object.entries(setVariables).map(([name, value]) => `${name}=${value}`);
  const { script } = batchSpool(folder);
  return [shell, "-c", WRAPPER, folder, tools.env, ...assignments, tools.setsid, ...opener, script, ...scriptArguments];
}

/**
 * The same for a script that needs nothing but some lines of shell before it: two programs less to be started.
 * @param lines run in the script's process, which then becomes the script
 */
export function plainWrapperArgv(
  shell: string,
  folder: string,
  setsid: string,
  scriptArguments: readonly string[],
  lines: readonly string[],
): string[] {
  const text = [...SAY_PID, "(exec <&3 >&4 2>&5 3<&- 4>&- 5>&-", ...lines, 'exec "$@")', SAY_EXIT].join("\n");
  return [shell, "-c", text, folder, setsid, batchSpool(folder).script, ...scriptArguments];
}

/**
 * Splits an environment into what a shell passes on and what it would drop: names that are no identifiers, such as
 * those of functions that bash exported.
 */
export function splitEnvironment(environment: Readonly<Record<string, string>>): {
  readonly passed: Record<string, string>;
  readonly dropped: Record<string, string>;
} {
  const passed: Record<string, string> = {};
  const dropped: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) passed[name] = value;
    else if (name !== "") dropped[name] = value;
  }
  return { passed, dropped };
}

/**
 * How the script of a spool folder fares, with or without its holder.
 * @param folder absolute
 */
export function readBatchExit(
  folder: string,
  files: Pick<Processes, "readText">,
  table: Pick<ProcessTable, "isAlive">,
): BatchExit {
  const early = readExit(folder, files);
  if (early !== null) return { phase: "ended", exit: early };
  const wrapper = readWrapper(folder, files);
  const isAlive = wrapper !== null && table.isAlive(wrapper);
  // After the look at the process: it may have ended in between, and then its last word is there.
  const exit = readExit(folder, files);
  if (exit !== null) return { phase: "ended", exit };
  if (isAlive) return { phase: "running" };
  const cause =
    wrapper === null
      ? "the batch script was not started"
      : "the shell that ran the batch script was killed, or could not write down how it ended";
  return { phase: "lost", cause };
}

/** The wrapper of a spool folder; null before it has started. */
export function readWrapper(folder: string, files: Pick<Processes, "readText">): ProcessRef | null {
  const text = files.readText(batchSpool(folder).pid) ?? "";
  const match = /^\{"pid":(\d+),"startTicks":(\d+)\}\n *$/.exec(text);
  return match ? { pid: Number(match[1]), startTicks: Number(match[2]) } : null;
}

/** The exit status in a spool folder; null if there is none, or not all of it. */
function readExit(folder: string, files: Pick<Processes, "readText">): ExitStatus | null {
  const spool = batchSpool(folder);
  const match = /^(\d+)\n *$/.exec(files.readText(spool.exit) ?? "");
  if (!match) return null;
  const status = Number(match[1]);
  const signal = status - 128;
  const isSignal =
    signal > 0 &&
    signal <= SIGNAL.MAX &&
    ((files.readText(spool.wrapperErrors) ?? "") !== "" ||
      (SILENT_SIGNALS.includes(signal) && files.readText(spool.interrupted)?.trim() === String(signal)));
  return isSignal ? { code: 0, signal } : { code: status, signal: 0 };
}
