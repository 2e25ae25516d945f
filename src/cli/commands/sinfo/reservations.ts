/** sinfo --reservation: the reservations there are. */

import type { Peer } from "../../../rpc/types.ts";
import type { CommandContext } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";

/** Prints them; the exit code. The controller of this version keeps none. */
export async function listReservations(
  _peer: Peer,
  _options: OptionReader,
  { stdio }: CommandContext,
): Promise<number> {
  stdio.out("No reservations in the system\n");
  return 0;
}
