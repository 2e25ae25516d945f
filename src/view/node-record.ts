/** A node as `scontrol show node` prints it. Keys and order are those of Slurm 22.05. */

import { formatGpus } from "../core/resources.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import { formatRanges } from "../util/ranges.ts";
import { formatMemory } from "./amounts.ts";
import { clockOffsetText } from "./clock-offset.ts";
import { topologyOf } from "./node-topology.ts";
import { moment, orUnset, type Pair, type RecordLines, type RecordTime } from "./record-text.ts";

/** The record's pairs, by line. `details` adds which GPUs are granted. */
export function nodeRecord(node: NodeRow, details: boolean, time: RecordTime): RecordLines {
  const { inventory, usage, vitals } = node;
  const topology = topologyOf(node);
  return [
    [
      ["NodeName", node.name],
      ["Arch", inventory.arch],
      ["CoresPerSocket", topology.coresPerSocket],
    ],
    [
      ["CPUAlloc", usage.cpus],
      ["CPUEfctv", inventory.cpus],
      ["CPUTot", inventory.cpus],
      ["CPULoad", vitals ? (vitals.loadCenti / 100).toFixed(2) : "N/A"],
    ],
    [["AvailableFeatures", orUnset(node.features.join(","))]],
    [["ActiveFeatures", orUnset(node.activeFeatures.join(","))]],
    [["Gres", orUnset(nodeGres(node))]],
    ...(details ? detailLines(node) : []),
    [
      ["NodeAddr", inventory.address ?? inventory.hostname],
      ["NodeHostName", inventory.hostname],
      // Node daemons dial the controller and listen nowhere.
      ["Port", 0],
      ["Version", inventory.version],
    ],
    [["OS", inventory.os]],
    [
      ["RealMemory", inventory.memoryMiB],
      ["AllocMem", usage.memoryMiB],
      ["FreeMem", vitals?.freeMemoryMiB ?? "N/A"],
      ["Sockets", topology.sockets],
      ["Boards", 1],
    ],
    [
      ["State", nodeStateWords(node).join("+")],
      ["ThreadsPerCore", topology.threadsPerCore],
      ["TmpDisk", 0],
      ["Weight", node.weight],
      ["Owner", "N/A"],
      ["MCS_label", "N/A"],
    ],
    ...(node.partitions.length > 0 ? [[["Partitions", node.partitions.join(",")] as const]] : []),
    ...timeLines(node, time),
    [["CfgTRES", nodeTres(inventory.cpus, inventory.memoryMiB, inventory.gpus.length * 1000)]],
    [["AllocTRES", usage.cpus === 0 ? "" : nodeTres(usage.cpus, usage.memoryMiB, grantedThousandths(node))]],
    ...(inventory.memoryLimits === undefined ? [] : [[["MemoryLimits", inventory.memoryLimits] as const]]),
    ...(node.reason === "" ? [] : [[["Reason", reasonText(node, time)] as const]]),
    ...(node.closedGpus ? [[["ClosedGPUs", closedText(node)] as const]] : []),
    ...(node.comment === "" ? [] : [[["Comment", node.comment] as const]]),
    ...(node.extra === "" ? [] : [[["Extra", node.extra] as const]]),
  ];
}

function timeLines(node: NodeRow, time: RecordTime): RecordLines {
  // What the node tells by its own clock is told here by ours.
  const at = (value: number): string => (value === 0 ? "None" : moment(value - (node.clockOffsetMs ?? 0), time));
  const offset = clockOffsetText(node.clockOffsetMs);
  return [
    [
      ["BootTime", at(node.vitals?.bootAt ?? 0)],
      ["SlurmdStartTime", at(node.startedAt)],
    ],
    [
      ["LastBusyTime", node.lastBusyAt === 0 ? "None" : moment(node.lastBusyAt, time)],
      ...(offset === "" ? [] : [["ClockOffset", offset] as const]),
    ],
  ];
}

/** Base state and flags: `IDLE`, `MIXED`, `DRAIN`. */
export function nodeStateWords({ state, usage, inventory, flags }: NodeRow): string[] {
  const isBusy = usage.cpus > 0 || usage.memoryMiB > 0 || Object.keys(usage.gpus).length > 0;
  const busy = usage.cpus >= inventory.cpus ? "ALLOCATED" : "MIXED";
  return [state === "DOWN" ? "DOWN" : isBusy ? busy : "IDLE", ...flags];
}

/** `gpu:1 paused: fan; gpu:2 processes of others ...`: GPUs that get no new jobs; empty for none. */
export function closedText({ closedGpus = {} }: NodeRow): string {
  return Object.entries(closedGpus)
    .map(([index, why]) => `gpu:${index} ${why}`)
    .join("; ");
}

/** `gpu:4`, `gpu:a100:4,gpu:t4:1`; empty without GPUs. */
export function nodeGres({ inventory: { gpus } }: NodeRow): string {
  const types = [...new Set(gpus.map(({ type }) => type))];
  return types
    .map((type) => `gpu:${type === "" ? "" : `${type}:`}${gpus.filter((gpu) => gpu.type === type).length}`)
    .join(",");
}

/** `gpu:a100:2(IDX:0-1)`; `gpu:0` where nothing is granted, empty without GPUs. */
export function nodeGresUsed({ inventory: { gpus }, usage }: NodeRow): string {
  const types = [...new Set(gpus.map(({ type }) => type))];
  return types
    .map((type) => {
      const used = gpus.filter((gpu) => gpu.type === type && (usage.gpus[gpu.index] ?? 0) > 0);
      const sum = used.reduce((total, { index }) => total + (usage.gpus[index] ?? 0), 0);
      const where = used.length === 0 ? "N/A" : formatRanges(used.map(({ index }) => index));
      return `gpu:${type === "" ? "" : `${type}:`}${formatGpus(sum)}(IDX:${where})`;
    })
    .join(",");
}

/** `cpu=8,mem=64000M,billing=8,gres/gpu=4`; GPUs in thousandths. */
export function nodeTres(cpus: number, memoryMiB: number, gpus: number): string {
  const words = [`cpu=${cpus}`];
  if (memoryMiB > 0) words.push(`mem=${formatMemory(memoryMiB)}`);
  if (cpus > 0) words.push(`billing=${cpus}`);
  if (gpus > 0) words.push(`gres/gpu=${formatGpus(gpus)}`);
  return words.join(",");
}

/** GPUs in use on a node, in thousandths. */
export function grantedThousandths({ usage }: NodeRow): number {
  return Object.values(usage.gpus).reduce((sum, thousandths) => sum + thousandths, 0);
}

function detailLines(node: NodeRow): readonly (readonly Pair[])[] {
  return [[["GresDrain", "N/A"]], [["GresUsed", orUnset(nodeGresUsed(node))]]];
}

/** `bad disk [root@2026-11-22T05:51:37]`. */
function reasonText({ reason, reasonBy, reasonAt }: NodeRow, time: RecordTime): string {
  return `${reason} [${reasonBy === "" ? "slurm" : reasonBy}@${moment(reasonAt, time)}]`;
}
