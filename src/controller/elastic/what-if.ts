/**
 * Which allocations the waiting jobs could use: a pass of the scheduler over the cluster as it would be with the nodes that
 * are asked for already and with those that might be. So whatever keeps a job from starting (holds, limits, partitions,
 * dependencies, a time limit that is too long) keeps it from asking for machines, too.
 */

import type { AllocationShape, ElasticNode, ElasticQueue } from "../../core/elastic/records.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { Node } from "../../core/node.ts";
import { type Gpu, NO_USAGE } from "../../core/resources.ts";
import type { ClusterState } from "../../core/state.ts";
import { scheduleInSteps } from "../../sched/schedule.ts";
import type { ControllerContext } from "../context.ts";
import { viewOf } from "../planner.ts";

/** Memory of GPUs of which no node has told yet: requests for a part of it are believed to fit. */
const UNKNOWN_GPU_MIB = 1 << 20;

/** Weights by which nodes that are there are filled first, then those that come, then those that might. */
const COMING_WEIGHT = 1 << 30;

/** A node that is not there, or not yet. */
export interface Imagined {
  readonly node: NodeName;
  readonly queue: ElasticQueue;
  /** It was asked for already. */
  readonly isComing: boolean;
}

/** Yields between steps; the jobs that would start now on imagined nodes, by the node. */
export function* usedNodes(
  { loop, isConnected, guard, order }: Pick<ControllerContext, "loop" | "isConnected" | "guard" | "order">,
  imagined: readonly Imagined[],
  now: number,
): Generator<void, ReadonlyMap<NodeName, JobId[]>> {
  const names = new Set(imagined.map(({ node }) => node));
  const state = imagine(loop.state, imagined, now);
  const view = viewOf(state, (node) => names.has(node) || isConnected(node), now, {
    seenBy: (node) => guard.seenBy(node),
    order,
  });
  const plan = yield* scheduleInSteps(view, now);
  const used = new Map<NodeName, JobId[]>();
  for (const start of plan.starts.flatMap((one) => [one, ...(one.followers ?? [])])) {
    for (const { node } of start.allocation) {
      if (names.has(node)) used.set(node, [...(used.get(node) ?? []), start.jobId]);
    }
  }
  return used;
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

function imaginedNode(name: NodeName, queue: ElasticQueue, weight: number): Node {
  const { shape, manager, id, seenGpus } = queue;
  return {
    name,
    inventory: {
      ...{ hostname: name, cpus: shape.cpus, memoryMiB: shape.memoryMiB, gpus: seenGpus ?? gpusOf(shape) },
      ...{ gpuProvider: "none", gpuProblem: null, bootId: "", os: "", arch: "", version: "" },
      features: [manager, `${manager}${id}`],
    },
    registeredAt: 0,
    usage: NO_USAGE,
    ...{ drain: null, down: null, settings: { weight } },
  };
}

/** As many as are asked for. */
function gpusOf({ gpus }: AllocationShape): Gpu[] {
  const [, type = "", digits = "0"] = /^(?:([^:]+):)?(\d+)$/.exec(gpus) ?? [];
  return Array.from({ length: Number(digits) }, (_, index) => {
    return { index, uuid: `imagined-${index}`, model: type, type: type.toLowerCase(), memoryMiB: UNKNOWN_GPU_MIB };
  });
}
