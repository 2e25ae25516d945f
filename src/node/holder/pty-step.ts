/**
 * Steps with a terminal: one task, started by `setsid -c` on a terminal whose other end is here.
 *
 * Promise: everything the program printed before its exit is delivered, however fast it ends.
 */

import { sleep } from "../../platform/clock.ts";
import type { ByteSource } from "../../platform/pipes.ts";
import type { Pty } from "../../platform/pty.ts";
import { mergeVariables } from "../../util/variables.ts";
import { execProblem, type LaunchPlan, type PlannedTask } from "./launch-plan.ts";
import { PTY_DRAIN_MS_MAX, PTY_RETRY_MS_MAX } from "./limits.ts";
import { noteKernelKill } from "./memory-group.ts";
import { type HolderPorts, SYSTEM_SEARCH_PATH } from "./ports.ts";
import { PtyInput } from "./pty-input.ts";
import { SentinelFilter, sentinelBytes } from "./sentinel.ts";
import type { Step } from "./step.ts";
import { concludeStep, endLeftovers } from "./step-end.ts";
import { afterTask } from "./task-epilog.ts";

/** Random bytes of a sentinel: enough that no output holds it by chance. */
const SENTINEL_BYTES = 16;

/** Exit code of a step whose terminal could not be had. */
const SETUP_FAILED = 1;

export interface PtySize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Starts the one task of a plan on a new terminal.
 * @param onEnd called once, when the step is over and all of its output was read
 * @returns false if it could not be started; the step says why
 */
export async function startPtyStep(
  ports: HolderPorts,
  step: Step,
  plan: LaunchPlan,
  size: PtySize,
  onEnd: () => void,
): Promise<boolean> {
  const [planned] = plan.tasks;
  if (planned === undefined) return false;
  const fail = (problem: string, code: number): false => {
    step.fail([problem], new Map([[planned.task, { code, signal: 0 }]]));
    return false;
  };
  const setsid = ports.processes.findProgram("setsid", SYSTEM_SEARCH_PATH, "/");
  if ("problem" in setsid)
    return fail(`setsid (of util-linux) is needed for a terminal: ${setsid.problem.text}`, SETUP_FAILED);
  let pty: Pty;
  try {
    pty = ports.ptys.open(size.columns, size.rows);
  } catch (error) {
    return fail(`Could not open a terminal: ${error instanceof Error ? error.message : String(error)}`, SETUP_FAILED);
  }
  const log = await openLog(ports, planned);
  step.dispose = () => {
    pty.close();
    log?.close();
  };
  const filter = new SentinelFilter();
  const source = filtered(pty.source, filter, log);
  const spawned = await spawnOnTerminal(ports, step, planned, setsid.file, pty, () => {
    concludeStep(ports, step, () => endPtyStep(ports, step, pty, filter, source).finally(() => log?.close()), onEnd);
  });
  if ("problem" in spawned) {
    step.dispose();
    return fail(execProblem(planned.file, spawned.problem), spawned.problem.number || SETUP_FAILED);
  }
  step.output.addStream(planned.task, "out", source);
  step.input.addTarget(planned.task, new PtyInput(ports.clock, pty));
  step.resizePty = (columns, rows) => pty.resize(columns, rows);
  return true;
}

async function spawnOnTerminal(
  ports: HolderPorts,
  step: Step,
  planned: PlannedTask,
  setsid: string,
  pty: Pty,
  onLastExit: () => void,
): ReturnType<HolderPorts["processes"]["spawn"]> {
  const { processes, table } = ports;
  const cookie = table.cookie(step.name);
  const { task } = planned;
  const terminal = pty.openTerminal();
  const spawned = await processes.spawn({
    file: setsid,
    argv: ["setsid", "-c", ...planned.opener, ...planned.argv],
    environment: mergeVariables(cookie, planned.environment, cookie),
    workDir: step.workDir,
    descriptors: [terminal, terminal, terminal, ...(step.gate?.childEnds ?? [])],
    // setsid makes the session itself; it would fork, and hide the exit status, if that were done already.
    ownSession: false,
    onExit(exit, spent) {
      step.used.ended(task, spent);
      afterTask(ports, step, planned, () => {
        if (step.noteExit(task, exit)) onLastExit();
      });
    },
  });
  processes.closeDescriptor(terminal);
  if ("problem" in spawned) return spawned;
  const leader = table.adopt(spawned.value, step.name, { spared: false });
  if (leader) step.leaders.set(task, leader);
  return spawned;
}

/** Where a batch script's terminal is written down. */
interface TerminalLog {
  write(data: Uint8Array): void;
  close(): void;
}

/** `null` where there is no file, or none that can be written to any more. */
async function openLog({ processes, log }: HolderPorts, { stdout }: PlannedTask): Promise<TerminalLog | null> {
  if (typeof stdout !== "number") return null;
  // The plan's own descriptor is closed once the program runs.
  const opened = await processes.openOutput(`/proc/self/fd/${stdout}`);
  if ("problem" in opened) {
    log.warn("a terminal's output can't be written down", { problem: opened.problem.text });
    return null;
  }
  let descriptor: number | null = opened.value;
  return {
    write(data) {
      if (descriptor !== null) processes.writeAll(descriptor, data);
    },
    close() {
      if (descriptor !== null) processes.closeDescriptor(descriptor);
      descriptor = null;
    },
  };
}

/** A terminal's output up to the sentinel; closing it gives what was held back. */
function filtered(source: ByteSource, filter: SentinelFilter, log: TerminalLog | null): ByteSource {
  let pass = (_chunk: Uint8Array): void => {};
  return {
    ...source,
    start(onData, onEnd) {
      pass = (chunk) => {
        if (chunk.length === 0) return;
        log?.write(chunk);
        onData(chunk);
      };
      source.start((chunk) => pass(filter.pass(chunk)), onEnd);
    },
    close() {
      pass(filter.giveUp());
      source.close();
    },
  };
}

/** Reads the terminal to the end. */
async function endPtyStep(
  ports: HolderPorts,
  step: Step,
  pty: Pty,
  filter: SentinelFilter,
  source: ByteSource,
): Promise<void> {
  const { clock, random, log } = ports;
  await noteKernelKill(ports, step);
  await endLeftovers(ports, step);
  // What a terminal holds beyond the window is a few kilobytes.
  step.output.release();
  const deadlineMs = clock.monotonic() + PTY_DRAIN_MS_MAX;
  let sentinel = sentinelBytes(random.hex(SENTINEL_BYTES));
  filter.expect(sentinel);
  while (!filter.isFound && clock.monotonic() < deadlineMs) {
    if (sentinel.length > 0) sentinel = sentinel.subarray(pty.print(sentinel));
    await sleep(clock, sentinel.length > 0 ? PTY_RETRY_MS_MAX : 1);
  }
  if (!filter.isFound) log.warn("a terminal did not deliver all of its output", { step: step.name });
  source.close();
  pty.close();
  await step.output.streamsEnded();
}
