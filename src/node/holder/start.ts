/** A holder behind its socket: what the program mgpu-stepd is, without its command line. */

import type { Cancel, Clock } from "../../platform/clock.ts";
import type { Net } from "../../platform/net.ts";
import { PROTOCOL } from "../../protocol/envelope.ts";
import { guestSocketOf } from "../../protocol/holder-socket.ts";
import { servePeers } from "../../rpc/serve.ts";
import type { AnyHandlers, Peer } from "../../rpc/types.ts";
import { createHolder, type Holder, type HolderPorts } from "./holder.ts";
import { ALONE_MS } from "./limits.ts";

/** A first step with two tasks finds its pipes made. */
const PIPES_AHEAD = 6;

export interface HolderProcessOptions {
  /** Path of the Unix socket to listen at; nobody may listen there. */
  readonly socket: string;
  /** Program version. */
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface HolderProcess {
  /** Resolves when the holder agreed to end and has let go of everything: the program may exit. */
  readonly ended: Promise<void>;
  /** Ends as soon as nothing runs; says in the log why it stays until then. */
  leave(why: string): void;
  /** Ends at once. Steps with pipes or a terminal lose them; batch scripts go on. */
  close(): void;
  /** For a program that launches its only step itself. */
  readonly handlers: Holder["handlers"];
  /** How many are connected, and how many ever were. */
  peers(): { readonly now: number; readonly ever: number };
}

/**
 * Listens and serves.
 * @throws the socket's own error, EADDRINUSE if it exists
 */
export async function startHolder(
  ports: HolderPorts & { readonly net: Net },
  options: HolderProcessOptions,
): Promise<HolderProcess> {
  const { socket, version, pid, startedAt } = options;
  const holder = createHolder(ports);
  const identity = () => ({ daemon: "mgpu-stepd" as const, protocol: PROTOCOL, version, pid, startedAt });
  const company = lookForCompany(ports.clock, () => holder.leaving.leaveIfUseless());
  const server = await servePeers(ports, { path: socket }, identity, holder.handlers, company.welcome);
  const guests = { path: guestSocketOf(socket) };
  ports.net.removeStale(guests);
  const guestServer = await servePeers(ports, guests, identity, guestHandlers(holder), company.welcome);
  ports.log.info("holder listens", { socket, pid });
  // Before the first launch comes: pipes ahead of need, and all that runs already looked at once.
  void ports.processes.prepare(PIPES_AHEAD);
  ports.table.find("");
  const close = (): void => {
    company.stop();
    server.close();
    guestServer.close();
    holder.close();
    ports.log.info("holder ends", { pid });
  };
  const { handlers } = holder;
  const leave = (why: string): void => holder.leaving.leave(why);
  return { ended: holder.ended.then(close), leave, close, handlers, peers: company.count };
}

/** What the clients of steps may call; each of these calls shows its step's token. */
function guestHandlers({ handlers }: Holder): AnyHandlers {
  return Object.fromEntries(Object.entries(handlers).filter(([method]) => method.startsWith("step.")));
}

/** Calls `alone` each time that nobody has been connected for ALONE_MS. */
function lookForCompany(clock: Clock, alone: () => void) {
  let peers = 0;
  let ever = 0;
  let cancel: Cancel = () => {};
  const wait = (): void => {
    cancel();
    cancel = clock.after(ALONE_MS, () => {
      if (peers === 0) alone();
      wait();
    });
  };
  wait();
  return {
    count: () => ({ now: peers, ever }),
    welcome(peer: Peer): void {
      peers += 1;
      ever += 1;
      void peer.closed.then(() => {
        peers -= 1;
        if (peers === 0) wait();
      });
    },
    stop: () => cancel(),
  };
}
