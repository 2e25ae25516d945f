/**
 * The controller's door to other machines: listens with TLS and pre-shared keys, knows who is connected, cuts those whose
 * key is revoked, and carries streams between clients and nodes that can't reach each other.
 */

import type { User } from "../../core/jobspec.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { Random } from "../../platform/random.ts";
import type { SecureDoor, SecureListener, Visitor } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import { formatIdentity, type Grade, parseIdentity, parseTarget } from "../../protocol/identity.ts";
import type { PeerServer, Proven } from "../../rpc/serve.ts";
import type { Keys } from "./keys.ts";
import type { Relays } from "./relays.ts";

export interface NetworkPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Where it is written down who did what. */
  readonly book: Log;
  readonly random: Random;
  readonly door: SecureDoor;
  /** This machine as others reach it: a number or a name. */
  hostAddress(): string;
}

export interface NetworkSetup {
  readonly keys: Keys;
  readonly relays: Relays;
  /** Whose daemons these are: as whom nodes and tokens act. */
  readonly owner: User;
  /** Serves the calls of a connection. */
  readonly server: PeerServer;
  /** Whose job it is, while that start of it runs. */
  jobUser(jobId: number, attempt: number): User | null;
}

/** Somebody who is let in, and as what. */
type Admitted = { readonly grade: Grade; readonly name: string; readonly user: User };

export class Network {
  private readonly ports: NetworkPorts;
  private readonly setup: NetworkSetup;
  private listener: SecureListener | null = null;
  private host = "";
  private readonly visitors = new Map<string, Set<Visitor>>();

  constructor(ports: NetworkPorts, setup: NetworkSetup) {
    this.ports = ports;
    this.setup = setup;
  }

  /** Where other machines find us, `host:port`; `null` if we don't listen. */
  get target(): string | null {
    if (!this.listener) return null;
    const host = isEvery(this.host) ? this.ports.hostAddress() : this.host;
    return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${this.listener.port}`;
  }

  /** The same for programs on this machine. */
  get nearTarget(): string | null {
    return this.listener && isEvery(this.host) ? `127.0.0.1:${this.listener.port}` : this.target;
  }

  /** Where we listen, as it was said: `0.0.0.0:7411`; `null` if we don't. */
  get place(): string | null {
    return this.listener && `${this.host}:${this.listener.port}`;
  }

  /**
   * Listens there instead of where it did before, or nowhere.
   * @throws RpcError with the system's reason
   */
  async listen(address: string | null): Promise<void> {
    const target = address === null ? null : parseTarget(address.startsWith(":") ? `0.0.0.0${address}` : address);
    if (address !== null && target === null) {
      throw new RpcError("BAD_PARAMS", `can't listen at "${address}"`, "say HOST:PORT, for example 0.0.0.0:7411");
    }
    this.close();
    if (target === null) return;
    const at = target.lastIndexOf(":");
    const host = target.slice(0, at);
    const { log, door } = this.ports;
    try {
      this.listener = await door.listen({
        host: host.replace(/^\[(.*)\]$/, "$1"),
        port: Number(target.slice(at + 1)),
        keyOf: (identity) => (this.isGood(identity) ? this.setup.keys.derive(identity) : null),
        accept: (visitor) => this.accept(visitor),
        onRefused: (from, why, count) => {
          log.warn("refused a connection", { from, why, count });
          this.ports.book.warn("refused a connection", { from, why, count });
        },
      });
    } catch (error) {
      const { code } = error as { readonly code?: string };
      throw new RpcError("BAD_PARAMS", `can't listen at ${target}: ${listenProblem(code, String(error))}`);
    }
    this.host = host;
    log.info("listening for other machines", { target: this.target });
  }

  close(): void {
    this.listener?.close();
    this.listener = null;
  }

  /** Cuts everybody who proved an identity; answers how many connections that were. */
  cut(identity: string): number {
    const found = [...(this.visitors.get(identity) ?? [])];
    for (const visitor of found) visitor.close();
    return found.length;
  }

  /** Open connections of an identity. */
  countOf(identity: string): number {
    return this.visitors.get(identity)?.size ?? 0;
  }

  private isGood(identity: string): boolean {
    return this.setup.relays.knows(identity) || this.admit(identity) !== null;
  }

  private accept(visitor: Visitor): void {
    const { identity, from } = visitor;
    const owner = this.setup.relays.take(visitor);
    if (owner !== null) return this.track(owner, visitor);
    // Once more: the key may have been revoked during the handshake.
    const admitted = this.admit(identity);
    if (admitted === null) {
      this.ports.book.warn("refused a connection", { from, why: `${identity} is used up or revoked`, count: 1 });
      return visitor.close();
    }
    this.track(identity, visitor);
    const { grade, name, user } = admitted;
    const proven: Proven = { caller: { grade, identity, name, from }, user };
    visitor.converse((connection) => this.setup.server.accept(connection, proven));
  }

  private track(identity: string, visitor: Visitor): void {
    const same = this.visitors.get(identity) ?? new Set();
    this.visitors.set(identity, same.add(visitor));
    visitor.onClose(() => {
      same.delete(visitor);
      if (same.size === 0 && this.visitors.get(identity) === same) this.visitors.delete(identity);
    });
  }

  private admit(identity: string): Admitted | null {
    const parsed = parseIdentity(identity);
    if (parsed === null) return null;
    const { kind, name } = parsed;
    const { keys, owner } = this.setup;
    if (kind === "join") {
      return parsed.generation === 1 && keys.isToken(name) ? { grade: "join", name, user: owner } : null;
    }
    if (kind === "job") {
      const [jobId, attempt] = name.split(".").map(Number);
      const user = parsed.generation === 1 ? this.setup.jobUser(jobId ?? 0, attempt ?? 0) : null;
      return user && { grade: "user", name: user.name, user };
    }
    const key = keys.lookUp(identity);
    return key && { grade: key.role, name, user: key.user };
  }
}

/** What a running job proves itself with. */
export function jobIdentity(jobId: number, attempt: number): string {
  return formatIdentity({ kind: "job", name: `${jobId}.${attempt}`, generation: 1 });
}

/** Whether a host stands for all addresses of this machine. */
function isEvery(host: string): boolean {
  return /^(0\.0\.0\.0|\[?::\]?)$/.test(host);
}

function listenProblem(code: string | undefined, fallback: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "another program listens there; choose another port";
    case "EADDRNOTAVAIL":
      return "this machine has no such address; 0.0.0.0 stands for all that it has";
    case "EACCES":
      return "ports below 1024 are for root";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "this machine does not know that name";
    default:
      return fallback;
  }
}
