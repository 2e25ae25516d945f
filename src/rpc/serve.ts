/** The listening side: accepts connections, and serves those that say hello in time and in a version it speaks. */

import type { Cancel } from "../platform/clock.ts";
import type { Address, Connection, ConnectionEvents } from "../platform/net.ts";
import type { Caller } from "../protocol/identity.ts";
import type { Hello, HelloAnswer } from "../protocol/procedures.ts";
import { decodeRepeating } from "../protocol/repeats.ts";
import { HELLO_DEADLINE_MS, readHello } from "./hello.ts";
import { handlerTable } from "./incoming-calls.ts";
import { joinInside } from "./inside.ts";
import { WirePeer } from "./peer.ts";
import type { AnyHandlers, Connected, Peer, RpcPorts, RpcServer } from "./types.ts";

/** Who is at the other end of a connection, where that was proven before the first frame. */
export interface Proven {
  readonly caller: Caller;
  readonly user: Hello["user"];
  /** Groups of which it may choose one; without them it has that of `user`. */
  readonly groups?: readonly number[];
}

/** A caller who says so much at once is not heard further before others had their turn: each takes some tenth of a millisecond, or several. */
const FRAMES_A_TURN = 16;

/** Serves connections that somebody else accepts. */
export interface PeerServer extends RpcServer {
  /** Takes a connection. Without `proven` its hello is believed: only its owner can open a Unix socket. */
  accept(connection: Connection, proven?: Proven): ConnectionEvents;
  /**
   * Takes somebody in the same process.
   * @param handlers answer what we call
   */
  join(hello: Hello, handlers: AnyHandlers): Connected;
}

/**
 * Serves an address until closed.
 * @param identity what hello is answered with; its protocol is the one that callers must speak
 * @param onPeer called when a hello succeeded, before any further call of that peer is looked at
 * @param isFair no caller's burst holds up others for long, at the price of its own speed
 * @throws the socket's own error, EADDRINUSE if the address exists
 */
export async function servePeers(
  ports: RpcPorts,
  address: Address,
  identity: () => HelloAnswer,
  handlers: AnyHandlers,
  onPeer: (peer: Peer, hello: Hello) => void = () => {},
  isFair = false,
): Promise<RpcServer> {
  const server = servePeersOf(ports, identity, handlers, onPeer, isFair);
  const listener = await ports.net.listen(address, (connection) => server.accept(connection));
  return {
    close() {
      server.close();
      listener.close();
    },
  };
}

/** The part of {@link servePeers} behind the listening. */
export function servePeersOf(
  { clock, log }: Pick<RpcPorts, "clock" | "log">,
  identity: () => HelloAnswer,
  handlers: AnyHandlers,
  onPeer: (peer: Peer, hello: Hello) => void = () => {},
  isFair = false,
): PeerServer {
  const shared = { clock, log, handlers: handlerTable(handlers, clock), logNumbers: { last: 0 } };
  const peers = new Set<Peer>();
  return {
    accept,
    join(hello, own) {
      const answer = identity();
      const theirs = {
        clock,
        log,
        handlers: handlerTable(own, clock),
        logNumbers: { last: 0 },
        name: answer.daemon,
        hello,
      };
      const [peer, ours] = joinInside(theirs, { ...shared, name: hello.role, hello });
      keep(ours);
      return { peer, answer };
    },
    close() {
      for (const peer of peers) peer.close();
    },
  };

  function keep(peer: Peer): void {
    peers.add(peer);
    void peer.closed.then(() => peers.delete(peer));
  }

  function accept(connection: Connection, proven?: Proven): ConnectionEvents {
    let stopDeadline: Cancel = () => {};
    const peer = new WirePeer({
      ...shared,
      ...(isFair ? { framesATurn: FRAMES_A_TURN, decoder: decodeRepeating } : {}),
      name: proven?.caller.identity ?? "a caller",
      door: {
        greet(params) {
          const answer = identity();
          const said = readHello(params, answer);
          stopDeadline();
          return { hello: proven ? greetingOf(said, proven) : said, answer };
        },
        onOpen: onPeer,
      },
    });
    stopDeadline = clock.after(HELLO_DEADLINE_MS, () => peer.fail(`no hello within ${HELLO_DEADLINE_MS / 1000} s`));
    keep(peer);
    void peer.closed.then(stopDeadline);
    peer.attach(connection);
    return peer.events;
  }
}

/** Of what a caller said, only the version counts, and which of its groups it works in (newgrp). */
function greetingOf(said: Hello, { caller, user, groups = [] }: Proven): Hello {
  const gid = groups.includes(said.user.gid) ? said.user.gid : user.gid;
  return { ...said, role: caller.grade === "node" ? "node" : "client", user: { ...user, gid }, caller };
}
