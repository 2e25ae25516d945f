/**
 * Streams of steps through the controller: a client comes in by a door that was made for it, the node dials back, and the
 * bytes of both go on to each other. A door opens once, for one step, for who asked for it, within some seconds.
 */

import type { StepKey } from "../../core/ids.ts";
import { formatStepKey } from "../../core/ids.ts";
import type { User } from "../../core/jobspec.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { Address } from "../../platform/net.ts";
import type { Random } from "../../platform/random.ts";
import type { Credential, Visitor } from "../../platform/secure.ts";
import { formatIdentity, parseIdentity } from "../../protocol/identity.ts";

/** What lies behind a door. */
export interface Passage {
  readonly node: string;
  readonly key: StepKey;
  readonly isPty: boolean;
  /** Whose step it is. */
  readonly user: User;
  /** Who asked for it: cut with its key. */
  readonly identity: string;
}

export interface RelayPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: Log;
  readonly random: Random;
  /** The key of one of our identities. */
  credential(identity: string): Credential;
  /**
   * Where a step's holder listens if that is this machine; otherwise asks the node to dial back with a credential.
   * @throws RpcError if the node is away, or can't
   */
  reach(passage: Passage, back: () => Credential): Promise<Address | null>;
}

/** From the answer of a call to the first byte of a connection. */
const DOOR_MS = 20_000;

/** A node that has not dialled back by then can't. */
const BACK_MS = 15_000;

/** Doors that wait for their callers: each client of a large gang asks for some at once. */
const DOORS_MAX = 20_000;

const NAME_BYTES = 8;

export class Relays {
  private readonly ports: RelayPorts;
  private readonly doors = new Map<string, Passage>();
  private readonly waiting = new Map<string, { readonly visitor: Visitor; readonly passage: Passage }>();

  constructor(ports: RelayPorts) {
    this.ports = ports;
  }

  /** A credential that opens a passage, once. */
  open(passage: Passage): Credential {
    const identity = formatIdentity({ kind: "door", name: this.ports.random.hex(NAME_BYTES), generation: 1 });
    const [oldest] = this.doors.keys();
    if (this.doors.size >= DOORS_MAX && oldest !== undefined) this.doors.delete(oldest);
    this.doors.set(identity, passage);
    this.ports.clock.after(DOOR_MS, () => void this.doors.delete(identity));
    return this.ports.credential(identity);
  }

  /** A credential for one connection that a node is told of. */
  stream(): Credential {
    const name = this.ports.random.hex(NAME_BYTES);
    return this.ports.credential(formatIdentity({ kind: "stream", name, generation: 1 }));
  }

  /** Whether an identity opens something right now. */
  knows(identity: string): boolean {
    return this.doors.has(identity) || this.waiting.has(identity);
  }

  /** Sees to a visitor of ours; answers for whom it is, or `null` if it is none of ours. */
  take(visitor: Visitor): string | null {
    const passage = this.doors.get(visitor.identity);
    if (passage) {
      this.doors.delete(visitor.identity);
      void this.pass(visitor, passage);
      return passage.identity;
    }
    const other = this.waiting.get(visitor.identity);
    if (other) {
      this.waiting.delete(visitor.identity);
      other.visitor.splice(visitor);
      return other.passage.identity;
    }
    const kind = parseIdentity(visitor.identity)?.kind;
    if (kind !== "door" && kind !== "back") return null;
    this.ports.book.warn("refused a connection", { from: visitor.from, why: "its token was used already", count: 1 });
    visitor.close();
    return visitor.identity;
  }

  private async pass(visitor: Visitor, passage: Passage): Promise<void> {
    const { log, book, credential, reach, random, clock } = this.ports;
    const { node, key, identity } = passage;
    const facts = { who: identity, from: visitor.from, node, step: formatStepKey(key) };
    const back = (): Credential => {
      const name = formatIdentity({ kind: "back", name: random.hex(NAME_BYTES), generation: 1 });
      this.waiting.set(name, { visitor, passage });
      clock.after(BACK_MS, () => {
        if (this.waiting.delete(name)) visitor.close();
      });
      visitor.onClose(() => void this.waiting.delete(name));
      return credential(name);
    };
    try {
      const here = await reach(passage, back);
      if (here) visitor.splice(here);
      book.info("stream relayed", facts);
    } catch (error) {
      log.warn("a stream could not be relayed", { ...facts, error: String(error) });
      visitor.close();
    }
  }
}
