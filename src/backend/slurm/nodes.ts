/**
 * Nodes of `scontrol show node -d -o` as mgpu's rows. Text rather than JSON: which command gives nodes as JSON, and in
 * which shape, changed between 22.05, 23.02 and 23.11; these lines have been the same since 14.11. Pure.
 */

import { type Gpu, type NodeUsage, WHOLE_GPU } from "../../core/resources.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import { ANY_TYPE, indicesOf, nodeGres } from "./gres.ts";

/** Words of a line: a key is a word with a capital and an equals sign behind a blank. */
export type Pairs = ReadonlyMap<string, string>;

/** The state of a node with flags: `IDLE+DRAIN*`. */
const FLAGS: Readonly<Record<string, string>> = { DRAINED: "DRAIN", DRAINING: "DRAIN", RESERVATION: "RESERVED" };

const AWAY = /^(DOWN|UNKNOWN|FUTURE|ERROR|FAIL)$/;

/** The pairs of a line of `scontrol -o`. Values may have blanks and equals signs (`Reason`, `OS`, `Comment`). */
export function pairsOf(line: string): Pairs {
  const pairs = new Map<string, string>();
  for (const [, key = "", value = ""] of line.matchAll(/(?:^|\s)([A-Z][\w/:]*)=(.*?)(?=\s+[A-Z][\w/:]*=|$)/g)) {
    if (!pairs.has(key)) pairs.set(key, /^(\(null\)|N\/A|n\/a|n\/s|None)$/.test(value.trim()) ? "" : value.trim());
  }
  return pairs;
}

/** Seconds since 1970, as SLURM_TIME_FORMAT=%s has them printed, as milliseconds; 0 for none. */
export function epochMs(text: string | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) * 1000 : 0;
}

/** The rows of all nodes. */
export function nodeRows(text: string, nowMs: number): NodeRow[] {
  const lines = text.split("\n").filter((line) => line.startsWith("NodeName="));
  return lines.map((line) => nodeRow(pairsOf(line), nowMs));
}

function nodeRow(pairs: Pairs, nowMs: number): NodeRow {
  const [base = "UNKNOWN", ...flags] = (pairs.get("State") ?? "").replace(/[*~#!%$@^-]/g, "").split("+");
  const isAway = AWAY.test(base) || /\*/.test(pairs.get("State") ?? "");
  const words = flags.map((flag) => FLAGS[flag] ?? flag);
  const gpus = gpusOf(pairs);
  const [reason = "", by = "", at = ""] = reasonOf(pairs.get("Reason") ?? "");
  const number = (key: string): number => Math.max(0, Number.parseInt(pairs.get(key) ?? "", 10) || 0);
  const cpus = number("CPUTot") || 1;
  const name = pairs.get("NodeName") ?? "";
  return {
    name,
    state: stateOf(base, words),
    reason,
    connected: !isAway,
    partitions: listOf(pairs.get("Partitions")),
    inventory: {
      hostname: pairs.get("NodeHostName") || name,
      cpus,
      memoryMiB: number("RealMemory"),
      gpus,
      gpuProvider: gpus.length > 0 ? "slurm" : "none",
      gpuProblem: null,
      bootId: pairs.get("BootTime") ?? "",
      os: pairs.get("OS") ?? "",
      arch: pairs.get("Arch") ?? "",
      features: listOf(pairs.get("AvailableFeatures")),
      version: pairs.get("Version") ?? "",
    },
    usage: usageOf(pairs, gpus),
    flags: words,
    reasonAt: epochMs(at),
    reasonBy: by,
    weight: number("Weight"),
    comment: pairs.get("Comment") ?? "",
    extra: pairs.get("Extra") ?? "",
    features: listOf(pairs.get("AvailableFeatures")),
    activeFeatures: listOf(pairs.get("ActiveFeatures")),
    startedAt: epochMs(pairs.get("SlurmdStartTime")),
    lastBusyAt: epochMs(pairs.get("LastBusyTime")),
    ...(isAway ? {} : { vitals: vitalsOf(pairs, nowMs) }),
  };
}

/** Slurm's two words for what is drained: with jobs and without. */
function stateOf(base: string, flags: readonly string[]): string {
  if (!flags.includes("DRAIN") || AWAY.test(base)) return base;
  return base === "IDLE" ? "DRAINED" : "DRAINING";
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((word) => word !== "");
}

/** `broken fan [root@1795361228]` */
function reasonOf(text: string): string[] {
  const [, reason, by, at] = /^(.*?)(?:\s*\[([^@\]]*)@([^\]]*)\])?$/s.exec(text) ?? [];
  return [reason ?? "", by ?? "", at ?? ""];
}

/** Slurm tells how many there are of which type, in the order of their numbers. */
function gpusOf(pairs: Pairs): Gpu[] {
  const kinds = nodeGres(pairs.get("Gres") ?? "").filter(({ kind }) => kind === "gpu");
  return kinds
    .flatMap(({ type, count }) => Array.from({ length: count }, () => type ?? ANY_TYPE))
    .map((type, index) => ({ index, uuid: `${pairs.get("NodeName")}-gpu${index}`, model: type, type, memoryMiB: 0 }));
}

/** Which of them are in use; the first ones where Slurm tells only how many. */
function usageOf(pairs: Pairs, gpus: readonly Gpu[]): NodeUsage {
  const used: Record<number, number> = {};
  for (const { kind, type, count, indices } of nodeGres(pairs.get("GresUsed") ?? "")) {
    if (kind !== "gpu") continue;
    const named = indicesOf(indices);
    const fitting = gpus.filter((gpu) => type === null || gpu.type === type).map(({ index }) => index);
    for (const index of named.length > 0 ? named : fitting.slice(0, count)) used[index] = WHOLE_GPU;
  }
  const number = (key: string): number => Math.max(0, Number.parseInt(pairs.get(key) ?? "", 10) || 0);
  return { cpus: number("CPUAlloc"), memoryMiB: number("AllocMem"), gpus: used };
}

function vitalsOf(pairs: Pairs, nowMs: number): NonNullable<NodeRow["vitals"]> {
  const number = (key: string): number => Math.max(0, Number.parseFloat(pairs.get(key) ?? "") || 0);
  return {
    loadCenti: Math.round(number("CPULoad") * 100),
    freeMemoryMiB: number("FreeMem"),
    bootAt: epochMs(pairs.get("BootTime")),
    sockets: number("Sockets"),
    coresPerSocket: number("CoresPerSocket"),
    threadsPerCore: number("ThreadsPerCore"),
    now: nowMs,
  };
}
