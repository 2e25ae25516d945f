/** What the controller orders, made into what a holder runs: this node's tasks, their environment and streams. Pure. */

import { activate } from "../core/activation.ts";
import { batchStreams, PTY_STREAMS, type StreamFacts, type Streams, taskStreams } from "../core/streams.ts";
import type { HostCpu } from "../platform/cpu-topology.ts";
import type { StepLaunch, TaskLaunch } from "../protocol/holder.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { type BoundTasks, cpuReport } from "./launch-cpus.ts";
import { type PartEnvironment, partEnvironment } from "./launch-environment.ts";
import { gpuRemark } from "./launch-gpus.ts";
import { isBatch, type NodeGpus, type NodePart, partOf, stepTasks } from "./launch-part.ts";

/** What a launch depends on besides the order itself. */
export interface LaunchPlace extends NodeGpus {
  /** Name of this node. */
  readonly name: string;
  /** Folder of the step's files on this node. */
  readonly spoolFolder: string;
  /** CPUs that tasks can be bound to, and what they are bound to. */
  readonly cpus?: readonly HostCpu[];
  readonly bound?: BoundTasks | null;
  /** Whether something of that path is there. */
  readonly exists?: (path: string) => boolean;
}

/** This node's part of a step, ready for a holder; or why it can't be run, in words. */
export function buildStepLaunch(
  ordered: NodeLaunch,
  place: LaunchPlace,
): { readonly step: StepLaunch } | { readonly problem: string } {
  const { activation } = ordered.program;
  const active = activation && activate(activation, ordered.environment, place.exists ?? (() => false));
  if (active && "problem" in active) return { problem: `${active.problem}, on node ${place.name}` };
  const launch = active ? { ...ordered, environment: { ...active.variables } } : ordered;
  const held = partOf(launch, place.name, place);
  if (!held) return { problem: `the job holds nothing on node ${place.name}` };
  const part = place.bound && "tasks" in place.bound ? { ...held, taskCpus: place.bound.tasks } : held;
  const { key, token, program, script } = launch;
  if (place.bound && "problem" in place.bound) return { problem: place.bound.problem };
  const programs = programsOf(launch, part);
  if ("problem" in programs) return programs;
  if (isBatch(launch) && script === null) return { problem: "the batch script is missing" };
  const environment = partEnvironment(launch, part);
  const tasks = part.tasks.map((_, local) => ({
    ...taskOf(launch, part, environment, local, programs.argvs[local] ?? []),
    ...cpuBinding(launch, part, local, place),
  }));
  const common = {
    ...{ key, token, workDir: program.workDir, environment: environment.step, tasks },
    ...{ umask: program.umask, rlimits: { ...program.rlimits } },
    ...(program.taskProlog === undefined ? {} : { prolog: program.taskProlog }),
    ...(program.taskEpilog === undefined ? {} : { epilog: program.taskEpilog }),
    ...memoryOf(launch, part),
  };
  if (!isBatch(launch) || script === null) return { step: { ...common, pty: program.pty, batch: null } };
  return { step: { ...common, pty: program.pty, batch: { script, spool: place.spoolFolder } } };
}

/** How many tasks a launch starts on a node; 1 if it holds nothing there, for the exit status of the failure. */
export function taskCount(launch: NodeLaunch, name: string): number {
  return partOf(launch, name, { gpuProvider: "" })?.tasks.length || 1;
}

/** The program of each task of the part: all the same one, or each its own (--multi-prog). */
function programsOf(
  { program, het }: NodeLaunch,
  { tasks: numbers }: NodePart,
): { readonly argvs: readonly (readonly string[])[] } | { readonly problem: string } {
  const own = new Map(program.programs.map(({ task, argv }) => [task, argv]));
  // The file of a component counts that component's tasks.
  const tasks = numbers.map((task) => task - (het?.whole?.firstTask ?? 0));
  const argvs = tasks.map((task) => (own.size === 0 ? program.argv : (own.get(task) ?? [])));
  const missing = argvs.findIndex((argv) => argv.length === 0);
  if (missing < 0) return { argvs };
  if (own.size === 0) return { problem: "there is no program to run" };
  return { problem: `the program file of --multi-prog has no program for task ${tasks[missing]}` };
}

/** The limits that follow from what was asked for: by the job for all of its steps here, by the step for itself. */
export function memoryOf({ job, request, allocation }: NodeLaunch, part: NodePart): Pick<StepLaunch, "memory"> {
  const share = allocation.find(({ node }) => node === part.node);
  const stepMiB = request.memory ? part.memoryMiB : 0;
  const jobMiB = job.request.memory ? (share?.memoryMiB ?? 0) : 0;
  return stepMiB > 0 || jobMiB > 0 ? { memory: { stepMiB, jobMiB } } : {};
}

function taskOf(
  launch: NodeLaunch,
  part: NodePart,
  environment: PartEnvironment,
  local: number,
  argv: readonly string[],
): TaskLaunch {
  const task = part.tasks[local] ?? local;
  return {
    ...{ task, argv: [...argv], environment: environment.task(local) },
    ...streamsOf(launch, part, task),
    ...gpuRemark(launch, part, local),
  };
}

/** The CPUs of a task, and what it tells of them. */
function cpuBinding(
  launch: NodeLaunch,
  part: NodePart,
  local: number,
  { bound, cpus = [] }: LaunchPlace,
): Pick<TaskLaunch, "cpuBind"> {
  const own = bound && "tasks" in bound ? bound.tasks[local] : undefined;
  const report = cpuReport(launch, part, local, own, cpus);
  if (own === undefined && report === null) return {};
  return { cpuBind: { cpus: [...(own ?? [])], ...(report === null ? {} : { report }) } };
}

function streamsOf(launch: NodeLaunch, part: NodePart, task: number): Streams {
  const { job, key, user, program, array } = launch;
  // A script's terminal is written down in its output file as well.
  if (program.pty && !isBatch(launch)) return PTY_STREAMS;
  const facts: StreamFacts = {
    jobId: key.jobId,
    array,
    stepId: key.stepId,
    jobName: job.name,
    userName: user.name,
    nodeName: part.node,
    nodeId: part.nodeId,
    task,
    tasks: stepTasks(launch),
  };
  const { io, workDir } = program;
  return isBatch(launch) ? batchStreams(io, facts, workDir) : taskStreams(io, facts, workDir);
}
