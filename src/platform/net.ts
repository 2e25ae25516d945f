/** Byte connections as an argument: Unix sockets here, TLS later, memory in simulations. */

import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";

/** Where to connect or listen. */
export interface Address {
  /** Path of a Unix socket, at most 107 bytes. */
  readonly path: string;
}

/** What a connection tells its owner. Set once, before anything can arrive. */
export interface ConnectionEvents {
  data(chunk: Uint8Array): void;
  /** After `write` returned false: there is room again. */
  drain(): void;
  /** Once, at the end, from either side; `problem` is empty after an orderly end. */
  close(problem: string): void;
}

export interface Connection {
  /** Sends; false asks the caller to wait for `drain`. Ignored after the end. */
  write(data: Uint8Array): boolean;
  /** Stops and restarts `data`. */
  pause(): void;
  resume(): void;
  /** Ends after what was written is sent. */
  close(): void;
}

export interface Listener {
  close(): void;
}

export interface Net {
  /** Resolves when connected; rejects with Node's error (ENOENT, ECONNREFUSED ...). */
  connect(address: Address, events: ConnectionEvents): Promise<Connection>;
  /** Accepts connections on a socket only its owner may open (mode 0600). Rejects with EADDRINUSE if it exists. */
  listen(address: Address, accept: (connection: Connection) => ConnectionEvents): Promise<Listener>;
  /** Removes a socket file that nobody listens on. */
  removeStale(address: Address): void;
}

/** Of a Unix socket, without the closing zero. */
const PATH_BYTES_MAX = 107;

/** Time for what was written to be read before a closed connection is cut off. */
const CLOSE_MS = 5000;

/** The machine's sockets. */
export function realNet(): Net {
  return { connect, listen, removeStale: ({ path }) => rmSync(path, { force: true }) };
}

function connect(address: Address, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: address.path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      attach(socket, events);
      resolve(wrap(socket));
    });
  });
}

function listen(address: Address, accept: (connection: Connection) => ConnectionEvents): Promise<Listener> {
  if (Buffer.byteLength(address.path) > PATH_BYTES_MAX) {
    // The kernel would take the first bytes of it, and listen somewhere else.
    return Promise.reject(new Error(`${address.path} is longer than the ${PATH_BYTES_MAX} bytes of a socket's path`));
  }
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      attach(socket, accept(wrap(socket)));
    });
    server.once("error", reject);
    const previous = process.umask(0o177);
    // The socket file appears within listen() itself, so the umask guards it from its first moment.
    server.listen(address.path, () => {
      chmodSync(address.path, 0o600);
      resolve({
        close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
    process.umask(previous);
  });
}

function attach(socket: Socket, events: ConnectionEvents): void {
  let problem = "";
  socket.on("data", (chunk: Buffer) => events.data(chunk));
  socket.on("drain", () => events.drain());
  socket.on("error", (error: NodeJS.ErrnoException) => {
    problem = error.code ?? error.message;
  });
  socket.once("close", () => events.close(problem));
}

function wrap(socket: Socket): Connection {
  return {
    write: (data) => socket.writable && socket.write(data),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      socket.end();
      // A peer that never reads must not keep the socket and what was queued for it.
      const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
      timer.unref();
      socket.once("close", () => clearTimeout(timer));
    },
  };
}
