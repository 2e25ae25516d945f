/** A node as sinfo lists it: one record, made by the controller, the same for tables and JSON. */

import { activeFeatures, availableFeatures, closedGpusOf, type Node, nodeState, weightOf } from "../core/node.ts";
import type { NodeRow } from "../protocol/procedures.ts";

/** What the node's record alone does not tell. */
export interface NodeFacts {
  /** When its daemon started and something last ran there: milliseconds since 1970, 0 if not known. */
  readonly startedAt: number;
  readonly lastBusyAt: number;
  /** Set while a reservation holds on it. */
  readonly reserved?: "RESERVED" | "MAINT" | null;
  /** GPUs that processes of others load too much, with the reason, by index. */
  readonly blockedGpus?: Readonly<Record<string, string>> | undefined;
}

const NO_FACTS: NodeFacts = { startedAt: 0, lastBusyAt: 0 };

/**
 * The node's row.
 * @param connected whether its daemon is connected right now
 * @param partitions names of the partitions that it belongs to
 */
export function toNodeRow(
  node: Node,
  connected: boolean,
  partitions: readonly string[],
  { startedAt, lastBusyAt, reserved = null, blockedGpus }: NodeFacts = NO_FACTS,
): NodeRow {
  const { inventory, usage, settings } = node;
  const mark = node.down ?? node.drain;
  const state = nodeState(node);
  const closed = closedGpusOf(node, blockedGpus);
  return {
    name: node.name,
    state: state === "IDLE" && reserved ? reserved : state,
    reason: mark?.reason ?? "",
    connected,
    partitions: [...partitions],
    inventory: { ...inventory },
    usage: { ...usage },
    flags: [...(reserved ? [reserved] : []), ...flagsOf(node, connected)],
    reasonAt: mark?.at ?? 0,
    reasonBy: mark?.by?.name ?? "",
    ...(mark?.by && { reasonUid: mark.by.uid }),
    weight: weightOf(node),
    comment: settings?.comment ?? "",
    extra: settings?.extra ?? "",
    features: [...availableFeatures(node)],
    activeFeatures: [...activeFeatures(node)],
    ...(Object.keys(closed).length > 0 && { closedGpus: closed }),
    ...(settings?.pausedGpus && { pausedGpus: settings.pausedGpus }),
    ...(blockedGpus && { blockedGpus }),
    startedAt,
    lastBusyAt,
  };
}

/** Slurm's flags, in the order in which it prints them behind the base state. */
function flagsOf({ drain }: Node, connected: boolean): string[] {
  return [...(drain ? [drain.isFailing ? "FAIL" : "DRAIN"] : []), ...(connected ? [] : ["NOT_RESPONDING"])];
}
