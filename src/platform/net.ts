/** Byte connections as an argument: Unix sockets here, TLS in secure.ts, memory in simulations. */

import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { listenOn, type Upkeep } from "./listener.ts";
import { connectUnix } from "./socket-owner.ts";

/** Where to connect or listen. */
export interface Address {
  /** Path of a Unix socket, at most 107 bytes; of a net that speaks TLS `host:port`. */
  readonly path: string;
  /** Whose a Unix socket must be to be connected to, a uid: for one in a folder of that user's. Listening ignores it. */
  readonly owner?: number;
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

/** Time for what was written to be read before a closed connection is cut off. */
const CLOSE_MS = 5000;

/**
 * The machine's sockets.
 * @param upkeep of those that are listened on; without it one whose file is removed can't be reached any more
 */
export function realNet(upkeep: Upkeep | null = null): Net {
  return {
    connect,
    listen: (address, accept) => listen(address, accept, upkeep),
    removeStale: ({ path }) => rmSync(path, { force: true }),
  };
}

function connect(address: Address, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connectUnix(address);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      attach(socket, events);
      resolve(wrap(socket));
    });
  });
}

async function listen(
  { path }: Address,
  accept: (connection: Connection) => ConnectionEvents,
  upkeep: Upkeep | null,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = await listenOn(
    path,
    (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      attach(socket, accept(wrap(socket)));
    },
    upkeep,
  );
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Tells a connection's owner what its socket does. */
export function attach(socket: Socket, events: ConnectionEvents): void {
  let problem = "";
  socket.on("data", (chunk: Buffer) => events.data(chunk));
  socket.on("drain", () => events.drain());
  socket.on("error", (error: NodeJS.ErrnoException) => {
    problem = error.code ?? error.message;
  });
  socket.once("close", () => events.close(problem));
}

/** A socket as a connection. */
export function wrap(socket: Socket): Connection {
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
