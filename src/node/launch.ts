/** What the controller orders, made into what a holder runs: this node's tasks, their environment and streams. Pure. */

import type { StepLaunch, TaskLaunch } from "../protocol/holder.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { type NodePart, type PartEnvironment, partEnvironment } from "./launch-environment.ts";
import { batchStreams, PTY_STREAMS, type StreamFacts, type Streams, taskStreams } from "./launch-streams.ts";

/** What a launch depends on besides the order itself. */
export interface LaunchPlace {
  /** Name of this node. */
  readonly name: string;
  /** Who found its GPUs. */
  readonly gpuProvider: string;
  /** Folder of the step's files on this node. */
  readonly spoolFolder: string;
}

/** This node's part of a step, ready for a holder; or why it can't be run, in words. */
export function buildStepLaunch(
  launch: NodeLaunch,
  place: LaunchPlace,
): { readonly step: StepLaunch } | { readonly problem: string } {
  const part = partOf(launch, place);
  if (!part) return { problem: `the job holds nothing on node ${place.name}` };
  const { job, key, token } = launch;
  if (job.argv.length === 0) return { problem: "there is no program to run" };
  const environment = partEnvironment(launch, part);
  const common = { key, token, workDir: job.workDir, environment: environment.step };
  if (key.stepId !== "batch") {
    const tasks = Array.from({ length: part.share.tasks }, (_, local) => taskOf(launch, part, environment, local));
    return { step: { ...common, tasks, pty: job.pty, batch: null } };
  }
  if (launch.script === null) return { problem: "the batch script is missing" };
  const batch = { script: launch.script, spool: place.spoolFolder };
  return { step: { ...common, tasks: [taskOf(launch, part, environment, 0)], pty: null, batch } };
}

/** How many tasks a launch starts on a node; 1 if it holds nothing there, for the exit status of the failure. */
export function taskCount(launch: NodeLaunch, name: string): number {
  if (launch.key.stepId === "batch") return 1;
  return launch.allocation.find((share) => share.node === name)?.tasks ?? 1;
}

function partOf(launch: NodeLaunch, place: LaunchPlace): NodePart | undefined {
  let firstTask = 0;
  for (const [nodeId, share] of launch.allocation.entries()) {
    if (share.node === place.name) return { share, nodeId, firstTask, gpuProvider: place.gpuProvider };
    firstTask += share.tasks;
  }
  return undefined;
}

function taskOf(launch: NodeLaunch, part: NodePart, environment: PartEnvironment, local: number): TaskLaunch {
  const task = part.firstTask + local;
  return { task, argv: [...launch.job.argv], environment: environment.task(local), ...streamsOf(launch, part, task) };
}

function streamsOf(launch: NodeLaunch, part: NodePart, task: number): Streams {
  const { job, key, user } = launch;
  if (job.pty) return PTY_STREAMS;
  const facts: StreamFacts = {
    jobId: key.jobId,
    array: null,
    stepId: key.stepId,
    jobName: job.name,
    userName: user.name,
    nodeName: part.share.node,
    nodeId: part.nodeId,
    task,
    tasks: launch.allocation.reduce((sum, share) => sum + share.tasks, 0),
  };
  return key.stepId === "batch" ? batchStreams(job.io, facts, job.workDir) : taskStreams(job.io, facts, job.workDir);
}
