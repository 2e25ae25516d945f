/**
 * TCP with TLS 1.3 and pre-shared keys, and nothing else: who can't prove a key gets no further than the handshake.
 * Who calls names an identity; who listens looks up its key. There are no certificates and no session tickets that count.
 */

import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, createServer, type TLSSocket } from "node:tls";
import { createGate, type GateNews } from "./gate.ts";
import { type Address, attach, type Connection, type ConnectionEvents, type Net, wrap } from "./net.ts";
import { connectUnix } from "./socket-owner.ts";

/** What a caller proves itself with. */
export interface Credential {
  /** At most 120 characters; sent in the clear. */
  readonly identity: string;
  /** Hexadecimal; never sent. */
  readonly key: string;
}

/** Somebody who proved an identity. Nothing is read from it before one of the methods is called. */
export interface Visitor {
  readonly identity: string;
  /** The caller's address. */
  readonly from: string;
  /** Talks with it. */
  converse(accept: (connection: Connection) => ConnectionEvents): void;
  /** Carries all bytes to and from a Unix socket or another visitor, until either ends. */
  splice(other: Visitor | Address): void;
  /** Hears once of its end; at once if that was before. */
  onClose(callback: () => void): void;
  close(): void;
}

export interface SecureListener {
  readonly port: number;
  close(): void;
}

export interface SecureListen extends GateNews {
  /** A number or name of this machine; `0.0.0.0` and `::` for all of its addresses. */
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** The key of an identity in hexadecimal, or `null` if there is none (any more). */
  keyOf(identity: string): string | null;
  accept(visitor: Visitor): void;
}

/** The ports through which daemons listen for, and dial, other machines. */
export interface SecureDoor {
  /** Rejects with Node's error (EADDRINUSE, EADDRNOTAVAIL ...). */
  listen(options: SecureListen): Promise<SecureListener>;
  /** Connects to a listener and carries all bytes to and from a Unix socket. Rejects if the listener can't be reached. */
  bridge(target: string, credential: Credential, address: Address): Promise<void>;
}

/** The one suite that Node offers for pre-shared keys. Keys are agreed on anew for each connection (ECDHE). */
const SUITE = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;

/** A handshake takes two round trips. */
const HANDSHAKE_MS = 8000;

/** The system gives up after two minutes: nobody waits so long. */
const CONNECT_MS = 8000;

/** How soon an idle connection is asked whether its other end lives. */
const KEEP_ALIVE_MS = 15_000;

/** Both directions of the real network. */
export function realSecureDoor(): SecureDoor {
  return { listen, bridge };
}

/**
 * A net whose addresses are `host:port` and whose connections prove a credential. It only dials.
 * @param onLocal hears from which of this machine's addresses each connection was made
 */
export function secureNet(credential: Credential, onLocal: (address: string) => void = () => {}): Net {
  return {
    async connect({ path }, events) {
      const socket = await dial(path, credential);
      onLocal(socket.localAddress ?? "");
      attach(socket, events);
      return wrap(socket);
    },
    listen: () => Promise.reject(new Error("this net only dials")),
    removeStale: () => {},
  };
}

function dial(target: string, { identity, key }: Credential): Promise<TLSSocket> {
  const [host, port] = splitTarget(target);
  const options: ConnectionOptions = {
    ...{ ...SUITE, host, port },
    // There is no certificate: who does not know our key can't complete the handshake.
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ identity, psk: Buffer.from(key, "hex") }),
  };
  return new Promise((resolve, reject) => {
    const socket = connectTls(options);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      socket.destroy();
    };
    let isOpen = false;
    socket.once("connect", () => {
      isOpen = true;
    });
    const onLate = (): void => {
      const code = isOpen ? "SILENT" : "ETIMEDOUT";
      fail(systemError(code, `connect ${code} ${target}`));
    };
    const timer = setTimeout(onLate, CONNECT_MS);
    socket.once("error", fail);
    socket.once("close", () => fail(systemError("ECONNRESET", `connect ECONNRESET ${target}`)));
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      settle(socket);
      resolve(socket);
    });
  });
}

/** `host:port`, `[::1]:port`. */
function splitTarget(target: string): [string, number] {
  const at = target.lastIndexOf(":");
  return [target.slice(0, at).replace(/^\[(.*)\]$/, "$1"), Number(target.slice(at + 1))];
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall: "connect" });
}

function settle(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

function listen(options: SecureListen): Promise<SecureListener> {
  const { host, port, keyOf, accept } = options;
  const gate = createGate(options);
  const proven = new WeakMap<object, string>();
  const server = createServer(
    {
      ...SUITE,
      handshakeTimeout: HANDSHAKE_MS,
      pskCallback(socket, identity) {
        const key = keyOf(identity);
        if (key === null) {
          gate.noteUnknown(socket.remoteAddress ?? "", identity);
          return null;
        }
        proven.set(socket, identity);
        return Buffer.from(key, "hex");
      },
    },
    (socket) => {
      const identity = proven.get(socket);
      const from = socket.remoteAddress ?? "";
      socket.on("error", () => {});
      // A session resumed by a ticket has proven nothing today: its key may be revoked.
      if (identity === undefined) {
        gate.noteRefused(from, "a session was resumed instead of proving a key");
        socket.destroy();
        return;
      }
      settle(socket);
      gate.noteProven(socket);
      accept(visitorOf(socket, identity, from));
    },
  );
  server.on("connection", (socket) => gate.admit(socket));
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    gate.noteRefused(socket.remoteAddress ?? "", reasonOf(error));
    // Node leaves one open that was too slow: it would keep its place at the gate for ever.
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      // Out of descriptors, for instance: those who are connected stay.
      server.on("error", (error) => gate.noteRefused("", String(error)));
      const address = server.address();
      resolve({
        port: typeof address === "object" && address ? address.port : port,
        close() {
          server.close();
          gate.close();
        },
      });
    });
  });
}

/** What was wrong with a handshake, in words for the log. */
function reasonOf({ code = "", message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ERR_SSL_BINDER_DOES_NOT_VERIFY":
      return "wrong key";
    case "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM":
    case "ERR_SSL_NO_SHARED_CIPHER":
      return "no known key was offered";
    case "ERR_SSL_HTTP_REQUEST":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
      return "not TLS 1.3";
    case "ERR_TLS_HANDSHAKE_TIMEOUT":
      return "no handshake in time";
    case "ECONNRESET":
      return "left during the handshake";
    default:
      return code || message.slice(0, 100);
  }
}

const sockets = new WeakMap<Visitor, TLSSocket>();

function visitorOf(socket: TLSSocket, identity: string, from: string): Visitor {
  const visitor: Visitor = {
    identity,
    from,
    converse: (accept) => attach(socket, accept(wrap(socket))),
    splice(other) {
      join(socket, "path" in other ? connectUnix(other) : must(sockets.get(other)));
    },
    onClose(callback) {
      if (socket.closed) callback();
      else socket.once("close", callback);
    },
    close: () => void socket.destroy(),
  };
  sockets.set(visitor, socket);
  return visitor;
}

function must(socket: TLSSocket | undefined): TLSSocket {
  if (!socket) throw new Error("a visitor of another door");
  return socket;
}

/** Carries bytes both ways. The slower side sets the pace; the end of either is the end of both. */
function join(one: Duplex, other: Duplex): void {
  const end = (): void => {
    one.destroy();
    other.destroy();
  };
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", end);
    from.once("end", () => to.end());
    from.once("close", () => {
      // What was read before is still on its way to the other side.
      if (!to.writableEnded) to.end();
      const timer = setTimeout(end, HANDSHAKE_MS);
      timer.unref();
      to.once("close", () => clearTimeout(timer));
    });
    from.pipe(to, { end: false });
  }
}

async function bridge(target: string, credential: Credential, address: Address): Promise<void> {
  const socket = await dial(target, credential);
  join(socket, connectUnix(address));
}
