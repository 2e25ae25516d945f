/**
 * Rows of sinfo: nodes of a partition whose printed values are equal stand in one row.
 *
 * What is counted (nodes, CPUs by state) is summed over a row's nodes and never splits it.
 */

import type { Partition } from "../core/partition.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import { nodeStateRank } from "./node-states.ts";
import type { Column } from "./printf.ts";

/** One row: nodes that look alike. A partition without nodes has a row too. */
export interface NodeGroup {
  readonly partition: Partition;
  readonly nodes: readonly NodeRow[];
}

export interface NodeColumn extends Column<NodeGroup> {
  /**
   * - `split`: nodes that differ here stand in different rows
   * - `range`: they share a row, which shows the least value and a plus sign, unless exact rows are asked for
   * - `sum`: the row shows a total or a list
   */
  readonly kind: "split" | "range" | "sum";
  /** Set if it names the partition: then partitions have rows of their own, empty ones too. */
  readonly namesPartition?: true;
}

export interface GroupOptions {
  /** A row for each node and partition, by node name. */
  readonly isPerNode: boolean;
  /** Differences in CPUs, memory and the like split rows. */
  readonly isExact: boolean;
}

/** The rows for some columns: partitions in the order given, then higher states first, then names. */
export function groupNodes(
  partitions: readonly Partition[],
  nodes: readonly NodeRow[],
  columns: readonly NodeColumn[],
  options: GroupOptions,
): NodeGroup[] {
  const splitting = columns.filter(({ kind }) => kind === "split" || (kind === "range" && options.isExact));
  const hasPartitions = columns.some(({ namesPartition }) => namesPartition);
  const ordered = [...nodes].sort(compareNodeNames);
  const singles = singleGroups(partitions, ordered, hasPartitions && !options.isPerNode);
  if (options.isPerNode) {
    return singles.sort((one, other) => compareNames(nameOf(one), nameOf(other)));
  }
  const groups = new Map<string, { partition: Partition; nodes: Map<string, NodeRow> }>();
  for (const single of singles) {
    const key = JSON.stringify(splitting.map((column) => column.text(single)));
    const group = groups.get(key) ?? { partition: single.partition, nodes: new Map() };
    for (const node of single.nodes) group.nodes.set(node.name, node);
    groups.set(key, group);
  }
  const order = new Map(partitions.map(({ name }, index) => [name, index]));
  const rank = ({ partition }: NodeGroup): number => (hasPartitions ? (order.get(partition.name) ?? 0) : 0);
  return [...groups.values()]
    .map(({ partition, nodes: members }) => ({ partition, nodes: [...members.values()] }))
    .sort((one, other) => rank(one) - rank(other) || stateRank(other) - stateRank(one));
}

/** Compares names so that `n2` comes before `n10`. */
export function compareNames(one: string, other: string): number {
  const [, prefix = "", digits = ""] = /^(.*?)(\d*)$/s.exec(one) ?? [];
  const [, otherPrefix = "", otherDigits = ""] = /^(.*?)(\d*)$/s.exec(other) ?? [];
  if (prefix !== otherPrefix) return prefix < otherPrefix ? -1 : 1;
  return Number(digits) - Number(otherDigits) || digits.length - otherDigits.length;
}

function compareNodeNames(one: NodeRow, other: NodeRow): number {
  return compareNames(one.name, other.name);
}

function singleGroups(partitions: readonly Partition[], nodes: readonly NodeRow[], keepEmpty: boolean): NodeGroup[] {
  return partitions.flatMap((partition): NodeGroup[] => {
    const members = nodes.filter((node) => node.partitions.includes(partition.name));
    if (members.length === 0) return keepEmpty ? [{ partition, nodes: [] }] : [];
    return members.map((node) => ({ partition, nodes: [node] }));
  });
}

function nameOf({ nodes: [first] }: NodeGroup): string {
  return first?.name ?? "";
}

function stateRank({ nodes: [first] }: NodeGroup): number {
  return first ? nodeStateRank(first) : 0;
}
