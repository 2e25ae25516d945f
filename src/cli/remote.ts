/** A controller of another machine: the connection, and what to do where there is none. */

import type { Credential } from "../platform/secure.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Invitation } from "../protocol/identity.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected } from "../rpc/types.ts";
import { adviceFor, advised } from "./advice.ts";
import { type ConnectPorts, NoController } from "./dial.ts";
import type { Remote } from "./target.ts";

type Dialler = Pick<ConnectPorts, "secureNet" | "clock" | "log" | "version" | "user">;

/** @throws NoController with advice; RpcError VERSION or DEADLINE of one that is there */
export async function connectRemote(ports: Dialler, remote: Invitation & Partial<Remote>): Promise<Connected> {
  try {
    return await dialRemote(ports, remote.target, remote);
  } catch (error) {
    const advice = adviceFor(error, remote.target);
    if (advice === null) throw advised(error, remote.target);
    const problem = `can't reach the controller at ${remote.target}: ${advice.problem}`;
    // Trying again would change nothing.
    if (advice.isFinal) throw new RpcError("PERMISSION", problem, advice.hint);
    const source = remote.source ? ` (${remote.source} names it)` : "";
    throw new NoController(problem, `${advice.hint}${source}`, false);
  }
}

/** Connects and says hello; throws what the system or the other side says. */
export async function dialRemote(ports: Dialler, target: string, { identity, key }: Credential): Promise<Connected> {
  const net = await ports.secureNet({ identity, key });
  const { clock, log, version, user } = ports;
  const hello = { role: "client" as const, protocol: PROTOCOL, version, user };
  return { ...(await connectPeer({ net, clock, log }, { path: target }, hello)), isFar: true };
}
