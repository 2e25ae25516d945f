/**
 * The environment of a job's processes: Slurm's variables under their old and new names, the GPUs that may be used,
 * and what torch needs to find its peers. Pure.
 *
 * Three layers: what the user's shell had, what the job is, what the step, node and task are. As in Slurm, the tasks of
 * srun see their step's numbers under the old names SLURM_NNODES, SLURM_NTASKS, SLURM_NPROCS and SLURM_TASKS_PER_NODE,
 * and the job's under SLURM_NODELIST and all SLURM_JOB_*.
 */

import { compressCounts } from "../core/counts.ts";

import { formatDependency } from "../core/dependency.ts";

import { asComponent } from "../core/het-variables.ts";
import { fold } from "../core/hostlist.ts";
import { DEFAULTS_VARIABLE, formatDefaults, withoutEnclosingJob, withoutEnclosingStep } from "../core/job-variables.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { sizeVariables } from "../core/size-variables.ts";
import { GPU_WISHES, MEMORY_WISHES, wishVariables } from "../core/wish-variables.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { mergeVariables } from "../util/variables.ts";
import { gpuVariables, taskGpuVariables } from "./launch-gpus.ts";
import { isBatch, isInnerStep, jobNumber, type NodePart, stepNodes, stepTasks } from "./launch-part.ts";
import { masterAddress, masterVariables, rankVariables } from "./launch-peers.ts";
import { layoutVariables } from "./launch-wishes.ts";

type Variables = Record<string, string>;

/** The environment of one node's part of a step. */
export interface PartEnvironment {
  /**
   * What all tasks of this node have in common. Of a batch script, which is one task, it is what its user's shell had: one object for all
   * jobs of the same shell.
   */
  readonly step: Variables;
  /** What is added for one task, by its number among those of this node. */
  task(local: number): Variables;
}

/** The environment of a part: the user's own, without what an enclosing job put there, and what this job adds. */
export function partEnvironment(launch: NodeLaunch, part: NodePart): PartEnvironment {
  const own = ownVariables(launch);
  const masters = missing(masterVariables(launch), own);
  const added = mergeVariables(
    masters,
    jobVariables(launch),
    arrayVariables(launch),
    launch.het?.variables ?? {},
    nameVariable(launch, own),
    wishVariables(isInnerStep(launch) ? launch.request : launch.job.request),
    layoutVariables(launch),
    partVariables(part),
    gpuVariables(launch, part),
    isBatch(launch) ? batchVariables(launch, part) : stepVariables(launch),
  );
  const task = (local: number): Variables => {
    const ranks = missing(rankVariables(launch, part, local), own);
    return mergeVariables(isBatch(launch) ? added : {}, ranks, taskGpuVariables(launch, part, local), {
      SLURM_PROCID: String(part.tasks[local] ?? local),
      SLURM_LOCALID: String(local),
      [DEFAULTS_VARIABLE]: formatDefaults({ ...masters, ...ranks }),
    });
  };
  return { step: isBatch(launch) ? own : mergeVariables(own, added), task };
}

/** By what the order came with: those of many jobs are one object. */
const withoutJob = new WeakMap<Variables, Variables>();

/**
 * What the user's shell had. A step made in its own job keeps the job's variables, also those that the script changed
 * or took away; anything else starts without those of a job that it was submitted from.
 */
function ownVariables(launch: NodeLaunch): Variables {
  const { environment, request } = launch;
  const isOwnJob = environment.SLURM_JOB_ID === String(jobNumber(launch));
  if (!isInnerStep(launch) || !isOwnJob) {
    const known = withoutJob.get(environment);
    if (known) return known;
    const own = Object.freeze(withoutEnclosingJob(environment));
    withoutJob.set(environment, own);
    return own;
  }
  // What the first component's script knows of that one is not true of the others.
  const known = launch.job.het ? asComponent(environment, launch.job.het.offset) : environment;
  const own = withoutEnclosingStep(known);
  const replaced = [...(request.memory ? MEMORY_WISHES : []), ...(request.gpus ? GPU_WISHES : [])];
  for (const name of replaced) delete own[name];
  return own;
}

function jobVariables(launch: NodeLaunch): Variables {
  const { job, key, user, allocation } = launch;
  const id = String(jobNumber(launch));
  const startS = Math.floor(launch.startAt / 1000);
  return {
    SLURM_JOB_ID: id,
    SLURM_JOBID: id,
    ...sizeVariables(allocation),
    SLURM_JOB_PARTITION: launch.partition,
    SLURM_JOB_USER: user.name,
    SLURM_JOB_UID: String(user.uid),
    SLURM_JOB_GID: String(user.gid),
    SLURM_CLUSTER_NAME: launch.clusterName,
    SLURM_SUBMIT_DIR: launch.environment.SLURM_SUBMIT_DIR ?? job.workDir,
    SLURM_SUBMIT_HOST: job.submitHost,
    SLURM_JOB_START_TIME: String(startS),
    SLURM_UMASK: formatUmask(launch.program.umask),
    ...(launch.limitS === UNLIMITED ? {} : { SLURM_JOB_END_TIME: String(startS + launch.limitS) }),
    ...(key.attempt > 1 ? { SLURM_RESTART_COUNT: String(key.attempt - 1) } : {}),
    ...identityVariables(job),
  };
}

/** What the job was given beyond its geometry, as far as it was. */
function identityVariables(job: NodeLaunch["job"]): Variables {
  const facts: readonly (readonly [string, string | null])[] = [
    ["SLURM_JOB_ACCOUNT", job.account],
    ["SLURM_JOB_QOS", job.qos],
    ["SLURM_JOB_RESERVATION", job.reservation],
    ["SLURM_JOB_COMMENT", job.comment],
    ["SLURM_WCKEY", job.wckey],
    ["SLURM_JOB_LICENSES", job.licenses.map(({ name, count }) => `${name}:${count}`).join(",")],
    ["SLURM_JOB_DEPENDENCY", job.dependency ? formatDependency(job.dependency) : null],
    ["SLURM_HET_SIZE", job.het ? String(job.het.size) : null],
  ];
  return Object.fromEntries(facts.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function arrayVariables({ array }: NodeLaunch): Variables {
  if (!array) return {};
  return {
    SLURM_ARRAY_JOB_ID: String(array.jobId),
    SLURM_ARRAY_TASK_ID: String(array.taskId),
    SLURM_ARRAY_TASK_COUNT: String(array.count),
    SLURM_ARRAY_TASK_MIN: String(array.min),
    SLURM_ARRAY_TASK_MAX: String(array.max),
    SLURM_ARRAY_TASK_STEP: String(array.step),
  };
}

/** srun within a job leaves the name alone: a script may have given it another one, for a program that looks at it. */
function nameVariable(launch: NodeLaunch, own: Variables): Variables {
  const kept = isInnerStep(launch) ? own.SLURM_JOB_NAME : undefined;
  return { SLURM_JOB_NAME: kept ?? launch.job.name };
}

function partVariables(part: NodePart): Variables {
  return {
    SLURMD_NODENAME: part.node,
    SLURM_NODEID: String(part.nodeId),
    SLURM_CPUS_ON_NODE: String(part.cpus),
    SLURM_GTIDS: part.tasks.join(","),
    SLURM_TOPOLOGY_ADDR: part.node,
    SLURM_TOPOLOGY_ADDR_PATTERN: "node",
  };
}

/** A script's shell would not notice that it is on another machine than the one it was submitted on. */
function batchVariables({ environment, allocation, hostnames }: NodeLaunch, part: NodePart): Variables {
  const host = hostnames?.[allocation.findIndex((share) => share.node === part.node)];
  return { ENVIRONMENT: "BATCH", ...(environment.HOSTNAME && host ? { HOSTNAME: host } : {}) };
}

function stepVariables(launch: NodeLaunch): Variables {
  const id = String(launch.key.stepId);
  const host = masterAddress(launch);
  const parts = stepNodes(launch);
  const nodeList = fold(parts.map(({ node }) => node));
  const nodes = String(parts.length);
  const tasks = String(stepTasks(launch));
  const tasksPerNode = compressCounts(parts.map((part) => part.tasks));
  return {
    // As in Slurm: the tasks of several components see one job on all of their nodes.
    ...(launch.het?.whole
      ? { SLURM_JOB_NODELIST: nodeList, SLURM_NODELIST: nodeList, SLURM_JOB_NUM_NODES: nodes }
      : {}),
    SLURM_STEP_ID: id,
    SLURM_STEPID: id,
    SLURM_STEP_NODELIST: nodeList,
    SLURM_STEP_NUM_NODES: nodes,
    SLURM_NNODES: nodes,
    SLURM_STEP_NUM_TASKS: tasks,
    SLURM_NTASKS: tasks,
    SLURM_NPROCS: tasks,
    SLURM_STEP_TASKS_PER_NODE: tasksPerNode,
    SLURM_TASKS_PER_NODE: tasksPerNode,
    // Slurm names the host of srun here. Launchers read it to find the first task, so it is the first node's.
    SLURM_LAUNCH_NODE_IPADDR: host,
    SLURM_SRUN_COMM_HOST: host,
  };
}

function missing(variables: Variables, own: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => own[name] === undefined));
}

/** `0022` */
function formatUmask(umask: number): string {
  return umask.toString(8).padStart(4, "0");
}
