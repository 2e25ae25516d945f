/** Slurm's sentences about tasks and jobs, without the program's name before them. Pure. */

import { expand } from "../../core/hostlist.ts";
import type { StepId } from "../../core/ids.ts";
import { type ExitStatus, shellCode } from "../../core/job.ts";
import { formatTimestamp, type UtcOffset } from "../../core/time.ts";
import type { AttachPoint, JobRow, JobUpdate } from "../../protocol/procedures.ts";
import { formatRanges } from "../../util/ranges.ts";

/** How a shell describes a death by a signal, in the system's words. */
const SIGNAL_WORDS: Readonly<Record<number, string>> = {
  1: "Hangup",
  2: "Interrupt",
  3: "Quit",
  4: "Illegal instruction",
  5: "Trace/breakpoint trap",
  6: "Aborted",
  7: "Bus error",
  8: "Floating point exception",
  9: "Killed",
  10: "User defined signal 1",
  11: "Segmentation fault",
  12: "User defined signal 2",
  13: "Broken pipe",
  14: "Alarm clock",
  15: "Terminated",
  24: "CPU time limit exceeded",
  25: "File size limit exceeded",
  31: "Bad system call",
};

/** The cause that the kernel gives a job whose time is over (core/decide/steer.ts). */
const TIME_LIMIT_CAUSE = "time limit";

/** `task 1`, `tasks 0-2`. */
export function taskWords(tasks: readonly number[]): string {
  return `${tasks.length === 1 ? "task" : "tasks"} ${formatRanges(tasks)}`;
}

/** One line for each way in which tasks of a node failed: `n1: tasks 0-1: Exited with exit code 3`. */
export function failureLines(node: string, exits: ReadonlyMap<number, ExitStatus>): string[] {
  const tasksByWords = new Map<string, number[]>();
  for (const [task, exit] of exits) {
    if (shellCode(exit) === 0) continue;
    const words = exitWords(exit);
    tasksByWords.set(words, [...(tasksByWords.get(words) ?? []), task]);
  }
  return [...tasksByWords].map(([words, tasks]) => `${node}: ${taskWords(tasks)}: ${words}`);
}

function exitWords({ code, signal }: ExitStatus): string {
  if (signal === 0) return `Exited with exit code ${code}`;
  return SIGNAL_WORDS[signal] ?? `Terminated by signal ${signal}`;
}

/** Whether the controller ended the job: by its time limit, or because somebody cancelled it. */
export function isEndedFromOutside(row: JobRow): boolean {
  if (row.endAt === null || row.startAt === null) return false;
  if (row.state === "CANCELLED" || row.state === "TIMEOUT" || row.cause === TIME_LIMIT_CAUSE) return true;
  // While nodes clear up, COMPLETING hides the state; tasks that failed by themselves have left their exit there.
  return row.state === "COMPLETING" && row.exitCode === 0 && row.exitSignal === 0;
}

/**
 * What is followed, as a row: the job itself, or the job as one of its steps has it. A step that is to end counts as
 * ended: its tasks are.
 */
export function followedRow(
  { row: told, step, endState }: Pick<JobUpdate, "row" | "step" | "endState">,
  nowMs: number,
): JobRow {
  // Nodes clear up after a success as well: tasks that are not heard of yet are over, and nobody ended them.
  const row = endState === "COMPLETED" ? { ...told, state: endState } : told;
  if (step === null || isEndedFromOutside(row)) return row;
  const { state, nodeList, cause } = step;
  const endAt = state === "RUNNING" ? null : (step.endAt ?? nowMs);
  const nodes = expand(nodeList)?.length ?? row.nodes;
  return { ...row, state, nodeList, nodes, cause, endAt, exitCode: 0, exitSignal: 0 };
}

/** `*** STEP 7.0 ON n1 CANCELLED AT 2026-11-21T22:00:00 DUE TO TIME LIMIT ***`. */
export function cancelledLine(row: JobRow, utcOffset: UtcOffset, stepId: StepId = 0, node = firstNode(row)): string {
  const isTimeLimit = row.state === "TIMEOUT" || row.cause === TIME_LIMIT_CAUSE;
  const at = formatTimestamp(row.endAt ?? 0, utcOffset);
  return `*** STEP ${row.id}.${stepId} ON ${node} CANCELLED AT ${at}${isTimeLimit ? " DUE TO TIME LIMIT" : ""} ***`;
}

/** What to say of a job that is over and left no result of its tasks. */
export function withoutResult(
  row: JobRow,
  utcOffset: UtcOffset,
  stepId: StepId = 0,
): { infos: string[]; errors: string[] } {
  const why = row.cause === "" ? "" : `: ${row.cause}`;
  if (row.startAt === null && row.state === "CANCELLED") {
    return {
      infos: [`Job has been cancelled${why}`],
      errors: ["Unable to allocate resources: Job/step already completing or completed"],
    };
  }
  if (row.state === "NODE_FAIL") return { infos: [], errors: [`Node failure on ${row.nodeList}${why}`] };
  if (isEndedFromOutside(row)) return { infos: [], errors: [cancelledLine(row, utcOffset, stepId)] };
  // A cause is mostly why it could not start: then it has printed nothing.
  const isLost = row.state !== "FAILED" || row.cause === "";
  const lost = isLost ? "; its output could not be fetched" : "";
  return { infos: [], errors: [`job ${row.id} ended as ${row.state}${why}${lost}`] };
}

/** Slurm's kill wait and two seconds more, within which a step that is ended is over. */
const ABORT_WAIT_S = 32;

/** What is said once a step is ended by somebody else than its tasks. */
export const ABORTED_LINE = `Job step aborted: Waiting up to ${ABORT_WAIT_S} seconds for job step to finish.`;

/** The exit code of a job whose tasks were not heard of: its own, and never a success. */
export function codeWithoutResult({ exitCode, exitSignal }: JobRow): number {
  return exitSignal === 0 ? Math.max(1, exitCode) : 128 + exitSignal;
}

/** `jobid 7: nodes(2):`n[1-2]', cpu counts: 2(x1),1(x1)`. */
export function allocationLine(row: JobRow, points: readonly AttachPoint[]): string {
  const counts = points.map(({ tasks }) => tasks.length * row.cpusPerTask);
  const groups: { cpus: number; nodes: number }[] = [];
  for (const cpus of counts) {
    const group = groups.at(-1);
    if (group?.cpus === cpus) group.nodes++;
    else groups.push({ cpus, nodes: 1 });
  }
  const text = groups.map(({ cpus, nodes }) => `${cpus}(x${nodes})`).join(",");
  return `jobid ${row.id}: nodes(${row.nodes}):\`${row.nodeList}', cpu counts: ${text}`;
}

/** `launching StepId=7.0 on host n1, 2 tasks: [0-1]`. */
export function launchLine({ key, node, tasks }: AttachPoint): string {
  const ranges = formatRanges(tasks);
  const list = tasks.length === 1 ? ranges : `[${ranges}]`;
  return `launching StepId=${key.jobId}.${key.stepId} on host ${node}, ${tasks.length} tasks: ${list}`;
}

function firstNode(row: JobRow): string {
  return expand(row.nodeList)?.[0] ?? row.nodeList;
}
