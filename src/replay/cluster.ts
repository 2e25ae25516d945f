/** Clusters to replay on: `8x8`, `4x8x64:a100,16x2:t4`, a table of nodes, or the nodes of the present one; and changes of them. */

import type { Node, NodeInventory } from "../core/node.ts";
import { type Gpu, NO_USAGE } from "../core/resources.ts";
import { countOf } from "../util/plural.ts";
import { Problems, readRows } from "./readers/rows.ts";
import { ReplayError } from "./trace.ts";

/** Nodes of one kind. */
export interface NodeKind {
  readonly count: number;
  readonly gpus: number;
  /** `null` where CPUs don't matter. */
  readonly cpus: number | null;
  /** `null` where memory does not matter. */
  readonly memoryMiB: number | null;
  /** As jobs may ask for it; empty for none in particular. */
  readonly type: string;
}

/** What stands for so many that nobody runs out of them. */
const PLENTY = 1_000_000;

/** Most nodes of a simulated cluster, and GPUs of a node. */
const NODES_MAX = 20_000;
const GPUS_MAX = 1000;

const CPU_MILLI = 1000;

const HINT = "clusters look like 8x8 (nodes x GPUs), 1x0x128 (nodes x GPUs x CPUs) or 4x8:a100,16x2:t4";

/** Reads `NODESxGPUS[xCPUS][:TYPE],...`. @throws ReplayError */
export function parseCluster(text: string): Node[] {
  const kinds = text.split(",").map((part): NodeKind => {
    const found = /^(\d+)x(\d+)(?:x(\d+))?(?::([\w.-]+))?$/i.exec(part.trim());
    const [count, gpus, cpus] = [Number(found?.[1]), Number(found?.[2]), found?.[3]];
    const isSensible = count >= 1 && count <= NODES_MAX && gpus <= GPUS_MAX && (gpus > 0 || Number(cpus) > 0);
    if (!found || !isSensible) throw new ReplayError(`--cluster: no cluster is written "${part}"`, HINT);
    const type = (found[4] ?? "").toLowerCase();
    return { count, gpus, cpus: cpus === undefined ? null : Number(cpus), memoryMiB: null, type };
  });
  return nodesOf(kinds);
}

/** Nodes n1, n2, ... of these kinds, one kind after the other. @throws ReplayError if they are too many */
function nodesOf(kinds: readonly NodeKind[], first = 1): Node[] {
  const total = kinds.reduce((sum, { count }) => sum + count, 0);
  if (total > NODES_MAX)
    throw new ReplayError(`a cluster of ${total} nodes is too large`, `at most ${NODES_MAX} are simulated`);
  const nodes: Node[] = [];
  for (const kind of kinds) {
    for (let at = 0; at < kind.count; at++) nodes.push(nodeOf(`n${first + nodes.length}`, kind));
  }
  return nodes;
}

function nodeOf(name: string, { gpus, cpus, memoryMiB, type }: NodeKind, model = type): Node {
  const inventory: NodeInventory = {
    ...{ hostname: name, cpus: cpus ?? PLENTY, memoryMiB: memoryMiB ?? PLENTY * 1024, gpuProblem: null },
    ...{ gpuProvider: "fake", bootId: "", os: "", arch: "", version: "", features: model === "" ? [] : [model] },
    gpus: Array.from({ length: gpus }, (_, index): Gpu => {
      return { index, uuid: `${name}-${index}`, model, type: type === "" ? "gpu" : type, memoryMiB: PLENTY };
    }),
  };
  return { name, inventory, registeredAt: 0, usage: NO_USAGE, drain: null, down: null };
}

/**
 * Reads a table of nodes: `name,gpus[,cpus][,memory_mib][,type]`, or openb's `sn,cpu_milli,memory_mib,gpu,model`.
 * @param file its name, for problems
 * @throws ReplayError with the lines that can't be read
 */
export function readNodes(text: string, file: string): Node[] {
  const problems = new Problems(file);
  const header = new Set((text.split("\n")[0] ?? "").split(",").map((cell) => cell.trim()));
  const hint = "columns: name,gpus[,cpus][,memory_mib][,type], or openb's sn,cpu_milli,memory_mib,gpu,model";
  const isOpenb = header.has("sn") && header.has("gpu");
  if (!isOpenb && !(header.has("name") && header.has("gpus"))) {
    throw new ReplayError(`${file}, line 1: no table of nodes begins so`, hint);
  }
  const nodes: Node[] = [];
  for (const row of readRows(text, problems)) {
    const model = row.text(isOpenb ? "model" : "type");
    const cpus = isOpenb
      ? Math.round(row.amount("cpu_milli") / CPU_MILLI)
      : header.has("cpus")
        ? row.amount("cpus")
        : null;
    const memoryMiB = header.has("memory_mib") ? row.amount("memory_mib") : null;
    const kind = { count: 1, gpus: row.amount(isOpenb ? "gpu" : "gpus"), cpus, memoryMiB, type: model.toLowerCase() };
    if (kind.gpus > GPUS_MAX || !Number.isInteger(kind.gpus)) problems.add(row.line, `a node of ${kind.gpus} GPUs`);
    else nodes.push(nodeOf(row.text(isOpenb ? "sn" : "name") || `n${row.line - 1}`, kind, model));
  }
  problems.check(hint);
  if (nodes.length === 0) throw new ReplayError(`${file}: no node`, hint);
  return nodes;
}

/** A change of a cluster: `+2 nodes of 8`, `+1 node of 4 a100`, `-1 node`, `-2 nodes of 8`. */
export interface WhatIf {
  readonly text: string;
  readonly sign: 1 | -1;
  readonly count: number;
  /** GPUs of each; `null` for as many as the largest nodes have. */
  readonly gpus: number | null;
  readonly type: string;
}

/** Reads a change. @throws ReplayError */
export function parseWhatIf(text: string): WhatIf {
  const found = /^\s*([+-])\s*(\d+)\s*nodes?(?:\s+of\s+(\d+)(?:\s*(?:x\s*)?([a-z][\w.-]*))?)?\s*$/i.exec(text);
  const count = Number(found?.[2]);
  if (!found || count < 1 || count > NODES_MAX || Number(found[3] ?? 0) > GPUS_MAX) {
    throw new ReplayError(
      `--what-if: can't read "${text}"`,
      'changes look like "+2 nodes of 8", "+1 node of 4 a100" or "-1 node"',
    );
  }
  const type = (found[4] ?? "").toLowerCase();
  const gpus = found[3] === undefined ? null : Number(found[3]);
  return { text: text.trim(), sign: found[1] === "+" ? 1 : -1, count, gpus, type };
}

/** The cluster after a change. Nodes that go are the last of their kind. @throws ReplayError if there are not so many */
export function changeCluster(nodes: readonly Node[], { text, sign, count, gpus, type }: WhatIf): Node[] {
  const largest = nodes.reduce<Node | undefined>((best, one) => {
    return best && best.inventory.gpus.length >= one.inventory.gpus.length ? best : one;
  }, undefined);
  const wanted = gpus ?? largest?.inventory.gpus.length ?? 0;
  const fits = ({ inventory }: Node): boolean =>
    inventory.gpus.length === wanted && (type === "" || inventory.gpus[0]?.type === type);
  if (sign < 0) {
    const going = nodes.filter(fits).slice(-count);
    if (going.length < count || going.length === nodes.length) {
      const kind = `of ${wanted} GPUs${type === "" ? "" : ` (${type})`}`;
      throw new ReplayError(
        `--what-if: "${text}" is not possible: ${nodes.filter(fits).length} of ${nodes.length} nodes are ${kind}`,
        "one node at least must stay",
      );
    }
    return nodes.filter((node) => !going.includes(node));
  }
  // A new node is like those there are with as many GPUs.
  const model = nodes.find(fits) ?? largest;
  const names = new Set(nodes.map(({ name }) => name));
  const added: Node[] = [];
  for (let at = 1; added.length < count; at++) {
    const name = `new${at}`;
    if (names.has(name)) continue;
    const kind = {
      count: 1,
      gpus: wanted,
      cpus: model?.inventory.cpus ?? null,
      memoryMiB: model?.inventory.memoryMiB ?? null,
    };
    const modelName = type || model?.inventory.gpus[0]?.type || "";
    added.push(nodeOf(name, { ...kind, type: modelName }, model?.inventory.features[0] ?? modelName));
  }
  return [...nodes, ...added];
}

/** A cluster as it would be if nothing ran there and every node were in service. */
export function idle(nodes: readonly Node[]): Node[] {
  return nodes.map((node) => ({ ...node, usage: NO_USAGE, drain: null, down: null }));
}

/** Nodes that are filled one after the other, in the order given: first fit. */
export function inOrder(nodes: readonly Node[]): Node[] {
  return nodes.map((node, at) => ({ ...node, settings: { ...node.settings, weight: at + 1 } }));
}

/** `8 nodes, 64 GPUs`: a cluster in words. */
export function describeCluster(nodes: readonly Node[]): string {
  const gpus = nodes.reduce((sum, { inventory }) => sum + inventory.gpus.length, 0);
  const cpus = nodes.reduce((sum, { inventory }) => sum + inventory.cpus, 0);
  return `${countOf(nodes.length, "node")}, ${gpus > 0 ? countOf(gpus, "GPU") : countOf(cpus, "CPU")}`;
}
