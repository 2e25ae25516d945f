/** Nodes that are not there, but that another batch system could lend. */

import type { NodeName } from "../ids.ts";
import type { Node } from "../node.ts";
import { type Gpu, NO_USAGE } from "../resources.ts";
import { type AllocationShape, type ElasticQueue, elasticNodeName } from "./records.ts";

/** Memory of GPUs of which no node has told yet: requests for a part of it are believed to fit. */
const UNKNOWN_GPU_MIB = 1 << 20;

/** Of one queue, where it is only asked what could ever run: a job over more nodes than these is rare. */
const POSSIBLE_MAX = 32;

/** All nodes that the queues could have at once, but for those of queues that are on their way out. */
export function possibleNodes(queues: Iterable<ElasticQueue>): Node[] {
  return [...queues].flatMap((queue) => {
    const count = queue.isLeaving ? 0 : Math.min(POSSIBLE_MAX, queue.limits.max);
    return Array.from({ length: count }, (_, at) =>
      imaginedNode(elasticNodeName(queue, queue.submitted + at + 1), queue, 1),
    );
  });
}

/** A node as an allocation of the queue gives it, with nothing on it. @param weight nodes of lower ones are filled first */
export function imaginedNode(name: NodeName, queue: ElasticQueue, weight: number): Node {
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
