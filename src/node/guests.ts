/**
 * Clients on other machines that come straight to the holders of this node's steps. Who they are, and for which step, the
 * controller says beforehand (node.expect): each proves a key that was made for this one connection, which is good for
 * some seconds. Where they can't reach us, the controller carries the same bytes.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Address } from "../platform/net.ts";
import type { Credential, SecureDoor, SecureListener, Visitor } from "../platform/secure.ts";
import { messageOf } from "./deferred.ts";

export interface GuestPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly door: Pick<SecureDoor, "listen">;
}

/** A client that is about to come. */
export interface Guest {
  readonly key: StepKey;
  /** Socket of the step's holder for those from elsewhere; asked when the client is there. */
  address(): Address;
  /** Whose stream it is. */
  readonly who: string;
  readonly guest: Credential;
}

/** Where to listen. */
export interface GuestAddress {
  readonly host: string;
  /** Not another one if it is taken; `null` for {@link PORT} or any that is free. */
  readonly port: number | null;
}

/** Beside the controller's. */
const PORT = 7412;

/** From the controller's answer to the client's handshake. */
const EXPECT_MS = 20_000;

/** Clients that are expected at once, oldest out first. */
const EXPECTED_MAX = 20_000;

export class Guests {
  private readonly ports: GuestPorts;
  private readonly expected = new Map<string, Guest>();
  private readonly present = new Map<string, Set<Visitor>>();
  private listener: SecureListener | null = null;
  private host = "";
  private trouble = "";

  constructor(ports: GuestPorts) {
    this.ports = ports;
  }

  /** Listens there, unless it does already; the port, or `null` where that can't be: streams are relayed then. */
  async listen({ host, port }: GuestAddress): Promise<number | null> {
    if (this.listener && this.host === host) return this.listener.port;
    this.close();
    try {
      this.listener = await this.open(host, port ?? PORT).catch((error: unknown) => {
        if (port !== null) throw error;
        return this.open(host, 0);
      });
      this.host = host;
      this.trouble = "";
      this.ports.log.info("clients reach steps here at", { host, port: this.listener.port });
    } catch (error) {
      const trouble = messageOf(error);
      if (trouble !== this.trouble) {
        this.ports.log.warn("no listening for clients: their streams go through the controller", { host, trouble });
      }
      this.trouble = trouble;
    }
    return this.listener?.port ?? null;
  }

  /** Lets a client in, once. */
  expect(guest: Guest): void {
    const { identity } = guest.guest;
    const [oldest] = this.expected.keys();
    if (this.expected.size >= EXPECTED_MAX && oldest !== undefined) this.expected.delete(oldest);
    this.expected.set(identity, guest);
    this.ports.clock.after(EXPECT_MS, () => void this.expected.delete(identity));
  }

  /** Ends the streams of somebody, those that are about to begin too; how many were open. */
  cut(who: string): number {
    for (const [identity, guest] of this.expected) if (guest.who === who) this.expected.delete(identity);
    const found = [...(this.present.get(who) ?? [])];
    for (const visitor of found) visitor.close();
    return found.length;
  }

  /** Whose streams are open. */
  get identities(): string[] {
    return [...this.present.keys()];
  }

  close(): void {
    this.listener?.close();
    this.listener = null;
  }

  private open(host: string, port: number): Promise<SecureListener> {
    const { door, log } = this.ports;
    return door.listen({
      ...{ host, port },
      keyOf: (identity) => this.expected.get(identity)?.guest.key ?? null,
      accept: (visitor) => this.accept(visitor),
      onRefused: (from, why, count) => log.warn("refused a connection", { from, why, count }),
    });
  }

  private accept(visitor: Visitor): void {
    const { identity, from } = visitor;
    const guest = this.expected.get(identity);
    if (!guest) {
      this.ports.log.warn("refused a connection", { from, why: "its token was used already", count: 1 });
      return visitor.close();
    }
    this.expected.delete(identity);
    const { who, key } = guest;
    const same = this.present.get(who) ?? new Set();
    this.present.set(who, same.add(visitor));
    visitor.onClose(() => {
      same.delete(visitor);
      if (same.size === 0 && this.present.get(who) === same) this.present.delete(who);
    });
    this.ports.log.info("stream opened", { who, from, step: formatStepKey(key) });
    visitor.splice(guest.address());
  }
}
