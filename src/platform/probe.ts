/** Single questions about the way to another machine, each bounded in time. None rejects. */

import { createSocket } from "node:dgram";
import { lookup } from "node:dns";
import { connect } from "node:net";
import { textOf } from "./kernel-text.ts";
import { type Credential, type SecureDoor, secureNet } from "./secure.ts";

/** How a question ended. */
export interface Probe {
  /** Empty for success; else the system's or TLS's code, ETIMEDOUT for no answer in time. */
  readonly code: string;
  readonly ms: number;
}

export interface NameProbe extends Probe {
  readonly addresses: readonly string[];
}

export interface RouteProbe extends Probe {
  /** The number of this machine on that way. */
  readonly from: string;
}

export interface Prober {
  /** The numbers of a name. */
  name(host: string): Promise<NameProbe>;
  /** Whether the kernel knows a way; sends nothing. */
  route(address: string): Promise<RouteProbe>;
  /** Whether a TCP connection can be made. */
  port(host: string, port: number): Promise<Probe>;
  /** Whether the kernel has lately asked its network for a number, IPv4 only, and no machine said that it has it. */
  isMissed(address: string): boolean;
}

const NAME_MS = 4000;
const PORT_MS = 3000;
const ROUTE_MS = 1000;

/** Of the real network. */
export function realProber(): Prober {
  return {
    async name(host) {
      const addresses: string[] = [];
      const probe = await timed(NAME_MS, (done) => {
        lookup(host, { all: true }, (error, found) => {
          for (const { address } of found ?? []) addresses.push(address);
          done(error?.code ?? "");
        });
      });
      return { ...probe, addresses };
    },
    async route(address) {
      let from = "";
      const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
      const probe = await timed(ROUTE_MS, (done) => {
        socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
        // Port 9 discards; nothing is sent to it.
        socket.connect(9, address, () => {
          from = socket.address().address;
          done("");
        });
      });
      socket.removeAllListeners("error");
      socket.on("error", () => {});
      socket.close();
      return { ...probe, from };
    },
    async port(host, port) {
      const socket = connect({ host, port });
      const probe = await timed(PORT_MS, (done) => {
        socket.once("connect", () => done(""));
        socket.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      });
      socket.destroy();
      return probe;
    },
    isMissed: (address) => isMissedIn(textOf("/proc/net/arp"), address),
  };
}

/**
 * Whether the neighbour table of /proc/net/arp has a number without the machine that it belongs to: its columns are the number, the
 * hardware's type, flags (2: known), the hardware's address; see arp(7).
 */
export function isMissedIn(table: string, address: string): boolean {
  const entries = table.split("\n").map((line) => line.split(/\s+/));
  const own = entries.filter(([number]) => number === address);
  return own.length > 0 && own.every(([, , flags]) => Number(flags) === 0);
}

/** A port of this machine that is open for some seconds, to see who reaches it. */
export interface Bell {
  readonly port: number;
}

/** Longer than all that are told of it take to ring. */
const BELL_MS = 15_000;

/**
 * Opens a port for whoever proves the credential, on all addresses, for some seconds. Nothing is said on it.
 * @returns `null` where no port can be opened
 */
export async function openBell(door: Pick<SecureDoor, "listen">, { identity, key }: Credential): Promise<Bell | null> {
  const keyOf = (asked: string): string | null => (asked === identity ? key : null);
  const accept = (visitor: { close(): void }): void => visitor.close();
  for (const host of ["::", "0.0.0.0"]) {
    try {
      const { port, close } = await door.listen({ host, port: 0, keyOf, accept, onRefused: () => {} });
      setTimeout(close, BELL_MS).unref();
      return { port };
    } catch {
      // A machine without IPv6 has the second only.
    }
  }
  return null;
}

async function timed(limitMs: number, begin: (done: (code: string) => void) => void): Promise<Probe> {
  const startedMs = performance.now();
  const code = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve("ETIMEDOUT"), limitMs);
    begin((found) => {
      clearTimeout(timer);
      resolve(found);
    });
  });
  return { code, ms: Math.round(performance.now() - startedMs) };
}

/** Longer than a handshake over the ocean. */
const RING_MS = 5000;

/** Connects to a {@link Bell}; whoever completes the handshake has reached it. */
export function ringBell(target: string, credential: Credential): Promise<Probe> {
  return timed(RING_MS, (done) => {
    const events = { data: () => {}, drain: () => {}, close: () => {} };
    secureNet(credential)
      .connect({ path: target }, events)
      .then(
        (connection) => {
          connection.close();
          done("");
        },
        (error: NodeJS.ErrnoException) => done(error.code ?? error.message),
      );
  });
}
