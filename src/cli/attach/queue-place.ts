/** Where a waiting job stands in the queue, and when it should start, in words. */

import { formatTimestamp } from "../../core/time.ts";
import type { Peer } from "../../rpc/types.ts";

export interface Place {
  /** `number 2 of 5 in the queue`; empty if it has none. */
  readonly position: string;
  /** `should start by 14:30:00`; empty if that can't be known. */
  readonly start: string;
}

export const NO_PLACE: Place = { position: "", start: "" };

/** @throws RpcError as calls do */
export async function placeOf(peer: Peer, jobId: number, utcOffset: (atMs: number) => number): Promise<Place> {
  const { explanation, now } = await peer.call("job.explain", { jobId, taskId: null });
  if (explanation === null) return NO_PLACE;
  const { place, forecast } = explanation;
  const position = place === null ? "" : `number ${place.position} of ${place.of} in the queue`;
  if (forecast.startAt === null) return { position, start: "" };
  const [day, time] = formatTimestamp(forecast.startAt, utcOffset).split("T");
  const isToday = formatTimestamp(now, utcOffset).startsWith(`${day}T`);
  return { position, start: `should start by ${isToday ? time : `${day} ${time}`}` };
}
