/** The dialling side: connects, says hello, and checks that both sides understand each other. */

import type { Address } from "../platform/net.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Hello, HelloAnswer } from "../protocol/procedures.ts";
import { checkVersions, HELLO_DEADLINE_MS } from "./hello.ts";
import { handlerTable } from "./incoming-calls.ts";
import { WirePeer } from "./peer.ts";
import type { AnyHandlers, Connected, RpcPorts } from "./types.ts";

/**
 * Connects to a daemon. Handlers answer what it calls; their context's `hello` says "operator" with the user of our
 * own hello, since we chose whom to dial.
 * @param options deadlineMs: for connecting and hello together, in milliseconds; 10 s unless given
 * @throws RpcError VERSION, DEADLINE, LOST_CONTACT; the socket's own error (ENOENT, ECONNREFUSED ...) if nobody listens
 */
export async function connectPeer(
  ports: RpcPorts,
  address: Address,
  hello: Hello,
  handlers: AnyHandlers = {},
  options: { readonly deadlineMs?: number } = {},
): Promise<Connected> {
  const { net, clock, log } = ports;
  const deadlineMs = options.deadlineMs ?? HELLO_DEADLINE_MS;
  const peer = new WirePeer({
    clock,
    log,
    handlers: handlerTable(handlers, clock),
    logNumbers: { last: 0 },
    name: address.path,
    door: null,
  });
  let stopDeadline = (): void => {};
  const expired = new Promise<never>((_, reject) => {
    stopDeadline = clock.after(deadlineMs, () => {
      reject(new RpcError("DEADLINE", `no answer from ${address.path} within ${deadlineMs / 1000} s`));
    });
  });
  try {
    const greeted = net.connect(address, peer.events).then((connection) => {
      peer.attach(connection);
      return sayHello(peer, hello);
    });
    const answer = await Promise.race([greeted, expired]);
    return { peer, answer };
  } catch (error) {
    peer.close();
    throw error;
  } finally {
    stopDeadline();
  }
}

function sayHello(peer: WirePeer, hello: Hello): Promise<HelloAnswer> {
  return new Promise((resolve, reject) => {
    peer.begin({
      method: "hello",
      params: hello,
      onItem: null,
      options: { deadlineMs: null },
      // Opens the peer at once: the daemon may call us in the same chunk that brought its answer.
      resolve: (result) => {
        const answer = result as HelloAnswer;
        try {
          checkVersions({ name: hello.role, ...hello }, { name: answer.daemon, ...answer });
        } catch (error) {
          return reject(error);
        }
        const { protocol, version, daemon } = answer;
        peer.open({ role: "operator", protocol, version, user: hello.user }, daemon);
        resolve(answer);
      },
      reject,
    });
  });
}
