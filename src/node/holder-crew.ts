/** The holders that this daemon talks to, and who is gone. Each is listened to from its first use on. */

import type { StepKey } from "../core/ids.ts";
import type { HolderStep } from "../protocol/holder.ts";
import { holderSocketFor, userSocketOf } from "../protocol/holder-socket.ts";
import type { HolderFactory, OtherUsers, Runner } from "./holder-factory.ts";
import type { HolderPort } from "./holder-port.ts";
import type { HolderIdentity, LaunchRecord } from "./spool-records.ts";

export interface CrewEvents {
  onChange(holder: HolderPort, step: HolderStep): void;
  onGone(holder: HolderPort): void;
}

export class HolderCrew {
  private readonly factory: HolderFactory;
  private readonly events: CrewEvents;
  private readonly present = new Set<HolderPort>();
  private lastShared: HolderPort | null = null;

  constructor(factory: HolderFactory, events: CrewEvents) {
    this.factory = factory;
    this.events = events;
  }

  /** Where the shared holder listens. */
  get sharedSocket(): string {
    return this.factory.sharedSocket;
  }

  /** Holders that outlived an earlier daemon. */
  async adopt(): Promise<readonly HolderPort[]> {
    const found = await this.factory.adopt();
    for (const holder of found) this.welcome(holder);
    return found;
  }

  async shared(): Promise<HolderPort> {
    this.lastShared = this.welcome(await this.factory.shared());
    return this.lastShared;
  }

  /** The shared holder if it is known to live; nothing is started for it. */
  get livingShared(): HolderPort | null {
    return this.lastShared && this.present.has(this.lastShared) ? this.lastShared : null;
  }

  /** Users whose steps don't run as the daemon's own; `null` where all do. */
  get others(): OtherUsers | null {
    return this.factory.others ?? null;
  }

  /** The holder that a step belongs to: the shared one of its user, or one of its own for a terminal. */
  async forStep(record: LaunchRecord): Promise<HolderPort> {
    const { kind, key, user } = record;
    if (kind !== "pty") return this.sharedFor(record);
    if (user) return this.welcome(await this.othersOf(user).forPty(user, key));
    return this.welcome(await this.factory.forPty(key, holderSocketFor(this.factory.sharedSocket, key, true)));
  }

  /** The shared holder of a step's user: with nobody else's rights is anything done to it. */
  async sharedFor({ user }: Pick<LaunchRecord, "user">): Promise<HolderPort> {
    return user ? this.welcome(await this.othersOf(user).shared(user)) : this.shared();
  }

  /** Where a step's holder listens, running or not. */
  socketFor({ user }: Pick<LaunchRecord, "user">, key: StepKey, isPty: boolean): string {
    const shared = this.factory.sharedSocket;
    return holderSocketFor(user ? userSocketOf(shared, user) : shared, key, isPty);
  }

  shutdownIdle(): Promise<void> {
    return this.factory.shutdownIdle();
  }

  isGone(holder: HolderPort): boolean {
    return !this.present.has(holder);
  }

  /** The living holder with that identity. */
  find(identity: HolderIdentity): HolderPort | undefined {
    for (const holder of this.present) if (isSameHolder(holder.identity, identity)) return holder;
    return undefined;
  }

  private othersOf({ name }: Runner): OtherUsers {
    const { others } = this.factory;
    if (others) return others;
    throw new Error(`only root's node daemon can see to steps of ${name}`);
  }

  private welcome(holder: HolderPort): HolderPort {
    if (this.present.has(holder)) return holder;
    this.present.add(holder);
    holder.onChange((step) => this.events.onChange(holder, step));
    holder.onGone(() => {
      if (this.present.delete(holder)) this.events.onGone(holder);
    });
    return holder;
  }
}

/** What a launch record keeps of a holder. */
export function identityOf({ identity }: HolderPort): HolderIdentity {
  return { socket: identity.socket, pid: identity.pid, startedAt: identity.startedAt };
}

/** Pids and sockets are used again; the time of the start tells. */
export function isSameHolder(a: HolderIdentity, b: HolderIdentity): boolean {
  return a.socket === b.socket && a.pid === b.pid && a.startedAt === b.startedAt;
}
