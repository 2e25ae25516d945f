/**
 * What is said in a job's own output about its end or its failed start, in the words of Slurm's slurmstepd (with its
 * name, which is what people and programs look for):
 *
 *   slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-22T01:02:03 DUE TO TIME LIMIT ***
 *   slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 2026-11-22T01:02:03 ***
 *   slurmstepd: error: execve(): bad interpreter(/no/such): No such file or directory
 *   slurmstepd: error: Detected 1 oom_kill event in StepId=12.batch. Some of the step tasks have been OOM Killed.
 *   slurmstepd: error: It reached its limit of 100 MiB of memory.
 *
 * A job's line goes to its batch script's stderr, a step's to the stderr of its first task; what concerns one node
 * alone, to that of the first task there. A step with a terminal
 * gets none, as in Slurm: the terminal is its program's until the end. Where to write for a batch script is kept in
 * its spool folder, so that a later holder can.
 */

import { formatTimestamp } from "../../core/time.ts";
import type { StepLaunch, TaskLaunch, TerminateCause, TerminateNotice } from "../../protocol/holder.ts";
import { batchSpool, readBatchExit } from "./batch-spool.ts";
import { NOTICE_WAIT_MS } from "./limits.ts";
import { type HolderPorts, within } from "./ports.ts";
import type { Step } from "./step.ts";

type Ports = Pick<HolderPorts, "clock" | "log" | "processes" | "table" | "utcOffset">;

/** Where a task's errors go: the client, or a file (absolute). Null for nowhere. */
export type ErrorTarget =
  | { readonly task: number; readonly stream: "out" | "err" }
  | { readonly task: number; readonly path: string }
  | null;

const PREFIX = "slurmstepd: error: ";

const NULL_DEVICE = "/dev/null";

const WHY: Readonly<Record<TerminateCause, string>> = {
  cancelled: "",
  "time limit": " DUE TO TIME LIMIT",
  "node failure": " DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS",
  preempted: " DUE TO PREEMPTION",
  requeue: " DUE TO JOB REQUEUE",
};

/** Where the errors of a launch's first task go, the first on this node. */
export function errorTarget({ tasks, workDir, pty }: Pick<StepLaunch, "tasks" | "workDir" | "pty">): ErrorTarget {
  const [first] = tasks;
  if (first === undefined || pty !== null) return null;
  const stream = first.stderr.to === "stdout" ? "out" : "err";
  const target = stream === "out" ? first.stdout : (first.stderr as TaskLaunch["stdout"]);
  if (target.to === "client") return { task: first.task, stream };
  return target.to === "null" ? null : { task: first.task, path: absolute(target.path, workDir) };
}

/** Notes in a batch script's spool where words about it are to go. */
export function noteErrorTarget(
  { processes }: Pick<HolderPorts, "processes">,
  folder: string,
  launch: StepLaunch,
): void {
  const target = errorTarget(launch);
  if (target === null || "stream" in target) return;
  processes.folders.writeRecord(batchSpool(folder).errors, `${JSON.stringify(target.path)}\n`);
}

/**
 * Tells the outputs of what runs why it is ended. Resolves when that is done, or soon in any case; never rejects.
 * @param steps those of the job that this holder runs
 */
export async function announceEnd(
  ports: Ports,
  jobId: number,
  notice: TerminateNotice,
  steps: readonly Step[],
): Promise<void> {
  const at = formatTimestamp(ports.clock.now(), ports.utcOffset);
  const line = (entity: string): string =>
    `${PREFIX}*** ${entity} ON ${notice.node} CANCELLED AT ${at}${WHY[notice.cause]} ***\n`;
  const writes: Promise<void>[] = [];
  for (const step of steps) {
    const target = step.errorTarget;
    if (step.kind === "batch" || step.phase !== "running" || step.isAnnounced) continue;
    // Another node has the first task, and says it there.
    if (target === null || target.task !== 0) continue;
    step.isAnnounced = true;
    writes.push(say(ports, step, line(`STEP ${jobId}.${step.key.stepId}`)));
  }
  for (const folder of notice.scripts) writes.push(announceScript(ports, folder, line(`JOB ${jobId}`)));
  await Promise.all(writes);
}

/** Tells a step's output that it was killed for its memory, with the numbers in `words`. Never rejects. */
export function announceOutOfMemory(ports: Ports, step: Step, words: string): Promise<void> {
  const { jobId, stepId } = step.key;
  const event = `Detected 1 oom_kill event in StepId=${jobId}.${stepId}.`;
  return say(ports, step, `${PREFIX}${event} Some of the step tasks have been OOM Killed.\n${PREFIX}${words}\n`);
}

/**
 * Says what somebody sent with scontrol notify, as Slurm's programs do: in a batch script's stderr, or where the errors
 * of a step's first task go. False if that is not here, or nowhere.
 * @param spool folder of a batch script; of any other step `null`
 */
export async function passMessage(
  ports: Ports,
  step: Step | undefined,
  message: string,
  spool: string | null,
): Promise<boolean> {
  // What others say must not steer a terminal.
  const text = message.replace(/\p{Cc}/gu, (one) => (one === "\n" || one === "\t" ? one : "?"));
  if (spool !== null) {
    const path = pathIn(ports.processes.readText(batchSpool(spool).errors));
    // Output that is thrown away takes messages too, as in Slurm.
    return path !== null && (path === NULL_DEVICE || append(ports, path, `${PREFIX}${text}\n`, false));
  }
  const target = step?.phase === "running" ? step.errorTarget : null;
  if (!step || target === null || target.task !== 0) return false;
  await say(ports, step, `srun: ${text}\n`);
  return true;
}

/**
 * Says in a batch script's stderr, or else its stdout, why it can't be started.
 * @param problems one a line
 */
export async function explainFailedStart(ports: Ports, launch: StepLaunch, problems: string): Promise<void> {
  const target = errorTarget(launch);
  const stdout = launch.tasks[0]?.stdout;
  const paths = target && "path" in target ? [target.path] : [];
  if (stdout?.to === "file") paths.push(absolute(stdout.path, launch.workDir));
  const text = problems
    .split("\n")
    .map((problem) => `${PREFIX}${problem}\n`)
    .join("");
  for (const path of new Set(paths)) if (await append(ports, path, text, true)) return;
}

/** Once: the note of where to write goes with it. */
async function announceScript(ports: Ports, folder: string, text: string): Promise<void> {
  const { errors } = batchSpool(folder);
  const path = pathIn(ports.processes.readText(errors));
  if (path === null || readBatchExit(folder, ports.processes, ports.table).phase !== "running") return;
  ports.processes.removeFile(errors);
  await append(ports, path, text, false);
}

function pathIn(text: string | null): string | null {
  if (text === null) return null;
  try {
    const path: unknown = JSON.parse(text);
    return typeof path === "string" ? path : null;
  } catch {
    // Cut off by a full disk.
    return null;
  }
}

async function say(ports: Ports, step: Step, text: string): Promise<void> {
  const target = step.errorTarget;
  if (target === null) return;
  if ("stream" in target) step.output.say(target.task, target.stream, text);
  else await append(ports, target.path, text, false);
}

/** Adds to a file; false if that is impossible or takes too long. */
async function append(ports: Ports, path: string, text: string, create: boolean): Promise<boolean> {
  if (path === NULL_DEVICE) return true;
  const late = { problem: { code: "ETIMEDOUT", number: 110, text: "Connection timed out" } };
  const written = await within(
    ports.clock,
    NOTICE_WAIT_MS,
    ports.processes.appendText(path, text, create),
    late,
    () => {},
  );
  if ("value" in written) return true;
  ports.log.debug("a job's output file can't be written to", { path, problem: written.problem.text });
  return false;
}

function absolute(path: string, workDir: string): string {
  return path.startsWith("/") ? path : `${workDir}/${path}`;
}
