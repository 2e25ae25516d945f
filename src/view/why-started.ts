/** What is to be said of a job that runs or is over: since when, how it ended and what that means, where its output is. */

import { fold } from "../core/hostlist.ts";
import { type EndedJob, type ExitStatus, type Job, type RunningJob, shellCode } from "../core/job.ts";
import { outputsOf } from "../core/outputs.ts";
import { signalName } from "../core/signals.ts";
import { formatDuration, formatTimestamp } from "../core/time.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { formatMemory } from "./amounts.ts";
import { formatGpuIds } from "./job-row.ts";
import { expectedEndMs } from "./job-times.ts";
import type { RecordTime } from "./record-text.ts";

/** Files that are named: more would not be read. */
const FILES_TOLD_MAX = 5;

/** Sentences about a job that was started or ended, one a line; the first goes after the job's name. */
export function startedLines(job: RunningJob | EndedJob, row: JobRow, label: string, time: RecordTime): string[] {
  const lines = job.state === "RUNNING" ? runningLines(job, row, time) : endedLines(job, time);
  return [...lines, ...outputLines(job, label)];
}

function runningLines(job: RunningJob, row: JobRow, { nowMs, utcOffset }: RecordTime): string[] {
  const since = `for ${formatDuration(Math.max(0, nowMs - job.startAt) / 1000)}`;
  const gpus = formatGpuIds(job.allocation);
  const where = `on ${fold(job.allocation.map(({ node }) => node))}${gpus === "" ? "" : ` (GPUs ${gpus})`}`;
  const end = expectedEndMs(row);
  const until =
    end === null || !Number.isFinite(end)
      ? "it has no time limit"
      : `its time limit ends it at ${formatTimestamp(end, utcOffset)}`;
  if (job.suspendedAt !== null) {
    return [`is suspended ${where}`, `"mgpu-scontrol resume ${job.id}" lets it go on; its time limit waits meanwhile`];
  }
  return [`runs ${since} ${where}`, until];
}

function endedLines(job: EndedJob, { utcOffset }: RecordTime): string[] {
  const { startAt, endAt } = job;
  const took = startAt === null ? "before it started" : `after ${formatDuration((endAt - startAt) / 1000)}`;
  const at = `${took}, at ${formatTimestamp(endAt, utcOffset)}`;
  const cause = job.cause === "" || job.state === "TIMEOUT" ? [] : [`cause: ${job.cause}`];
  const clearing = job.cleanup.length > 0 ? [`its processes are still being ended on ${fold(job.cleanup)}`] : [];
  return [`${stateText(job)} ${at}`, ...cause, ...meaningOf(job), ...clearing];
}

function stateText(job: EndedJob): string {
  switch (job.state) {
    case "COMPLETED":
      return "completed";
    case "FAILED":
      return `failed with ${exitText(job.exit)}`;
    case "CANCELLED":
      return `was cancelled${job.cancelledBy === null ? "" : ` by ${whoText(job, job.cancelledBy)}`}`;
    case "TIMEOUT":
      return `was ended by its time limit of ${formatDuration(job.limitS ?? 0)}`;
    case "OUT_OF_MEMORY":
      return "was ended for its use of memory";
    case "NODE_FAIL":
      return "was lost with its node";
    case "PREEMPTED":
      return "had to make room for another job";
    case "BOOT_FAIL":
      return "could not be launched";
    case "DEADLINE":
      return "was ended by its deadline";
  }
}

function whoText({ spec }: Job, uid: number): string {
  if (uid === spec.user.uid) return spec.user.name;
  return uid === 0 ? "root" : `uid ${uid}`;
}

function exitText(exit: ExitStatus): string {
  return exit.signal === 0 ? `exit code ${exit.code}` : `signal ${exit.signal} (${signalName(exit.signal)})`;
}

/** What its user may want to know or do. */
function meaningOf(job: EndedJob): string[] {
  const { spec, limitS } = job;
  switch (job.state) {
    case "FAILED":
      return exitMeaning(job.exit);
    case "TIMEOUT":
      return [`ask for more time: --time=${Math.ceil((2 * (limitS ?? 60)) / 60)} is twice as long`];
    case "OUT_OF_MEMORY": {
      const { memory } = spec.request;
      if (!memory) return ["ask for the memory that it needs with --mem"];
      const option = { node: "--mem", cpu: "--mem-per-cpu", gpu: "--mem-per-gpu" }[memory.per];
      const twice = formatMemory(memory.mib * 2);
      return [`it was granted ${option}=${formatMemory(memory.mib)}; try more, for instance ${option}=${twice}`];
    }
    case "NODE_FAIL":
      return spec.requeue ? [] : ["--requeue has such a job started again by itself"];
    case "DEADLINE":
      return ["it could not be over before --deadline any more"];
    default:
      return [];
  }
}

/** What exit codes mean to shells and kernels. Programs may use any of them for something of their own. */
function exitMeaning(exit: ExitStatus): string[] {
  const code = shellCode(exit);
  if (exit.signal === 0 && EXIT_CODES[code] !== undefined) return [`${code} says: ${EXIT_CODES[code]}`];
  const signal = exit.signal || (code > 128 && code < 160 ? code - 128 : 0);
  if (signal === 0) return [];
  const told = SIGNALS[signalName(signal)];
  const by = exit.signal === 0 ? `${code} is 128 + ${signal}: ` : "";
  return [`${by}SIG${signalName(signal)} ended it${told === undefined ? "" : `: ${told}`}`];
}

const EXIT_CODES: Readonly<Record<number, string>> = {
  1: "the program itself reported a failure: its output says more",
  2: "the program itself reported a failure, often wrong usage: its output says more",
  126: "the program was found but can't be executed: is it marked executable, is its first line right?",
  127: "a command was not found: is PATH right, is a module or an environment to be loaded first?",
};

const SIGNALS: Readonly<Record<string, string>> = {
  ABRT: "the program gave up by itself, as a failed assertion makes it",
  BUS: "it reached for memory that is not there, often a full /dev/shm or a file that shrank",
  FPE: "a wrong calculation, such as a division by zero",
  ILL: "an instruction that this CPU does not have: was it built for another one?",
  INT: "somebody pressed Ctrl-C, or scancel sent it",
  KILL: "the kernel may have done so for want of memory, or somebody did",
  PIPE: "it wrote to something that nobody read any more",
  SEGV: "it reached for memory that is not its own",
  TERM: "somebody asked it to end",
  XCPU: "it used more CPU time than its limit (ulimit -t)",
  XFSZ: "it wrote a larger file than its limit (ulimit -f)",
};

function outputLines(job: Job, label: string): string[] {
  const outputs = outputsOf(job);
  const files = outputs.flatMap((step) => step.files);
  const lines = files
    .slice(0, FILES_TOLD_MAX)
    .map(({ path, node, streams }) => `${streams === "both" ? "output" : streams}: ${path} on ${node}`);
  if (files.length > FILES_TOLD_MAX) lines.push(`and ${files.length - FILES_TOLD_MAX} more files`);
  if (files.length > 0) lines.push(`"mgpu logs ${label}" shows it`);
  // What steps of a batch script print goes through the script's own files.
  const own = job.spec.kind === "batch" ? [] : outputs;
  const hosts = new Set(own.flatMap(({ clientHost }) => clientHost ?? []));
  const who = job.spec.kind === "alloc" ? "the commands that started its steps" : "the srun that started it";
  if (hosts.size > 0) lines.push(`output went to ${who}, on ${[...hosts].join(", ")}`);
  return lines;
}
