/**
 * The one connection to the controller: made, kept alive by pings, and made again for ever, with pauses that double
 * from RECONNECT_MS_MIN to RECONNECT_MS_MAX.
 */

import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { messageOf } from "./deferred.ts";

const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 5000;

/** A controller silent for so many signs of life is taken for gone. */
const MISSED_MAX = 3;

export interface SessionPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Connects and says hello; must settle in bounded time. */
  connect(): Promise<Connected>;
  /** Introduces the node. Rejecting ends the connection. */
  register(peer: Peer): Promise<{ readonly heartbeatMs: number }>;
  /** A sign of life: rejects if the controller gives none back in `deadlineMs`. */
  beat(peer: Peer, deadlineMs: number): Promise<unknown>;
  /** Registered: orders come and reports may go, until `onDown`. */
  onUp(peer: Peer): void;
  onDown(): void;
}

export class Session {
  private readonly ports: SessionPorts;
  private peer: Peer | null = null;
  private stopped = false;
  private waitMs = RECONNECT_MS_MIN;
  private cancelPing: Cancel = () => {};
  private wake: () => void = () => {};
  private isUp = false;
  /** Said last, so that hours without a controller do not fill the log. */
  private lastTrouble = "";

  constructor(ports: SessionPorts) {
    this.ports = ports;
  }

  /** Runs until {@link stop}; never rejects. */
  async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.runOnce();
      } catch (error) {
        this.noteTrouble(messageOf(error));
      }
      if (!this.stopped) await this.pause();
    }
  }

  stop(): void {
    this.stopped = true;
    this.wake();
    this.peer?.close();
  }

  /** Connects and registers anew, because what was registered has changed. */
  renew(): void {
    if (this.isUp) this.peer?.close();
  }

  private async runOnce(): Promise<void> {
    const { peer, answer } = await this.ports.connect();
    if (this.stopped) return peer.close();
    this.peer = peer;
    try {
      const { heartbeatMs } = await this.ports.register(peer);
      if (this.stopped) return;
      this.ports.log.info("registered with the controller", { controllerPid: answer.pid, version: answer.version });
      this.waitMs = RECONNECT_MS_MIN;
      this.lastTrouble = "";
      this.isUp = true;
      this.ports.onUp(peer);
      this.pingLater(peer, heartbeatMs);
      const problem = await peer.closed;
      this.ports.log.warn("the controller's connection is gone", { problem });
    } finally {
      this.cancelPing();
      peer.close();
      this.peer = null;
      if (this.isUp) this.ports.onDown();
      this.isUp = false;
    }
  }

  private noteTrouble(error: string): void {
    if (error !== this.lastTrouble) this.ports.log.warn("no connection to the controller", { error });
    this.lastTrouble = error;
  }

  private pingLater(peer: Peer, heartbeatMs: number): void {
    this.cancelPing = this.ports.clock.after(heartbeatMs, () => {
      this.ports.beat(peer, heartbeatMs * MISSED_MAX).then(
        () => this.peer === peer && this.pingLater(peer, heartbeatMs),
        () => peer.close(),
      );
    });
  }

  private async pause(): Promise<void> {
    const ms = this.waitMs;
    this.waitMs = Math.min(2 * ms, RECONNECT_MS_MAX);
    await new Promise<void>((resolve) => {
      const cancel = this.ports.clock.after(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
