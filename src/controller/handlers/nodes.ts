/** nodes.list */

import { holdsNode } from "../../core/partition.ts";
import { isActive } from "../../core/reservation.ts";
import type { ClusterState } from "../../core/state.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { toNodeRow } from "../../view/node-row.ts";
import type { ControllerContext } from "../context.ts";

/** Every node that ever registered, by name. */
export function nodesHandler({ loop, sessions, guard, clock }: ControllerContext): UnaryHandler<"nodes.list"> {
  return () => {
    const { state } = loop;
    const now = clock.now();
    const lastBusy = lastBusyTimes(state, now);
    const nodes = [...state.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      nodes: nodes.map((node) => {
        const session = sessions.get(node.name);
        const facts = {
          startedAt: session?.registration.startedAt ?? 0,
          lastBusyAt: lastBusy.get(node.name) ?? 0,
          reserved: reservedAs(state, node.name, now),
          blockedGpus: guard.blockedOn(node.name),
        };
        const partitions = [...state.partitions.values()].filter((partition) => holdsNode(partition, node.name));
        const names = partitions.map(({ name }) => name);
        const vitals = sessions.vitalsOf(node.name);
        const clockOffsetMs = sessions.clockOffsetOf(node.name);
        const told = { ...(vitals && { vitals }), ...(clockOffsetMs !== undefined && { clockOffsetMs }) };
        return { ...toNodeRow(node, session !== undefined, names, facts), ...told };
      }),
      now,
    };
  };
}

/** What a reservation that holds now makes of a node. */
function reservedAs({ reservations }: ClusterState, node: string, now: number): "RESERVED" | "MAINT" | null {
  const here = [...reservations.values()].filter((one) => isActive(one, now) && one.nodes.includes(node));
  if (here.length === 0) return null;
  return here.some(({ flags }) => flags.includes("MAINT")) ? "MAINT" : "RESERVED";
}

/** When something last ran on each node, as far as the jobs in memory tell. */
function lastBusyTimes(state: ClusterState, now: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const job of state.jobs.values()) {
    if (job.allocation.length === 0) continue;
    const at = "endAt" in job && job.cleanup.length === 0 ? job.endAt : now;
    for (const { node } of job.allocation) times.set(node, Math.max(at, times.get(node) ?? 0));
  }
  return times;
}
