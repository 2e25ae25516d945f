/** What a node is told to start, and the token by which the step's client attaches. */

import { firstTask, lastTask, taskCount } from "../core/array-spec.ts";
import { componentsOf } from "../core/het.ts";
import { hetVariables } from "../core/het-variables.ts";
import type { StepKey } from "../core/ids.ts";
import { formatStepKey } from "../core/ids.ts";
import type { Job, RunningJob, Step } from "../core/job.ts";
import type { ProgramSpec } from "../core/jobspec.ts";
import type { ClusterState } from "../core/state.ts";
import type { Digest } from "../platform/digest.ts";
import type { Address } from "../platform/net.ts";
import { holderSocketFor, userSocketOf } from "../protocol/holder-socket.ts";
import type { AttachPoint, NodeLaunch } from "../protocol/procedures.ts";
import { must } from "../util/assert.ts";
import { partitionName } from "./select.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { Blobs } from "./store/blobs.ts";
import { decodeEnvironment } from "./stored-inputs.ts";

/** What follows from a secret of the state folder, so that it survives restarts without being stored. */
export function secretsOf(digest: Digest, secret: string) {
  return {
    /** What opens a step's streams. */
    token: (key: StepKey): string => digest.keyed(secret, `attach ${formatStepKey(key)}`),
    /** A number of this state folder's own, below 65536. */
    portOffset: Number.parseInt(digest.keyed(secret, "ports").slice(0, 4), 16) || 0,
  };
}

/**
 * The order for one node.
 * @param cluster `isShared`: it serves several users
 *
 * Rejects if the job's stored script or environment is gone. */
export async function launchOrder(
  state: ClusterState,
  blobs: Blobs,
  clusterName: string,
  job: RunningJob,
  key: StepKey,
  token: string,
  { portOffset, isShared }: { readonly portOffset: number; readonly isShared: boolean },
): Promise<NodeLaunch> {
  const step = must(
    job.steps.find(({ id }) => id === key.stepId),
    `step ${formatStepKey(key)}`,
  );
  const { user, scriptDigest, environmentDigest, ...request } = job.spec;
  const isBatch = key.stepId === "batch";
  const [script, environment] = await Promise.all([
    isBatch && scriptDigest !== null ? blobs.get(scriptDigest) : null,
    blobs.get(step.spec?.environmentDigest ?? environmentDigest),
  ]);
  return {
    key,
    token,
    job: request,
    program: programOf(step.spec ?? job.spec),
    request: step.spec?.request ?? job.spec.request,
    layout: step.parts.map(({ node, tasks, cpus, memoryMiB, gpus }) => ({
      ...{ node, cpus, memoryMiB },
      ...{ tasks: [...tasks], gpus: [...gpus] },
    })),
    hostnames: job.allocation.map(({ node }) => state.nodes.get(node)?.inventory.hostname ?? node),
    addresses: job.allocation.map(({ node }) => state.nodes.get(node)?.inventory.address ?? ""),
    portOffset,
    array: arrayOf(job),
    ...hetOf(state, job, step),
    user,
    ...(isShared ? { isShared: true } : {}),
    partition: partitionName(state, job),
    submitAt: job.submitAt,
    allocation: [...job.allocation],
    limitS: job.limitS,
    startAt: job.startAt,
    clusterName,
    script,
    environment: decodeEnvironment(environment),
  };
}

/** Holders of steps, ended ones included: their output may still be waiting there. */
export function attachPointsOf(
  job: Job,
  steps: readonly Step[],
  sessions: Sessions,
  token: (key: StepKey) => string,
): AttachPoint[] {
  const points: AttachPoint[] = [];
  for (const step of steps) {
    const key = { jobId: job.id, attempt: job.attempt, stepId: step.id };
    const hasTerminal = (step.spec ?? job.spec).pty !== null;
    // A script's streams are files, unless it has a terminal.
    if (step.id === "batch" && !hasTerminal) continue;
    for (const { node, tasks } of step.parts) {
      const session = sessions.get(node);
      if (!session) continue;
      const socket = holderSocketFor(sharedSocketOf(session, job), key, hasTerminal);
      const away = session.caller ? { isAway: true } : {};
      points.push({ key, node, socket, ...holderOwnerOf(session, job), token: token(key), tasks: [...tasks], ...away });
    }
  }
  return points;
}

/** Where the shared holder of a job's user listens on a node. */
export function sharedSocketOf(session: Pick<Session, "registration">, job: Job): string {
  const { socket } = session.registration.holder;
  return holderOwnerOf(session, job).owner === undefined ? socket : userSocketOf(socket, job.spec.user);
}

/** As whom the holders of a job run on a node, where that is not the daemon's user: their sockets must be that user's. */
export function holderOwnerOf(
  { registration: { holder } }: Pick<Session, "registration">,
  { spec: { user } }: Job,
): Pick<Address, "owner"> {
  return holder.perUser && user.uid !== 0 ? { owner: user.uid } : {};
}

/** The part of a specification that says what runs. */
function programOf(spec: ProgramSpec): NodeLaunch["program"] {
  const { name, workDir, io, argv, programs, pty, umask, rlimits, distribution, gpuBind } = spec;
  return {
    ...{ name, workDir, io, pty, umask },
    argv: [...argv],
    programs: programs.map((program) => ({ task: program.task, argv: [...program.argv] })),
    rlimits: { ...rlimits },
    ...{ distribution, gpuBind },
    ...(spec.cpuBind === undefined ? {} : { cpuBind: spec.cpuBind }),
    ...(spec.taskProlog === undefined ? {} : { taskProlog: spec.taskProlog }),
    ...(spec.taskEpilog === undefined ? {} : { taskEpilog: spec.taskEpilog }),
    ...(spec.activation === undefined ? {} : { activation: spec.activation }),
  };
}

/** What a component of a heterogeneous job must know of the others. */
function hetOf(state: ClusterState, job: RunningJob, step: Step): Pick<NodeLaunch, "het"> {
  if (!job.spec.het) return {};
  const running = componentsOf(state, job).filter((one) => one.state === "RUNNING");
  const variables = hetVariables(running.map((one) => ({ job: one, partition: partitionName(state, one) })));
  if (!step.het) return { het: { variables } };
  const { jobIds, firstTask } = step.het;
  const counts = new Map<string, number>();
  for (const jobId of jobIds) {
    const host = state.jobs.get(jobId);
    const part = host && host.state !== "PENDING" ? host.steps.find(({ id }) => id === step.id) : undefined;
    for (const { node, tasks } of part?.parts ?? []) counts.set(node, (counts.get(node) ?? 0) + tasks.length);
  }
  const nodes = [...counts].map(([node, tasks]) => {
    const { hostname = node, address = "" } = state.nodes.get(node)?.inventory ?? {};
    return { node, hostname, address, tasks };
  });
  return { het: { variables, whole: { firstTask, nodes } } };
}

function arrayOf({ array, spec }: Job): NodeLaunch["array"] {
  const taskId = array && firstTask(array.tasks);
  if (!array || !spec.array || taskId === null || taskId === undefined) return null;
  const { tasks } = spec.array;
  const step = tasks.length === 1 ? (tasks[0]?.step ?? 1) : 1;
  return {
    jobId: array.jobId,
    taskId,
    count: Math.max(1, taskCount(tasks)),
    min: firstTask(tasks) ?? 0,
    max: lastTask(tasks) ?? 0,
    step,
  };
}
