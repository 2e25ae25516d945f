/** A partition as `scontrol show partition` prints it. Keys and order are those of Slurm 22.05. */

import { fold } from "../core/hostlist.ts";
import type { PartitionRow } from "../protocol/procedures.ts";
import { formatMemory } from "./amounts.ts";
import { clockTime, orUnset, type Pair, type RecordLines, UNSET } from "./record-text.ts";

const UNLIMITED_TEXT = "UNLIMITED";

/** The record's pairs, by line. */
export function partitionRecord(partition: PartitionRow): RecordLines {
  const { qos, maxTimeS, defaultTimeS } = partition;
  return [
    [["PartitionName", partition.name]],
    accessPairs(partition),
    [
      ["AllocNodes", "ALL"],
      ["Default", yesNo(partition.isDefault)],
      ["QoS", qos ?? "N/A"],
    ],
    [
      ["DefaultTime", defaultTimeS === 0 ? "NONE" : clockTime(defaultTimeS)],
      ["DisableRootJobs", yesNo(partition.refusesRoot)],
      ["ExclusiveUser", "NO"],
      ["GraceTime", partition.graceTimeS],
      ["Hidden", yesNo(partition.isHidden)],
    ],
    [
      ["MaxNodes", limit(partition.maxNodes)],
      ["MaxTime", maxTimeS === 0 ? UNLIMITED_TEXT : clockTime(maxTimeS)],
      ["MinNodes", partition.minNodes],
      ["LLN", "NO"],
      ["MaxCPUsPerNode", limit(partition.maxCpusPerNode)],
    ],
    [["Nodes", orUnset(fold(partition.members))]],
    [
      ["PriorityJobFactor", partition.priorityJobFactor],
      ["PriorityTier", partition.priorityTier],
      ["RootOnly", yesNo(partition.isRootOnly)],
      ["ReqResv", yesNo(partition.needsReservation)],
      ["OverSubscribe", partition.isExclusive ? "EXCLUSIVE" : "NO"],
    ],
    [
      ["OverTimeLimit", "NONE"],
      ["PreemptMode", (partition.preemptMode ?? "off").toUpperCase()],
    ],
    [
      ["State", partition.state],
      ["TotalCPUs", partition.cpus],
      ["TotalNodes", partition.members.length],
      ["SelectTypeParameters", "NONE"],
    ],
    [["JobDefaults", orUnset(jobDefaults(partition))]],
    [memoryPair("Def", partition.defaultMemory), memoryPair("Max", partition.maxMemory)],
    [["TRES", partitionTres(partition)]],
  ];
}

/** `DefCpuPerGPU=2,DefMemPerGPU=1000`; empty for none. */
export function jobDefaults({ cpusPerGpu, memoryPerGpuMiB }: PartitionRow): string {
  const words = [];
  if (cpusPerGpu > 0) words.push(`DefCpuPerGPU=${cpusPerGpu}`);
  if (memoryPerGpuMiB > 0) words.push(`DefMemPerGPU=${memoryPerGpuMiB}`);
  return words.join(",");
}

/** `cpu=32,mem=16000M,node=4,billing=32,gres/gpu=8`; `(null)` without nodes. */
export function partitionTres({ cpus, memoryMiB, members, gpus }: PartitionRow): string {
  if (members.length === 0) return UNSET;
  const gpuText = gpus > 0 ? `,gres/gpu=${gpus}` : "";
  return `cpu=${cpus},mem=${formatMemory(memoryMiB)},node=${members.length},billing=${cpus}${gpuText}`;
}

function accessPairs({ allowAccounts, denyAccounts, allowQos, denyQos }: PartitionRow): Pair[] {
  return [
    ["AllowGroups", "ALL"],
    accessPair("Accounts", allowAccounts, denyAccounts),
    accessPair("Qos", allowQos, denyQos),
  ];
}

function accessPair(what: string, allowed: readonly string[] | null, denied: readonly string[]): Pair {
  if (allowed !== null) return [`Allow${what}`, allowed.join(",")];
  return denied.length > 0 ? [`Deny${what}`, denied.join(",")] : [`Allow${what}`, "ALL"];
}

function memoryPair(prefix: string, memory: PartitionRow["maxMemory"]): Pair {
  return [`${prefix}MemPer${memory?.per === "cpu" ? "CPU" : "Node"}`, memory?.mib ?? UNLIMITED_TEXT];
}

function limit(count: number): string | number {
  return count === 0 ? UNLIMITED_TEXT : count;
}

function yesNo(value: boolean): string {
  return value ? "YES" : "NO";
}
