/**
 * A connection that is made again when it is lost. Whoever uses it names the work to do with a peer; work that a
 * lost connection interrupted is done again with the next peer, so it must be harmless to repeat.
 */

import type { Clock } from "../../platform/clock.ts";
import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { Connected, Peer } from "../../rpc/types.ts";

export interface LinkPorts {
  readonly clock: Clock;
  /** Makes a connection; `loss` is how the last one ended, `null` if there was none. */
  readonly connect: (loss: ErrorCode | null) => Promise<Connected>;
  /** Tells the user, once in a while, that contact is lost; and once that it is back. */
  readonly notice: (text: string) => void;
  /** Who is at the other end, in words. */
  readonly name: string;
  /** How long contact is sought before giving up, milliseconds; a minute unless said otherwise. */
  readonly patienceMs?: number;
}

/** How long contact is sought before giving up. A daemon that is being replaced is back within seconds. */
const PATIENCE_MS = 60_000;

/** How long it is still sought once the job is known to be over. */
export const PATIENCE_AFTER_END_MS = 3000;

/** Between tries: at once, then ever less often. */
const DELAYS_MS = [0, 50, 100, 200, 400, 800, 1500];
const DELAY_MS_MAX = 2000;

/** A connection that held for less than this was none: it counts as one more failed try. */
const STABLE_MS = 2000;

/** Short losses are not worth a word. */
const FIRST_NOTICE_MS = 1000;
const NOTICE_EVERY_MS = 15_000;

/**
 * A link to another machine may break without a word: it is asked for a sign of life so often, and given so long, for
 * its answer may have to wait behind output that a slow line carries.
 */
const PULSE_MS = 5000;
const PULSE_PATIENCE_MS = 10_000;

/** A peer that says this, or nothing, may be back soon. */
const LOST: ReadonlySet<ErrorCode> = new Set(["LOST_CONTACT", "SHUTTING_DOWN"]);

/** An end of the world that trying again can't change. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(["VERSION", "PERMISSION", "BAD_TOKEN"]);

export class Link {
  private readonly ports: LinkPorts;
  private current: Promise<Peer | null>;
  private patienceMs: number;
  /** Failed tries since the last stable connection, and when the first of them was. */
  private tries = 0;
  private troubleAt = 0;
  private noticeMs = FIRST_NOTICE_MS;
  private connectedAt = Number.NEGATIVE_INFINITY;
  private stopped = false;
  private wakeSleeper: () => void = () => {};

  /** Starts with an open connection, or by making one. */
  constructor(ports: LinkPorts, first?: Connected) {
    this.ports = ports;
    this.patienceMs = ports.patienceMs ?? PATIENCE_MS;
    if (first) {
      this.connectedAt = ports.clock.monotonic();
      this.watchPulse(first);
    }
    this.current = first ? Promise.resolve(first.peer) : this.reconnect(null);
  }

  /**
   * Does `work` with a connected peer, again after each loss. `null`: contact was given up, or the link was stopped.
   * Errors other than a loss are the caller's.
   */
  async use<T>(work: (peer: Peer) => Promise<T>): Promise<T | null> {
    for (;;) {
      const present = this.current;
      const peer = await present;
      if (peer === null || this.stopped) return null;
      try {
        return await work(peer);
      } catch (error) {
        if (this.stopped) return null;
        if (!(error instanceof RpcError) || !LOST.has(error.code)) throw error;
        // Of all the work that was interrupted, the first to notice reconnects.
        if (this.current === present) {
          peer.close();
          this.current = this.reconnect(error.code);
        }
      }
    }
  }

  /** What is sought no longer exists for sure: gives up sooner. */
  hurry(): void {
    this.patienceMs = Math.min(this.patienceMs, PATIENCE_AFTER_END_MS);
    this.wakeSleeper();
  }

  /** Closes the connection; work under way ends with `null`. */
  stop(): void {
    this.stopped = true;
    this.wakeSleeper();
    void this.current.then((peer) => peer?.close());
  }

  private async reconnect(loss: ErrorCode | null): Promise<Peer | null> {
    const { clock, connect } = this.ports;
    // The first loss begins the trouble, however young its connection was.
    if (this.tries === 0 || clock.monotonic() - this.connectedAt >= STABLE_MS) {
      this.tries = 0;
      this.troubleAt = clock.monotonic();
      this.noticeMs = FIRST_NOTICE_MS;
    }
    while (!this.stopped) {
      if (this.tries > 0 && clock.monotonic() - this.troubleAt >= this.patienceMs) break;
      await this.pause(DELAYS_MS[this.tries++] ?? DELAY_MS_MAX);
      if (this.stopped) break;
      // A try may take long where nothing comes back at all: the user hears of the trouble meanwhile.
      const elapsedMs = (): number => clock.monotonic() - this.troubleAt;
      const tell = clock.after(Math.max(0, this.noticeMs - elapsedMs()), () => this.complain(elapsedMs()));
      try {
        const connected = await connect(loss);
        this.onConnected();
        this.watchPulse(connected);
        return connected.peer;
      } catch (error) {
        if (error instanceof RpcError && HOPELESS.has(error.code)) break;
        this.complain(elapsedMs());
      } finally {
        tell();
      }
    }
    return null;
  }

  /** Closes a far connection that does not answer any more; whoever uses it notices that. */
  private watchPulse({ peer, isFar }: Connected): void {
    if (!isFar) return;
    let isClosed = false;
    void peer.closed.then(() => {
      isClosed = true;
    });
    const beat = async (): Promise<void> => {
      if (isClosed || this.stopped) return;
      try {
        await peer.call("ping", {}, { deadlineMs: PULSE_PATIENCE_MS });
        this.ports.clock.after(PULSE_MS, () => void beat());
      } catch {
        peer.close();
      }
    };
    this.ports.clock.after(PULSE_MS, () => void beat());
  }

  private onConnected(): void {
    const { clock, name, notice } = this.ports;
    this.connectedAt = clock.monotonic();
    if (this.noticeMs > FIRST_NOTICE_MS) notice(`connected to ${name} again`);
  }

  private complain(elapsedMs: number): void {
    if (elapsedMs < this.noticeMs) return;
    this.ports.notice(`no contact with ${this.ports.name}; trying again`);
    // Ever less often: who waits for hours knows by then.
    this.noticeMs = elapsedMs + Math.max(NOTICE_EVERY_MS, elapsedMs);
  }

  private pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.ports.clock.after(ms, resolve);
      this.wakeSleeper = () => {
        cancel();
        resolve();
      };
    });
  }
}
