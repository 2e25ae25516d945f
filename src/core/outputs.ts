/** Where the output of a job's steps is: files on its nodes, its client, or nowhere. From the job's record alone. */

import { firstTask } from "./array-spec.ts";
import type { NodeName, StepId } from "./ids.ts";
import type { Job, Step } from "./job.ts";
import { batchStreams, PTY_STREAMS, type StreamFacts, type Streams, taskStreams } from "./streams.ts";

/** One file of a step's output on a node. */
export interface OutputFile {
  readonly node: NodeName;
  readonly path: string;
  /** What goes there. */
  readonly streams: "both" | "stdout" | "stderr";
  /** Whose, by number within the step, ascending. */
  readonly tasks: readonly number[];
}

export interface StepOutputs {
  readonly stepId: StepId;
  readonly files: readonly OutputFile[];
  /** Some stream goes to the srun that made the step, on this machine. */
  readonly clientHost: string | null;
}

/** Most tasks of a step whose files are looked for: each has its own name to be worked out. */
const TASKS_MAX = 10_000;

/** The outputs of each step that was started, in the order of their numbers; empty while the job waits. */
export function outputsOf(job: Job): StepOutputs[] {
  return job.state === "PENDING" ? [] : job.steps.map((step) => stepOutputs(job, step));
}

function stepOutputs(job: Job, step: Step): StepOutputs {
  const files = new Map<string, { node: NodeName; path: string; streams: OutputFile["streams"]; tasks: number[] }>();
  let isClients = false;
  let left = TASKS_MAX;
  const add = (node: NodeName, path: string, streams: OutputFile["streams"], task: number): void => {
    const key = `${node}\0${path}`;
    const known = files.get(key);
    if (!known) files.set(key, { node, path, streams, tasks: [task] });
    else if (known.tasks.at(-1) !== task) known.tasks.push(task);
    if (known && known.streams !== streams) known.streams = "both";
  };
  for (const [nodeId, part] of step.parts.entries()) {
    for (const task of step.id === "batch" ? [0] : part.tasks) {
      left -= 1;
      if (left < 0) break;
      const { stdout, stderr } = streamsOf(job, step, part.node, nodeId, task);
      isClients ||= stdout.to === "client" || stderr.to === "client";
      if (stdout.to === "file") add(part.node, stdout.path, stderr.to === "stdout" ? "both" : "stdout", task);
      if (stderr.to === "file") add(part.node, stderr.path, "stderr", task);
    }
  }
  const host = (step.spec ?? job.spec).submitHost;
  return { stepId: step.id, files: [...files.values()], clientHost: isClients ? host : null };
}

/** As the node works them out when it starts the step (node/launch.ts). */
function streamsOf(job: Job, step: Step, nodeName: NodeName, nodeId: number, task: number): Streams {
  const program = step.spec ?? job.spec;
  // A batch script with a terminal has its files too: it is there before anybody looks on.
  if (program.pty && step.id !== "batch") return PTY_STREAMS;
  const taskId = job.array && firstTask(job.array.tasks);
  const facts: StreamFacts = {
    ...{ jobId: job.id, stepId: step.id, jobName: job.spec.name, userName: job.spec.user.name },
    array: job.array && typeof taskId === "number" ? { jobId: job.array.jobId, taskId } : null,
    ...{ nodeName, nodeId, task, tasks: step.parts.reduce((sum, part) => sum + part.tasks.length, 0) },
  };
  const { io, workDir } = program;
  return step.id === "batch" ? batchStreams(io, facts, workDir) : taskStreams(io, facts, workDir);
}
