/** --clusters of the commands that take it, where it names no profile (run.ts): then it can only name this cluster. */

import type { Peer } from "../rpc/types.ts";
import { isSlurmName } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";
import type { OptionReader } from "./filters.ts";

/** How the list was given: the words of a refusal name it. */
const FROM_COMMAND_LINE = "--cluster";

/**
 * Checks a list of clusters. `undefined` (not given) and `all` mean this one.
 * @throws UserError if another cluster is named
 */
export async function checkClusters(peer: Peer, list: string | undefined, source = FROM_COMMAND_LINE): Promise<void> {
  if (list === undefined || list.toLowerCase() === "all") return;
  const { clusterName } = await peer.call("controller.status", {});
  const others = list.split(",").filter((name) => name.toLowerCase() !== clusterName.toLowerCase());
  if (others.length === 0) return;
  const problems = others.flatMap((name) => [
    `No cluster '${name}' known by database.`,
    `'${name}' can't be reached now, or it is an invalid entry for ${source}.  Use 'sacctmgr list clusters' to see available clusters.`,
  ]);
  const hint = `this cluster is called ${clusterName}; mgpu login lists those of other machines`;
  throw new UserError(problems, hint);
}

/**
 * The same for a listing, which under Slurm's names tells first whose rows follow: `CLUSTER: NAME`.
 * @returns the line, or nothing where none is wanted
 */
export async function clusterLine(
  peer: Peer,
  options: OptionReader,
  { program }: Pick<CommandContext, "program">,
): Promise<string> {
  const list = options.last("clusters");
  if (list === undefined) return "";
  await checkClusters(peer, list, options.isTyped("clusters") ? "--cluster" : "SLURM_CLUSTERS");
  if (!isSlurmName(program) || options.isGiven("noheader")) return "";
  return `CLUSTER: ${(await peer.call("controller.status", {})).clusterName}\n`;
}
