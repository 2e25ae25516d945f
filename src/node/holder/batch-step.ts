/** The start of a batch script: see batch-spool.ts for how it is run and how its end is known. */

import type { StepLaunch } from "../../protocol/holder.ts";
import { mergeVariables } from "../../util/variables.ts";
import {
  batchSpool,
  plainWrapperArgv,
  readBatchExit,
  SILENT_SIGNALS,
  splitEnvironment,
  wrapperArgv,
} from "./batch-spool.ts";
import { execProblem, type LaunchPlan, type PlannedTask } from "./launch-plan.ts";
import { noteKernelKill } from "./memory-group.ts";
import { type HolderPorts, SIGNAL, SYSTEM_SEARCH_PATH } from "./ports.ts";
import type { Step } from "./step.ts";

const SHELL = "/bin/sh";

/** Only the user may read or run what is in a spool. */
const SCRIPT_MODE = 0o700;
const RECORD_MODE = 0o600;

/** Exit code of a script that could not be started for a reason of ours. */
const SETUP_FAILED = 1;

/**
 * Puts the script into its spool, and clears away what an earlier start left there.
 * @returns why that was impossible; empty if it was done
 */
export function writeBatchScript(
  { processes }: Pick<HolderPorts, "processes">,
  batch: { script: Uint8Array; spool: string },
): string {
  // Mostly there is none by that name, and a used one to be had.
  if (processes.folders.take(batch.spool, batch.script)) return "";
  const { script, ...others } = batchSpool(batch.spool);
  const made = processes.makeFolder(batch.spool);
  const isNew = "value" in made && made.value;
  if (!isNew) for (const path of Object.values(others)) processes.removeFile(path);
  const written = isNew
    ? processes.createFile(script, batch.script, SCRIPT_MODE)
    : processes.writeFile(script, batch.script, SCRIPT_MODE);
  return "problem" in written ? `Could not write the batch script ${script}: ${written.problem.text}` : "";
}

/**
 * Starts the wrapper that runs the script.
 * @param onEnd called once, when the script ended
 * @returns false if it could not be started; the step says why
 */
export async function startBatchStep(
  ports: HolderPorts,
  step: Step,
  plan: LaunchPlan,
  batch: NonNullable<StepLaunch["batch"]>,
  onEnd: () => void,
): Promise<boolean> {
  const [planned] = plan.tasks;
  if (planned === undefined) return false;
  const problem = await spawnWrapper(ports, step, planned, batch.spool, onEnd);
  if (problem === "") return true;
  step.fail([problem], new Map([[planned.task, { code: SETUP_FAILED, signal: 0 }]]));
  return false;
}

/** Notes a signal that the shell will say nothing about, before it is sent. */
export function noteBatchSignal({ processes }: Pick<HolderPorts, "processes">, folder: string, signal: number): void {
  if (!SILENT_SIGNALS.includes(signal)) return;
  processes.writeFile(batchSpool(folder).interrupted, new TextEncoder().encode(`${signal}\n`), 0o600);
}

async function spawnWrapper(
  ports: HolderPorts,
  step: Step,
  planned: PlannedTask,
  folder: string,
  onEnd: () => void,
): Promise<string> {
  const { processes, table } = ports;
  const forked = await forkScript(ports, step, planned, folder, onEnd);
  if (forked !== null) return forked;
  const argv = argvOf(ports, step, planned, folder);
  if (typeof argv === "string") return argv;
  const errors = await processes.openOutput(batchSpool(folder).wrapperErrors, RECORD_MODE);
  if ("problem" in errors) return `Could not write to the spool folder ${folder}: ${errors.problem.text}`;
  // What a shell drops is set again by the script's opener.
  const { passed } = splitEnvironment(planned.environment);
  const spawned = await processes.spawn({
    file: SHELL,
    argv,
    environment: withoutCookie(passed, table.cookie(step.name)),
    workDir: step.workDir,
    // Only its 1 and 2 are its own; 0 is one that surely does not hang.
    descriptors: [
      ...[planned.stdin, errors.value, errors.value, planned.stdin, planned.stdout, planned.stderr].map(descriptor),
      ...(step.gate?.childEnds ?? []),
    ],
    ownSession: true,
    onExit(exit, spent) {
      step.used.ended(planned.task, spent);
      void noteKernelKill(ports, step).then(() => onWrapperExit(ports, step, planned.task, folder, exit.signal, onEnd));
    },
  });
  processes.closeDescriptor(errors.value);
  if ("problem" in spawned) return execProblem(SHELL, spawned.problem);
  const wrapper = table.adopt(spawned.value, step.name, { spared: true });
  if (wrapper) step.leaders.set(planned.task, wrapper);
  return "";
}

/**
 * Has a program that forks for us start the script, where that does; its keeper is to the script what the wrapper is.
 * @returns null if nothing was started; empty if it was; else why nobody knows
 */
async function forkScript(
  ports: HolderPorts,
  step: Step,
  planned: PlannedTask,
  folder: string,
  onEnd: () => void,
): Promise<string | null> {
  const { processes, table } = ports;
  const opening = planned.openingWithout();
  if (opening === null) return null;
  const { task, stdin, stdout, stderr } = planned;
  const cookie = table.cookie(step.name);
  try {
    const keeper = await processes.scripts.start({
      ...{ ...opening, folder, workDir: step.workDir },
      argv: [batchSpool(folder).script, ...planned.argv.slice(1)],
      environment: mergeVariables(planned.environment, cookie),
      descriptors: [descriptor(stdin), descriptor(stdout), descriptor(stderr)],
      onExit(end) {
        // The next child of it is another step's.
        const known = step.leaders.get(task);
        if (known) table.release(known);
        // Only a keeper that was killed ends without a word.
        if (end === null) return onWrapperExit(ports, step, task, folder, SIGNAL.KILL, onEnd);
        step.used.ended(task, end.spent);
        step.noteExit(task, end.exit);
        step.isSpoolFree = true;
        onEnd();
      },
    });
    if (keeper === null) return null;
    const known = table.adopt(keeper.pid, step.name, { spared: true, startTicks: keeper.startTicks });
    if (known) step.leaders.set(task, known);
    return "";
  } catch (error) {
    return `The batch script may not have been started: ${(error as Error).message}`;
  }
}

/** The wrapper's argument list, or why there is none. */
function argvOf(
  { processes, table }: HolderPorts,
  step: Step,
  planned: PlannedTask,
  folder: string,
): string[] | string {
  const cookie = table.cookie(step.name);
  const opening = planned.openingIn(cookie);
  const tools = { env: "", setsid: "" };
  for (const name of opening ? (["setsid"] as const) : (["env", "setsid"] as const)) {
    const found = processes.findProgram(name, SYSTEM_SEARCH_PATH, "/");
    if ("problem" in found) return `${name} is needed for batch scripts: ${found.problem.text}`;
    tools[name] = found.file;
  }
  const scriptArguments = planned.argv.slice(1);
  if (opening) return plainWrapperArgv(SHELL, folder, tools.setsid, scriptArguments, opening);
  return wrapperArgv(SHELL, folder, cookie, tools, scriptArguments, planned.opener);
}

/** Batch streams are always files. */
function descriptor(stream: number | "client" | "stdout"): number {
  return typeof stream === "number" ? stream : -1;
}

function withoutCookie(
  environment: Record<string, string>,
  cookie: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !(name in cookie)));
}

function onWrapperExit(
  { processes, table }: HolderPorts,
  step: Step,
  task: number,
  folder: string,
  wrapperSignal: number,
  onEnd: () => void,
): void {
  const read = readBatchExit(folder, processes, table);
  if (read.phase === "ended") {
    step.noteExit(task, read.exit);
  } else {
    step.problem = read.phase === "lost" ? read.cause : "the shell that ran the batch script ended without a word";
    step.noteExit(task, wrapperSignal > 0 ? { code: 0, signal: wrapperSignal } : { code: SETUP_FAILED, signal: 0 });
  }
  onEnd();
}
