/**
 * A holder over its socket. A connection that breaks is made again as long as the same holder listens there; calls that
 * were open then end with LOST_CONTACT, and may be repeated. `onGone` is called only when the holder itself is gone.
 */

import type { StepKey } from "../core/ids.ts";
import { type Cancel, type Clock, sleep } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Address } from "../platform/net.ts";
import { RpcError } from "../protocol/errors.ts";
import type { HolderStep, StepLaunch, TerminateDetails } from "../protocol/holder.ts";
import type { HelloAnswer, Result } from "../protocol/procedures.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { messageOf } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";

export interface HolderClientPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Connects to a holder's socket; rejects with ENOENT or ECONNREFUSED if nobody listens. Settles in bounded time. */
  dial(address: Address): Promise<Connected>;
  /** Signals a process; with a uid only if it is that user's: a user's holder says of itself what it likes. */
  endProcess?(pid: number, signal: "SIGTERM" | "SIGKILL", owner: number | undefined): void;
}

/** A holder that listens but does not answer is tried so often, with this pause, before it counts as gone. */
const REDIAL_TRIES = 5;
const REDIAL_MS = 200;

/** What a holder may forget is told to it so much later: on a busy node a launch takes it along before that. */
const FORGET_MS = 20;

/** A look at all processes takes some milliseconds; who asks for it waits no longer than people do. */
const USAGE_DEADLINE_MS = 5_000;

/**
 * Connects to a holder.
 * @param owner the uid as which it runs, where that is not this daemon's
 * @throws the dial's error; RpcError if somebody else listens there
 */
export async function connectHolder(ports: HolderClientPorts, socket: string, owner?: number): Promise<HolderClient> {
  const { peer, answer } = await ports.dial(addressOf(socket, owner));
  if (answer.daemon !== "mgpu-stepd") {
    peer.close();
    throw new RpcError("VERSION", `${answer.daemon} listens at ${socket}, where a holder was expected`);
  }
  return new HolderClient(ports, socket, peer, answer, owner);
}

/** A user's folder may hold links to sockets of others: it must be the user's own. */
function addressOf(path: string, owner: number | undefined): Address {
  return { path, ...(owner === undefined ? {} : { owner }) };
}

/**
 * Whether a failed dial means that nobody is there. In a user's folder something else may lie in the socket's place: the
 * user's next holder, with the user's rights, clears it away.
 */
export function isNobody(error: unknown, owner?: number): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "ENOENT" || code === "ECONNREFUSED" || (owner !== undefined && code === "EPERM");
}

interface Forgetting {
  readonly key: StepKey;
  resolve(): void;
  reject(error: unknown): void;
}

export class HolderClient implements HolderPort {
  readonly identity: HolderPort["identity"];
  readonly owner?: number;
  private readonly ports: HolderClientPorts;
  private peer: Peer;
  private changed: ((step: HolderStep) => void) | null = null;
  private forgot: () => void = () => {};
  private readonly goneCallbacks: (() => void)[] = [];
  private isGone = false;
  /** Steps that it is still to be told to forget. */
  private readonly forgetting: Forgetting[] = [];
  private cancelRelease: Cancel = () => {};
  /** It is of an earlier version. */
  private forgetsOneByOne = false;
  private isKilled = false;
  /** By which it is killed: as the kernel gave it, where that is known; else as it says. */
  processId: number;

  constructor(ports: HolderClientPorts, socket: string, peer: Peer, answer: HelloAnswer, owner?: number) {
    if (owner !== undefined) this.owner = owner;
    this.ports = ports;
    this.peer = peer;
    this.identity = { socket, pid: answer.pid, version: answer.version, startedAt: answer.startedAt };
    this.processId = answer.pid;
    void this.keep();
  }

  kill(): void {
    this.isKilled = true;
    this.ports.endProcess?.(this.processId, "SIGKILL", this.owner);
    this.peer.close();
  }

  /** Whether it is not known to be gone. */
  get isLiving(): boolean {
    return !this.isGone;
  }

  launch(step: StepLaunch): Promise<HolderStep> {
    this.release();
    return this.peer.call("holder.launch", step);
  }

  async go(key: StepKey): Promise<void> {
    await this.peer.call("holder.go", { key });
  }

  async signal(key: StepKey, signal: number, tree: boolean): Promise<void> {
    await this.peer.call("holder.signal", { key, signal, tree });
  }

  async notify(key: StepKey, message: string, spool: string | null): Promise<boolean> {
    return (await this.peer.call("holder.notify", { key, message, spool })).said;
  }

  async terminate(jobId: number, attempt: number, killWaitMs: number, details: TerminateDetails = {}): Promise<void> {
    // However long that takes: a process in the middle of a disk's write can't be killed.
    await this.peer.call("holder.terminate", { jobId, attempt, killWaitMs, ...details }, { deadlineMs: null });
  }

  async terminateStep(key: StepKey, killWaitMs: number, details: TerminateDetails = {}): Promise<void> {
    const { jobId, attempt, stepId } = key;
    await this.peer.call("holder.terminate", { jobId, attempt, stepId, killWaitMs, ...details }, { deadlineMs: null });
  }

  /** It has time: it goes with the next launch, or with others some milliseconds later. */
  forget(key: StepKey): Promise<void> {
    return new Promise((resolve, reject) => {
      this.forgetting.push({ key, resolve, reject });
      if (this.forgetting.length === 1) this.cancelRelease = this.ports.clock.after(FORGET_MS, () => this.release());
    });
  }

  async usage(jobId: number, attempt: number): Promise<Result<"holder.usage">["steps"]> {
    return (await this.peer.call("holder.usage", { jobId, attempt }, { deadlineMs: USAGE_DEADLINE_MS })).steps;
  }

  async status(): Promise<readonly HolderStep[]> {
    this.release();
    return (await this.peer.call("holder.status", {})).steps;
  }

  /**
   * Asks it to end; false if something runs in it or a client may still come for output.
   * @param discard output that nobody reads at the moment does not count
   */
  async shutdown(discard = false): Promise<boolean> {
    this.release();
    return (await this.peer.call("holder.shutdown", { discard })).ending;
  }

  onChange(callback: (step: HolderStep) => void): void {
    this.changed = callback;
    if (!this.isGone) void this.watch(this.peer);
  }

  /** Called after each {@link forget}, once for several. Set once. */
  onForget(callback: () => void): void {
    this.forgot = callback;
  }

  /** Any number of callbacks; one that comes too late is called at once. */
  onGone(callback: () => void): void {
    if (this.isGone) callback();
    else this.goneCallbacks.push(callback);
  }

  /** Tells it what it may forget. */
  private release(): void {
    this.cancelRelease();
    const forgetting = this.forgetting.splice(0);
    if (forgetting.length === 0) return;
    this.forgetAll(forgetting.map(({ key }) => key)).then(
      () => {
        for (const { resolve } of forgetting) resolve();
        this.forgot();
      },
      (error: unknown) => {
        for (const { reject } of forgetting) reject(error);
      },
    );
  }

  private async forgetAll(keys: StepKey[]): Promise<void> {
    if (!this.forgetsOneByOne) {
      try {
        return void (await this.peer.call("holder.release", { keys }));
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== "UNKNOWN_METHOD") throw error;
        this.forgetsOneByOne = true;
      }
    }
    await Promise.all(keys.map((key) => this.peer.call("holder.forget", { key })));
  }

  /** Tells changes, the present steps first, until the connection ends. */
  private async watch(peer: Peer): Promise<void> {
    try {
      await peer.stream("holder.watch", {}, (step) => this.changed?.(step), { acknowledgesLate: true });
    } catch (error) {
      this.ports.log.debug("a holder's watch ended", { ...this.fields(), error: messageOf(error) });
    }
    // Without a watch, ends would go unnoticed: a new connection gets a new one.
    peer.close();
  }

  /** Makes the connection again whenever it breaks, until the holder is gone. */
  private async keep(): Promise<void> {
    for (;;) {
      const problem = await this.peer.closed;
      this.ports.log.debug("a holder's connection is gone", { ...this.fields(), problem });
      const peer = this.isKilled ? null : await this.redial();
      if (!peer || this.isKilled) {
        peer?.close();
        break;
      }
      this.peer = peer;
      if (this.changed) void this.watch(peer);
    }
    this.isGone = true;
    this.release();
    this.ports.log.info("a holder is gone", this.fields());
    for (const callback of this.goneCallbacks.splice(0)) callback();
  }

  private async redial(): Promise<Peer | null> {
    for (let tries = 1; tries <= REDIAL_TRIES; tries++) {
      try {
        const { peer, answer } = await this.ports.dial(addressOf(this.identity.socket, this.owner));
        if (answer.pid === this.identity.pid && answer.startedAt === this.identity.startedAt) return peer;
        peer.close();
        return null;
      } catch (error) {
        if (isNobody(error, this.owner)) return null;
        this.ports.log.warn("a holder does not answer", { ...this.fields(), error: messageOf(error) });
      }
      await sleep(this.ports.clock, REDIAL_MS);
    }
    return null;
  }

  private fields(): { socket: string; holderPid: number } {
    return { socket: this.identity.socket, holderPid: this.identity.pid };
  }
}
