/** The listening side: accepts connections, and serves those that say hello in time and in a version it speaks. */

import type { Cancel } from "../platform/clock.ts";
import type { Address, Connection, ConnectionEvents } from "../platform/net.ts";
import type { Hello, HelloAnswer } from "../protocol/procedures.ts";
import { HELLO_DEADLINE_MS, readHello } from "./hello.ts";
import { handlerTable } from "./incoming-calls.ts";
import { WirePeer } from "./peer.ts";
import type { AnyHandlers, Peer, RpcPorts, RpcServer } from "./types.ts";

/**
 * Serves an address until closed.
 * @param identity what hello is answered with; its protocol is the one that callers must speak
 * @param onPeer called when a hello succeeded, before any further call of that peer is looked at
 * @throws the socket's own error, EADDRINUSE if the address exists
 */
export async function servePeers(
  ports: RpcPorts,
  address: Address,
  identity: () => HelloAnswer,
  handlers: AnyHandlers,
  onPeer: (peer: Peer, hello: Hello) => void = () => {},
): Promise<RpcServer> {
  const { net, clock, log } = ports;
  const shared = { clock, log, handlers: handlerTable(handlers, clock), logNumbers: { last: 0 } };
  const peers = new Set<WirePeer>();
  const listener = await net.listen(address, accept);
  return {
    close() {
      for (const peer of peers) peer.close();
      listener.close();
    },
  };

  function accept(connection: Connection): ConnectionEvents {
    let stopDeadline: Cancel = () => {};
    const peer = new WirePeer({
      ...shared,
      name: "a caller",
      door: {
        greet(params) {
          const answer = identity();
          const hello = readHello(params, answer);
          stopDeadline();
          return { hello, answer };
        },
        onOpen: onPeer,
      },
    });
    stopDeadline = clock.after(HELLO_DEADLINE_MS, () => peer.fail(`no hello within ${HELLO_DEADLINE_MS / 1000} s`));
    peers.add(peer);
    void peer.closed.then(() => {
      stopDeadline();
      peers.delete(peer);
    });
    peer.attach(connection);
    return peer.events;
  }
}
