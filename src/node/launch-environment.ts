/**
 * The environment of a job's processes: Slurm's variables under their old and new names, the GPUs that may be used,
 * and what torch needs to find its peers. Pure.
 *
 * A variable that repeats a wish (SLURM_GPUS, SLURM_CPUS_PER_TASK, SLURM_MEM_PER_NODE) is set only when it was
 * wished: programs take its presence for that.
 */

import { compressCounts } from "../core/counts.ts";
import { fold } from "../core/hostlist.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { formatGpus, type GpuGrant, type NodeShare } from "../core/resources.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { DEFAULTS_VARIABLE, formatDefaults, withoutEnclosingJob } from "./launch-variables.ts";

/** One node's part of a launch. */
export interface NodePart {
  readonly share: NodeShare;
  /** Position in the allocation. */
  readonly nodeId: number;
  /** Number of the part's first task within the step. */
  readonly firstTask: number;
  /** Who found the GPUs: decides which variables name them. */
  readonly gpuProvider: string;
}

type Variables = Record<string, string>;

/** First port of MASTER_PORT: above what services use, below Linux's range for outgoing connections (32768). */
const MASTER_PORT_FIRST = 20_000;
const MASTER_PORTS = 10_000;

/** MASTER_PORT of a job: the same on all of its nodes, and another one for each of 10,000 jobs in a row. */
export function masterPort(jobId: number): number {
  return MASTER_PORT_FIRST + (jobId % MASTER_PORTS);
}

/** The environment of one node's part of a step. */
export interface PartEnvironment {
  /** What all tasks of this node have in common. */
  readonly step: Variables;
  /** What is added for one task, by its number among those of this node. */
  task(local: number): Variables;
}

/** The environment of a part: the user's own, without what an enclosing job put there, and what this job adds. */
export function partEnvironment(launch: NodeLaunch, part: NodePart): PartEnvironment {
  const own = withoutEnclosingJob(launch.environment);
  const masters = missing(masterVariables(launch), own);
  const step = {
    ...own,
    ...masters,
    ...jobVariables(launch),
    ...wishVariables(launch),
    ...shareVariables(launch, part),
    ...gpuVariables(part),
    ...(isBatch(launch) ? { ENVIRONMENT: "BATCH" } : stepVariables(launch, part)),
  };
  const task = (local: number): Variables => {
    const ranks = missing(rankVariables(launch, part, local), own);
    return {
      ...ranks,
      SLURM_PROCID: String(part.firstTask + local),
      SLURM_LOCALID: String(local),
      [DEFAULTS_VARIABLE]: formatDefaults({ ...masters, ...ranks }),
    };
  };
  return { step, task };
}

function jobVariables(launch: NodeLaunch): Variables {
  const { job, key, user, allocation } = launch;
  const id = String(key.jobId);
  const nodeList = fold(allocation.map((share) => share.node));
  const nodes = String(allocation.length);
  const tasks = String(totalTasks(launch));
  const startS = Math.floor(launch.startAt / 1000);
  return {
    SLURM_JOB_ID: id,
    SLURM_JOBID: id,
    SLURM_JOB_NAME: job.name,
    SLURM_JOB_NODELIST: nodeList,
    SLURM_NODELIST: nodeList,
    SLURM_JOB_NUM_NODES: nodes,
    SLURM_NNODES: nodes,
    SLURM_NTASKS: tasks,
    SLURM_NPROCS: tasks,
    SLURM_TASKS_PER_NODE: compressCounts(allocation.map((share) => share.tasks)),
    SLURM_JOB_CPUS_PER_NODE: compressCounts(allocation.map((share) => share.cpus)),
    SLURM_JOB_PARTITION: launch.partition,
    SLURM_JOB_USER: user.name,
    SLURM_JOB_UID: String(user.uid),
    SLURM_JOB_GID: String(user.gid),
    SLURM_CLUSTER_NAME: launch.clusterName,
    SLURM_SUBMIT_DIR: launch.environment.SLURM_SUBMIT_DIR ?? job.workDir,
    SLURM_SUBMIT_HOST: job.submitHost,
    SLURM_JOB_START_TIME: String(startS),
    ...(launch.limitS === UNLIMITED ? {} : { SLURM_JOB_END_TIME: String(startS + launch.limitS) }),
    ...(key.attempt > 1 ? { SLURM_RESTART_COUNT: String(key.attempt - 1) } : {}),
  };
}

/** What the user asked for, as asked. More than one CPU a task counts as asked for. */
function wishVariables({ job }: NodeLaunch): Variables {
  const { memoryMiBPerNode, gpus, cpusPerTask } = job.request;
  const type = gpus?.type ? `${gpus.type}:` : "";
  return {
    ...(cpusPerTask > 1 ? { SLURM_CPUS_PER_TASK: String(cpusPerTask) } : {}),
    ...(memoryMiBPerNode > 0 ? { SLURM_MEM_PER_NODE: String(memoryMiBPerNode) } : {}),
    ...(gpus ? { SLURM_GPUS: type + formatGpus(gpus.thousandths) } : {}),
  };
}

function shareVariables(launch: NodeLaunch, { share, nodeId, firstTask }: NodePart): Variables {
  const count = isBatch(launch) ? 1 : share.tasks;
  return {
    SLURMD_NODENAME: share.node,
    SLURM_NODEID: String(nodeId),
    SLURM_CPUS_ON_NODE: String(share.cpus),
    SLURM_GTIDS: Array.from({ length: count }, (_, local) => firstTask + local).join(","),
    SLURM_TOPOLOGY_ADDR: share.node,
    SLURM_TOPOLOGY_ADDR_PATTERN: "node",
  };
}

function stepVariables(launch: NodeLaunch, { share }: NodePart): Variables {
  const { key, allocation } = launch;
  const id = String(key.stepId);
  const host = masterAddress(launch);
  return {
    SLURM_STEP_ID: id,
    SLURM_STEPID: id,
    SLURM_STEP_NODELIST: fold(allocation.map((one) => one.node)),
    SLURM_STEP_NUM_NODES: String(allocation.length),
    SLURM_STEP_NUM_TASKS: String(totalTasks(launch)),
    SLURM_STEP_TASKS_PER_NODE: compressCounts(allocation.map((one) => one.tasks)),
    // Slurm names the host of srun here. Launchers read it to find the first task, so it is the first node's.
    SLURM_LAUNCH_NODE_IPADDR: host,
    SLURM_SRUN_COMM_HOST: host,
    ...(share.gpus.length > 0 ? { SLURM_STEP_GPUS: indices(share.gpus) } : {}),
  };
}

/**
 * The GPUs of this node that the job may use, for all its tasks here alike (Slurm's default). Without any, CUDA gets
 * an empty list: unset would mean all of them.
 */
function gpuVariables({ share, gpuProvider }: NodePart): Variables {
  const { gpus } = share;
  const slurm: Variables =
    gpus.length > 0 ? { SLURM_GPUS_ON_NODE: String(gpus.length), SLURM_JOB_GPUS: indices(gpus) } : {};
  if (gpuProvider !== "amd") {
    const names = gpus.map(cudaName).join(",");
    return { ...slurm, CUDA_VISIBLE_DEVICES: names, CUDA_DEVICE_ORDER: "PCI_BUS_ID", GPU_DEVICE_ORDINAL: names };
  }
  // ROCr hides the other GPUs first; HIP, which reads CUDA's variable too, counts what is left from 0.
  const left = gpus.map((_, position) => position).join(",");
  return {
    ...slurm,
    ROCR_VISIBLE_DEVICES: indices(gpus),
    HIP_VISIBLE_DEVICES: left,
    CUDA_VISIBLE_DEVICES: left,
    GPU_DEVICE_ORDINAL: left,
  };
}

function indices(gpus: readonly GpuGrant[]): string {
  return gpus.map((grant) => grant.index).join(",");
}

/** A MIG instance has no index of its own that CUDA would take. */
function cudaName(grant: GpuGrant): string {
  return grant.uuid.startsWith("MIG-") ? grant.uuid : String(grant.index);
}

function masterVariables(launch: NodeLaunch): Variables {
  return { MASTER_ADDR: masterAddress(launch), MASTER_PORT: String(masterPort(launch.key.jobId)) };
}

/** Where the first task runs, as its peers reach it. */
function masterAddress({ allocation }: NodeLaunch): string {
  return allocation.length > 1 ? (allocation[0]?.node ?? "127.0.0.1") : "127.0.0.1";
}

/** torch's names; a program that is one process alone must not think that it has peers. */
function rankVariables(launch: NodeLaunch, part: NodePart, local: number): Variables {
  const world = totalTasks(launch);
  if (isBatch(launch) || world < 2) return {};
  return {
    RANK: String(part.firstTask + local),
    LOCAL_RANK: String(local),
    WORLD_SIZE: String(world),
    LOCAL_WORLD_SIZE: String(part.share.tasks),
    NODE_RANK: String(part.nodeId),
  };
}

function missing(variables: Variables, own: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => own[name] === undefined));
}

function isBatch(launch: NodeLaunch): boolean {
  return launch.key.stepId === "batch";
}

function totalTasks({ allocation }: NodeLaunch): number {
  return allocation.reduce((sum, share) => sum + share.tasks, 0);
}
