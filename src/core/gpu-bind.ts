/**
 * Which of a node's GPUs each task sees (`--gpu-bind`), and which GPUs of which node a job gets (`--node-gpu-ids`).
 * Source of the first: Slurm's manual of srun. The second is mgpu's own.
 */

import { expand } from "./hostlist.ts";
import { expected, type Parsed } from "./parse.ts";
import { formatRepeats, parseRepeats } from "./repeats.ts";

/** How tasks are bound to GPUs, and whether each task reports its binding (`verbose,`). */
export type GpuBind = { readonly verbose: boolean } & (
  | { readonly kind: "none" | "closest" }
  /** One GPU a task; so many neighbouring tasks share one. */
  | { readonly kind: "single"; readonly tasksPerGpu: number }
  /** So many GPUs a task, in order. */
  | { readonly kind: "per_task"; readonly gpusPerTask: number }
  /** One index a task; the list starts over when tasks are left. */
  | { readonly kind: "map_gpu"; readonly indices: readonly number[] }
  /** The indices of one mask a task, ascending; the list starts over when tasks are left. */
  | { readonly kind: "mask_gpu"; readonly masks: readonly (readonly number[])[] }
);

/** Chosen GPUs of one node. */
export interface NodeGpuIds {
  readonly node: string;
  /** Positions on the node, ascending, each once. */
  readonly indices: readonly number[];
}

/** Highest position of a GPU on its node: far more than a machine holds, MIG instances included. */
const INDEX_MAX = 255;

/** Longest text that is read. */
const TEXT_MAX = 1_000_000;

/** Most nodes of one list. */
const NODES_MAX = 4096;

const KINDS = "none, closest, single:tasks, per_task:gpus, map_gpu:list or mask_gpu:list";

/** Reads `[verbose,]type`. Masks are hexadecimal, with or without `0x`; `map_gpu:0*4,1*4` repeats members. */
export function parseGpuBind(text: string): Parsed<GpuBind> {
  if (text.length > TEXT_MAX) return { problem: `expected at most ${TEXT_MAX} characters` };
  const verbose = /^v(?:erbose)?,/i.test(text);
  const rest = verbose ? text.slice(text.indexOf(",") + 1) : text;
  const [, word = "", list] = /^(\w+)(?::(.*))?$/.exec(rest) ?? [];
  const kind = word.toLowerCase();
  if (kind === "none" || kind === "closest") {
    return list === undefined ? { value: { verbose, kind } } : expected(KINDS, text);
  }
  if (list === undefined) return expected(KINDS, text);
  if (kind === "single" || kind === "per_task") {
    if (!/^[1-9]\d{0,5}$/.test(list)) return expected(`a count of at least 1 after ${kind}:`, list);
    const count = Number(list);
    return { value: kind === "single" ? { verbose, kind, tasksPerGpu: count } : { verbose, kind, gpusPerTask: count } };
  }
  if (kind === "map_gpu") {
    const indices = parseRepeats(list, parseIndex);
    return "problem" in indices ? indices : { value: { verbose, kind, indices: indices.value } };
  }
  if (kind !== "mask_gpu") return expected(KINDS, text);
  const masks = parseRepeats(list, parseMask);
  return "problem" in masks ? masks : { value: { verbose, kind, masks: masks.value } };
}

/** The inverse of {@link parseGpuBind}: `verbose,single:2`, `mask_gpu:0x3,0xc`. */
export function formatGpuBind(bind: GpuBind): string {
  return `${bind.verbose ? "verbose," : ""}${formatKind(bind)}`;
}

/** `node001:0,1;node002:0-3`: a node may be a node list (`node[001-002]:0`); each node once. */
export function parseNodeGpuIds(text: string): Parsed<readonly NodeGpuIds[]> {
  if (text.length > TEXT_MAX) return { problem: `expected at most ${TEXT_MAX} characters` };
  const chosen: NodeGpuIds[] = [];
  const seen = new Set<string>();
  for (const part of text.split(";")) {
    const [, nodeText, list = ""] = /^([^:]+):(.*)$/.exec(part) ?? [];
    const nodes = nodeText === undefined ? undefined : expand(nodeText);
    if (nodes === undefined) return expected("nodes and their GPUs such as node1:0,1;node2:0-3", part);
    const indices = parseIndices(list);
    if ("problem" in indices) return indices;
    for (const node of nodes) {
      if (seen.has(node)) return { problem: `node ${node} is named twice` };
      seen.add(node);
      chosen.push({ node, indices: indices.value });
      if (chosen.length > NODES_MAX) return { problem: `more than ${NODES_MAX} nodes` };
    }
  }
  return { value: chosen };
}

/** The inverse of {@link parseNodeGpuIds}: `node001:0,1;node002:0,1`. */
export function formatNodeGpuIds(chosen: readonly NodeGpuIds[]): string {
  return chosen.map(({ node, indices }) => `${node}:${indices.join(",")}`).join(";");
}

function formatKind(bind: GpuBind): string {
  switch (bind.kind) {
    case "none":
    case "closest":
      return bind.kind;
    case "single":
      return `single:${bind.tasksPerGpu}`;
    case "per_task":
      return `per_task:${bind.gpusPerTask}`;
    case "map_gpu":
      return `map_gpu:${formatRepeats(bind.indices.map(String))}`;
    case "mask_gpu":
      return `mask_gpu:${formatRepeats(bind.masks.map(formatMask))}`;
  }
}

/** `0,1` or `0-3`, at least one. */
function parseIndices(text: string): Parsed<readonly number[]> {
  const indices = new Set<number>();
  for (const part of text.split(",")) {
    const [, firstText = "", lastText = firstText] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const first = parseIndex(firstText);
    const last = parseIndex(lastText);
    if ("problem" in first) return expected("positions of GPUs such as 0,1 or 0-3", part);
    if ("problem" in last || last.value < first.value) return expected("positions of GPUs such as 0,1 or 0-3", part);
    for (let index = first.value; index <= last.value; index++) indices.add(index);
  }
  return { value: [...indices].sort((a, b) => a - b) };
}

function parseIndex(text: string): Parsed<number> {
  const index = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return index <= INDEX_MAX ? { value: index } : expected(`the position of a GPU from 0 to ${INDEX_MAX}`, text);
}

/** Positions of the bits of a hexadecimal mask. */
function parseMask(text: string): Parsed<readonly number[]> {
  const digits = /^(?:0x)?0*([0-9a-f]{1,64})$/i.exec(text)?.[1] ?? "";
  const indices: number[] = [];
  for (let at = 0; at < digits.length; at++) {
    const bits = Number.parseInt(digits.charAt(digits.length - 1 - at), 16);
    for (let bit = 0; bit < 4; bit++) if ((bits >> bit) & 1) indices.push(4 * at + bit);
  }
  return indices.length === 0 ? expected("a hexadecimal mask of GPUs such as 0x3", text) : { value: indices };
}

function formatMask(indices: readonly number[]): string {
  const digits: number[] = [];
  for (const index of indices) {
    const at = Math.floor(index / 4);
    while (digits.length <= at) digits.push(0);
    digits[at] = (digits[at] ?? 0) | (1 << (index % 4));
  }
  const text = digits.map((digit) => digit.toString(16));
  return `0x${text.reverse().join("")}`;
}
