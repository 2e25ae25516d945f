/**
 * Says why a job waits: as soon as the scheduler has a reason, and again when it has another one. The controller is
 * asked now and then, because a watcher hears only of changes of the job itself, and a reason is none.
 */

import type { Clock } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Peer } from "../../rpc/types.ts";
import { jobFilter } from "../filters.ts";
import { NO_PLACE, type Place, placeOf } from "./queue-place.ts";
import type { Speaker } from "./speaker.ts";

export interface WaitingPorts {
  readonly jobId: number;
  readonly clock: Clock;
  /** The reason in the controller's words, empty if there is none yet; `null` once nobody can tell. */
  readonly ask: () => Promise<string | null>;
  /** Asks more of the controller: a few times a minute at most. */
  readonly place: () => Promise<Place>;
  readonly speaker: Pick<Speaker, "info" | "status" | "isLive">;
}

/** Between two looks: a queue that moves fast shall not fill the screen. */
const LOOK_EVERY_MS = 10_000;

/** Where nobody watches, the place is asked for with every so many looks. */
const PLACE_EVERY_LOOKS = 6;

/** The same while there is no reason yet. */
const LOOK_AGAIN_MS = 1000;

export class Waiting {
  private readonly ports: WaitingPorts;
  private said = "";
  private place: Place = NO_PLACE;
  private isOver = false;
  private cancelLook: () => void = () => {};

  constructor(ports: WaitingPorts) {
    this.ports = ports;
  }

  /** Looks until it is stopped or nobody can tell any more. */
  async look(): Promise<void> {
    const { ask, place, speaker } = this.ports;
    for (let looks = 0; !this.isOver; ) {
      const reason = await ask();
      if (reason === null) return;
      const asksPlace = reason !== "" && (speaker.isLive || looks++ % PLACE_EVERY_LOOKS === 0);
      if (asksPlace) this.place = await place();
      this.tell(reason);
      const ms = reason === "" ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
      if (this.isOver) return;
      await new Promise<void>((resolve) => {
        this.cancelLook = this.ports.clock.after(ms, resolve);
      });
    }
  }

  /** Says a reason, with the place if it is known, unless both are those that were said last. */
  tell(reason: string): void {
    const { position, start } = this.place;
    const key = `${reason}\n${position}`;
    const { jobId, speaker } = this.ports;
    if (this.isOver || reason === "" || (key === this.said && !speaker.isLive)) return;
    this.said = key;
    const words = [reason.startsWith("waits ") ? `job ${jobId} ${reason}` : `job ${jobId} waits: ${reason}`];
    const text = [...words, position, start].filter((part) => part !== "").join("; ");
    if (speaker.isLive) speaker.status(text);
    else speaker.info(text);
  }

  /** The job waits no longer. */
  stop(): void {
    if (!this.isOver) this.ports.speaker.status(null);
    this.isOver = true;
    this.cancelLook();
  }
}

/**
 * The reason of a waiting job in the controller's words.
 * @returns `null` once nobody can tell
 */
export async function reasonOf(use: UseController, jobId: number): Promise<string | null> {
  const filter = jobFilter({ ids: [jobId], states: ["PENDING"] });
  let text = "";
  try {
    const answer = await use((peer) =>
      peer.stream("jobs.list", { filter, fields: ["reasonText"] }, ({ rows }) => {
        text = String(rows[0]?.[0] ?? "");
      }),
    );
    return answer === null ? null : text;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return null;
  }
}

/** A connection that may have been lost: `null` then. */
type UseController = <T>(call: (peer: Peer) => Promise<T>) => Promise<T | null>;

/** The place of a waiting job; none if nobody can tell. */
export async function askPlace(use: UseController, jobId: number, utcOffset: (atMs: number) => number): Promise<Place> {
  try {
    return (await use((peer) => placeOf(peer, jobId, utcOffset))) ?? NO_PLACE;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return NO_PLACE;
  }
}
