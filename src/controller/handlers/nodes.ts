/** nodes.list and nodes.watch */

import type { NodeName } from "../../core/ids.ts";
import type { Node } from "../../core/node.ts";
import { holdsNode } from "../../core/partition.ts";
import { isActive } from "../../core/reservation.ts";
import type { ClusterState } from "../../core/state.ts";
import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import type { StreamHandler, UnaryHandler } from "../../rpc/types.ts";
import { toNodeRow } from "../../view/node-row.ts";
import type { ControllerContext } from "../context.ts";

/** Changes are gathered for so long: nobody reads faster, and a job that starts or ends changes several nodes. */
const GATHER_MS = 400;

/** Without a word of change it is looked this often: reservations begin and end with time alone. */
const PULSE_MS = 5000;

/** Every node that ever registered, by name. */
export function nodesHandler(context: ControllerContext): UnaryHandler<"nodes.list"> {
  return () => {
    const now = context.clock.now();
    return { nodes: rowsOf(context, sortedNodes(context), now), now };
  };
}

/** Streams every node, then those that change, until the caller cancels. */
export function watchNodesHandler(context: ControllerContext): StreamHandler<"nodes.watch"> {
  return async (_params, sink, { signal }) => {
    const watcher = context.watchers.watchNodes();
    const told = new Map<NodeName, readonly unknown[]>();
    let isReset = true;
    try {
      for (;;) {
        const stopPulse = context.clock.after(PULSE_MS, watcher.wake);
        await watcher.changed(signal).finally(stopPulse);
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        const now = context.clock.now();
        const changed = sortedNodes(context).filter((node) => {
          const facts = factsOf(context, node, now);
          const isSame = told.get(node.name)?.every((fact, at) => fact === facts[at]) ?? false;
          told.set(node.name, facts);
          return !isSame;
        });
        const gone = [...told.keys()].filter((name) => !context.loop.state.nodes.has(name));
        for (const name of gone) told.delete(name);
        if (isReset || changed.length > 0 || gone.length > 0) {
          await sink.send({ isReset, nodes: rowsOf(context, changed, now), gone, now });
        }
        isReset = false;
        await sleep(context.clock, GATHER_MS);
      }
    } finally {
      watcher.end();
    }
  };
}

function sortedNodes({ loop: { state } }: ControllerContext): Node[] {
  return [...state.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a node's row is made of: as long as each of these is the same, so is the row but for the times in it. */
function factsOf({ loop: { state }, sessions }: ControllerContext, node: Node, now: number): readonly unknown[] {
  const reserved = reservedAs(state, node.name, now);
  return [node, sessions.get(node.name), sessions.vitalsOf(node.name), reserved, state.partitions.size];
}

function rowsOf({ loop, sessions, guard }: ControllerContext, nodes: readonly Node[], now: number): NodeRow[] {
  if (nodes.length === 0) return [];
  const { state } = loop;
  const lastBusy = lastBusyTimes(state, now);
  return nodes.map((node) => {
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
  });
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
