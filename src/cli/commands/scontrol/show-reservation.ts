/** `scontrol show reservation`. */

import { recordText } from "../../../view/record-text.ts";
import { reservationJson, reservationRecord } from "../../../view/reservation-record.ts";
import type { Scope } from "./scope.ts";
import { printDocument } from "./show-json.ts";

/** All reservations, or the one named. */
export async function showReservations(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const [name] = words;
  const peer = await scope.peer("slurm_load_reservations error");
  const { reservations, now } = await peer.call("reservations.list", {});
  const chosen = reservations.filter((one) => name === undefined || name === one.name);
  if (show.document) {
    await printDocument("reservations", () => chosen.map(reservationJson), now, peer, scope);
  } else {
    const time = { nowMs: now, utcOffset: context.utcOffsetMinutes };
    for (const one of chosen) context.stdio.out(recordText(reservationRecord(one, time), show.oneLine));
    if (chosen.length === 0 && name === undefined && !show.quiet) context.stdio.out("No reservations in the system\n");
  }
  if (name === undefined || chosen.length > 0) return 0;
  scope.notFound(`Reservation ${name} not found`);
  return 1;
}
