/**
 * Which allocations the waiting jobs could use: a pass of the scheduler over the cluster as it would be with the nodes that
 * are asked for already and with those that might be. So whatever keeps a job from starting (holds, limits, partitions,
 * dependencies, a time limit that is too long) keeps it from asking for machines, too.
 */

import { imaginedNode } from "../../core/elastic/imagined.ts";
import type { ElasticNode, ElasticQueue } from "../../core/elastic/records.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { ClusterState } from "../../core/state.ts";
import { scheduleInSteps } from "../../sched/schedule.ts";
import type { ControllerContext } from "../context.ts";
import { viewOf } from "../planner.ts";

/** Weights by which nodes that are there are filled first, then those that come, then those that might. */
const COMING_WEIGHT = 1 << 30;

/** A node that is not there, or not yet. */
export interface Imagined {
  readonly node: NodeName;
  readonly queue: ElasticQueue;
  /** It was asked for already. */
  readonly isComing: boolean;
}

/** What waiting jobs would do with imagined nodes. */
export interface Use {
  /** Jobs that would start on one, by the node. */
  readonly jobs: ReadonlyMap<NodeName, readonly JobId[]>;
  /** Nodes that are there, and that such jobs need besides. */
  readonly held: ReadonlySet<NodeName>;
}

/** Yields between steps. */
export function* usedNodes(
  { loop, isConnected, guard, order }: Pick<ControllerContext, "loop" | "isConnected" | "guard" | "order">,
  imagined: readonly Imagined[],
  now: number,
): Generator<void, Use> {
  const names = new Set(imagined.map(({ node }) => node));
  const state = imagine(loop.state, imagined, now);
  const view = viewOf(state, (node) => names.has(node) || isConnected(node), now, {
    seenBy: (node) => guard.seenBy(node),
    order,
  });
  const plan = yield* scheduleInSteps(view, now);
  const jobs = new Map<NodeName, JobId[]>();
  const held = new Set<NodeName>();
  for (const start of plan.starts) {
    const shares = [start, ...(start.followers ?? [])].flatMap(({ jobId, allocation }) =>
      allocation.map(({ node }) => ({ jobId, node })),
    );
    if (!shares.some(({ node }) => names.has(node))) continue;
    for (const { jobId, node } of shares) {
      if (names.has(node)) jobs.set(node, [...(jobs.get(node) ?? []), jobId]);
      else held.add(node);
    }
  }
  return { jobs, held };
}

/** Shares all but its nodes with the state it is made from. */
function imagine(state: ClusterState, imagined: readonly Imagined[], now: number): ClusterState {
  const nodes = new Map(state.nodes);
  const elasticNodes = new Map<NodeName, ElasticNode>(state.elastic.nodes);
  for (const [index, { node, queue }] of imagined.entries()) {
    nodes.set(node, imaginedNode(node, queue, COMING_WEIGHT + index));
    const endsAt = now + queue.shape.timeS * 1000;
    const blank = { outerId: "", phase: "waiting", why: "", host: "", joinedAt: null } as const;
    elasticNodes.set(node, { ...blank, node, queueId: queue.id, orderedAt: now, endsAt });
  }
  return { ...state, nodes, elastic: { ...state.elastic, nodes: elasticNodes } };
}
