/** A served address and callers of it, for the tests of this folder. */

import type { Log, LogFields } from "../../../src/platform/log.ts";
import type { Connection, Net } from "../../../src/platform/net.ts";
import { type Envelope, encodeFrame, FrameReader } from "../../../src/protocol/codec.ts";
import { FRAME_BYTES_MAX, PROTOCOL } from "../../../src/protocol/envelope.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Hello, HelloAnswer } from "../../../src/protocol/procedures.ts";
import { connectPeer } from "../../../src/rpc/connect.ts";
import { servePeers } from "../../../src/rpc/serve.ts";
import type { AnyHandlers, Connected, Peer, RpcServer } from "../../../src/rpc/types.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";
import { type MemoryNet, memoryNet } from "./memory-net.ts";

export const ADDRESS = { path: "/test/ctld.sock" };

export const HELLO: Hello = {
  role: "client",
  protocol: PROTOCOL,
  version: "0.1.0",
  user: { uid: 1000, gid: 1000, name: "ada" },
};

export const IDENTITY: HelloAnswer = {
  daemon: "mgpuctld",
  protocol: PROTOCOL,
  version: "0.1.0",
  pid: 4711,
  startedAt: 1_700_000_000_000,
};

export interface LogLine extends LogFields {
  readonly level: string;
  readonly message: string;
}

export interface Rig<N extends Net = MemoryNet> extends Connected {
  readonly net: N;
  readonly clock: ManualClock;
  readonly server: RpcServer;
  /** The server's ends of all connections, oldest first. */
  readonly accepted: Peer[];
  readonly lines: LogLine[];
}

export interface RigOptions {
  readonly clientHandlers?: AnyHandlers;
  readonly hello?: Hello;
  readonly identity?: HelloAnswer;
  readonly onPeer?: (peer: Peer, hello: Hello) => void;
}

/** A server with these handlers, and one connected caller. */
export function startRig(handlers: AnyHandlers, options?: RigOptions): Promise<Rig> {
  return startRigOver(memoryNet(), ADDRESS, handlers, options);
}

export async function startRigOver<N extends Net>(
  net: N,
  address: { readonly path: string },
  handlers: AnyHandlers,
  options: RigOptions = {},
): Promise<Rig<N>> {
  const clock = manualClock();
  const lines: LogLine[] = [];
  const log = memoryLog(lines);
  const accepted: Peer[] = [];
  const ports = { net, clock, log };
  const onPeer = (peer: Peer, hello: Hello): void => {
    accepted.push(peer);
    options.onPeer?.(peer, hello);
  };
  const server = await servePeers(ports, address, () => options.identity ?? IDENTITY, handlers, onPeer);
  const connected = await connectPeer(ports, address, options.hello ?? HELLO, options.clientHandlers);
  return { ...connected, net, clock, server, accepted, lines };
}

export function memoryLog(lines: LogLine[]): Log {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, ...fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A caller that speaks frames by hand, and so may break every rule. */
export interface RawCaller {
  readonly received: Envelope[];
  /** Null while the connection is open. */
  readonly closed: { problem: string | null };
  readonly connection: Connection;
  send(...values: readonly unknown[]): void;
}

export async function rawCaller(net: Net, address = ADDRESS): Promise<RawCaller> {
  const reader = new FrameReader(FRAME_BYTES_MAX);
  const received: Envelope[] = [];
  const closed: { problem: string | null } = { problem: null };
  const connection = await net.connect(address, {
    data: (chunk) => {
      for (const { envelope } of reader.push(chunk)) received.push(envelope);
    },
    drain: () => {},
    close: (problem) => {
      closed.problem = problem;
    },
  });
  return {
    received,
    closed,
    connection,
    send: (...values) => {
      for (const value of values) connection.write(encodeFrame(value));
    },
  };
}

/** Lets everything that is on its way arrive. */
export async function settle(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The error of a promise that must reject; fails if it resolves. */
export async function errorOf(promise: Promise<unknown>): Promise<RpcError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  throw new Error("it resolved");
}
