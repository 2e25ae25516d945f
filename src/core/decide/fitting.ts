/** Which requests were found to fit which nodes: most submissions ask for what one before them asked for, of the same nodes. */

import type { Node } from "../node.ts";
import type { Partition } from "../partition.ts";
import type { ResourceRequest } from "../resources.ts";

interface Fit {
  readonly partition: Partition;
  readonly nodes: readonly Pick<Node, "name" | "inventory" | "settings">[];
}

/** By the request itself, which never changes. */
const fits = new WeakMap<ResourceRequest, Fit>();

/** Whether a request is known to fit these nodes, by all of them that matters to it: what runs there does not. */
export function isKnownToFit(
  request: ResourceRequest,
  partition: Partition,
  nodes: ReadonlyMap<string, Node>,
): boolean {
  const fit = fits.get(request);
  if (fit?.partition !== partition || fit.nodes.length !== nodes.size) return false;
  let at = 0;
  for (const { name, inventory, settings } of nodes.values()) {
    const known = fit.nodes[at++];
    if (known?.inventory !== inventory || known.settings !== settings || known.name !== name) return false;
  }
  return true;
}

/** Notes that a request fits. */
export function noteFit(request: ResourceRequest, partition: Partition, nodes: ReadonlyMap<string, Node>): void {
  fits.set(request, { partition, nodes: [...nodes.values()] });
}
