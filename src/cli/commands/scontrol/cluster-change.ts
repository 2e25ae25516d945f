/** Sends a change of nodes, partitions or reservations, and says Slurm's words if it is refused. */

import { RpcError } from "../../../protocol/errors.ts";
import type { Params } from "../../../protocol/procedures.ts";
import { isSlurmName } from "../../connect.ts";
import type { Scope } from "./scope.ts";

/** What an operator wants to be different. */
export type ClusterChange = Params<"cluster.change">["change"];

/** Errors of the wire, of which run.ts tells in its own way. */
const OF_THE_WIRE = new Set(["LOST_CONTACT", "DEADLINE", "VERSION", "UNKNOWN_METHOD", "INTERNAL"]);

/**
 * Asks for a change.
 * @param complaint Slurm's beginning of the line that says why not: `slurm_update error`
 * @returns the name of what was made, or `null` after the refusal was told
 */
export async function changeCluster(change: ClusterChange, scope: Scope, complaint: string): Promise<string | null> {
  const peer = await scope.peer(complaint);
  try {
    return (await peer.call("cluster.change", { change })).name;
  } catch (error) {
    if (!(error instanceof RpcError) || OF_THE_WIRE.has(error.code)) throw error;
    const { program, stdio } = scope.context;
    stdio.err(`${complaint}: ${error.message}\n`);
    if (error.hint !== undefined && !isSlurmName(program)) stdio.err(`${program}: hint: ${error.hint}\n`);
    return null;
  }
}
