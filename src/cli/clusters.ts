/** --clusters of the commands that take it: mgpu is one cluster, so it can only name that one. */

import type { Peer } from "../rpc/types.ts";
import { UserError } from "./context.ts";

/**
 * Checks a list of clusters. `undefined` (not given) and `all` mean this one.
 * @throws UserError if another cluster is named
 */
export async function checkClusters(peer: Peer, list: string | undefined): Promise<void> {
  if (list === undefined || list.toLowerCase() === "all") return;
  const { clusterName } = await peer.call("controller.status", {});
  const others = list.split(",").filter((name) => name !== "" && name.toLowerCase() !== clusterName.toLowerCase());
  if (others.length === 0) return;
  const problems = others.map((name) => `'${name}' can't be reached now, or it is an invalid entry for --clusters`);
  throw new UserError(problems, `this cluster is called ${clusterName}`);
}
