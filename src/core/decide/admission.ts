/** What a partition says to a job that wants in: who may, which limits there are, what is given to those who say nothing. */

import { type JobSpec, UNLIMITED } from "../jobspec.ts";
import type { Partition } from "../partition.ts";
import { mayUse } from "../reservation.ts";
import type { MemoryRequest } from "../resources.ts";
import type { ClusterState } from "../state.ts";
import { deny, type Refusal } from "./decision.ts";

/** Who may not use a partition, and what state of it lets nobody in. */
export function accessProblem(partition: Partition, { user, account, qos, reservation }: JobSpec): Refusal | null {
  const { name, state } = partition;
  if (state === "DRAIN" || state === "INACTIVE") {
    const words = "Required partition not available (inactive or drain)";
    return deny("PARTITION_UNAVAILABLE", words, `partition ${name} is in state ${state}`);
  }
  const refuse = (hint: string): Refusal => deny("PERMISSION", "Access/permission denied", hint);
  if (partition.isRootOnly && user.uid !== 0) return refuse(`only root may use partition ${name}`);
  if (partition.refusesRoot && user.uid === 0) return refuse(`root may not use partition ${name}`);
  if (partition.needsReservation && reservation === null) {
    return refuse(`partition ${name} takes only jobs that name a reservation (--reservation)`);
  }
  if (!isAllowed(account, partition.allowAccounts, partition.denyAccounts)) {
    const words = "Invalid account or account/partition combination specified";
    return deny("INVALID_ACCOUNT", words, listHint(name, "accounts", partition.allowAccounts, partition.denyAccounts));
  }
  if (isAllowed(qos, partition.allowQos, partition.denyQos)) return null;
  const hint = listHint(name, "QOS", partition.allowQos, partition.denyQos);
  return deny("INVALID_QOS", "Invalid qos specification", hint);
}

function isAllowed(own: string | null, allowed: readonly string[] | null, denied: readonly string[]): boolean {
  if (allowed !== null) return own !== null && allowed.includes(own);
  return own === null || !denied.includes(own);
}

function listHint(name: string, what: string, allowed: readonly string[] | null, denied: readonly string[]): string {
  if (allowed !== null) return `partition ${name} is for the ${what} ${allowed.join(", ") || "(none)"} only`;
  return `partition ${name} is not for the ${what} ${denied.join(", ")}`;
}

/** Slurm's reason for a job that a partition's limits keep waiting, with what they are; `null` for none. */
export function partitionLimit(
  spec: Pick<JobSpec, "request" | "timeLimitS" | "timeMinS">,
  partition: Partition,
): {
  readonly word: "PartitionTimeLimit" | "PartitionNodeLimit" | "MaxMemPerLimit";
  readonly text: string;
} | null {
  const { name, maxTimeS, minNodes, maxNodes, maxMemory } = partition;
  const least = spec.timeMinS ?? spec.timeLimitS;
  if (exceeds(least, maxTimeS)) {
    const text = `partition ${name} allows at most ${Math.floor(maxTimeS / 60)} minutes`;
    return { word: "PartitionTimeLimit", text };
  }
  const { nodes, memory, cpusPerTask } = spec.request;
  if (nodes && maxNodes > 0 && nodes.min > maxNodes) {
    return { word: "PartitionNodeLimit", text: `partition ${name} allows at most ${maxNodes} nodes` };
  }
  if (nodes && nodes.max < minNodes) {
    return { word: "PartitionNodeLimit", text: `partition ${name} wants at least ${minNodes} nodes` };
  }
  if (!maxMemory || !memory || memory.per === "gpu") return null;
  const cpus = cpusPerTask ?? 1;
  const asked =
    memory.per === maxMemory.per ? memory.mib : memory.per === "cpu" ? memory.mib * cpus : memory.mib / cpus;
  if (asked <= maxMemory.mib) return null;
  return { word: "MaxMemPerLimit", text: `partition ${name} allows at most ${maxMemory.mib} MiB per ${maxMemory.per}` };
}

/** The job with what its partition gives to those that say nothing. */
export function withDefaults(spec: JobSpec, partition: Partition): JobSpec {
  const { request } = spec;
  const { defaultMemory, cpusPerGpu, memoryPerGpuMiB } = partition;
  const hasGpus = request.gpus !== null && request.gpus.wishes.length > 0;
  const perGpu: MemoryRequest | null = hasGpus && memoryPerGpuMiB > 0 ? { per: "gpu", mib: memoryPerGpuMiB } : null;
  const memory = request.memory ?? perGpu ?? defaultMemory;
  const needsCpus = hasGpus && request.cpusPerGpu === 0 && request.cpusPerTask === null && cpusPerGpu > 0;
  if (memory === request.memory && !needsCpus) return spec;
  return { ...spec, request: { ...request, memory, ...(needsCpus ? { cpusPerGpu } : {}) } };
}

/** Whether a time limit is above a partition's. Seconds; 0 for no limit, `null` for none given. */
export function exceeds(limitS: number | null, maxS: number): boolean {
  if (maxS === UNLIMITED || limitS === null) return false;
  return limitS === UNLIMITED || limitS > maxS;
}

/** Whether a job may be sent to the reservation that it names. */
export function reservationProblem({ reservations }: ClusterState, spec: JobSpec): Refusal | null {
  if (spec.reservation === null) return null;
  const reservation = reservations.get(spec.reservation);
  if (!reservation) {
    const names = [...reservations.keys()].join(", ");
    const hint = names === "" ? "there is no reservation here" : `reservations here: ${names}`;
    return deny("INVALID_RESERVATION", "Requested reservation is invalid", hint);
  }
  if (mayUse(reservation, spec)) return null;
  const hint = `reservation ${reservation.name} is for ${[...reservation.users, ...reservation.accounts].join(", ")}`;
  return deny("RESERVATION_ACCESS", "Access denied to requested reservation", hint);
}
