/** A controller of another machine: the connection, and what to do where there is none. */

import type { Credential } from "../platform/secure.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Invitation } from "../protocol/identity.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected } from "../rpc/types.ts";
import { errnoText } from "../util/errno.ts";
import { type ConnectPorts, NoController } from "./dial.ts";
import type { Remote } from "./target.ts";

/** What went wrong, and what to do about it. */
interface Advice {
  readonly problem: string;
  readonly hint: string;
  /** The other side is there, and will not have us. */
  readonly isFinal?: boolean;
}

type Dialler = Pick<ConnectPorts, "secureNet" | "clock" | "log" | "version" | "user">;

/** @throws NoController with advice; RpcError VERSION or DEADLINE of one that is there */
export async function connectRemote(ports: Dialler, remote: Invitation & Partial<Remote>): Promise<Connected> {
  try {
    return await dialRemote(ports, remote.target, remote);
  } catch (error) {
    const advice = adviceFor(error, remote.target);
    if (advice === null) throw error;
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

/** What an error of a connection to `host:port` means, in words; `null` for errors that speak for themselves. */
export function adviceFor(error: unknown, target: string): Advice | null {
  const code = codeOf(error);
  const at = target.lastIndexOf(":");
  const [host, port] = [target.slice(0, at), target.slice(at + 1)];
  switch (code) {
    case "ECONNREFUSED":
      return {
        problem: "nobody listens there (connection refused)",
        hint: `on ${host}: mgpu status shows whether mgpu runs, mgpu up --listen 0.0.0.0:${port} lets it listen`,
      };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return {
        problem: "there is no route to it",
        hint: `is ${host} switched on and in the same network or VPN? ip route get ${host} shows the way from here`,
      };
    case "ETIMEDOUT":
    case "DEADLINE":
      return {
        problem: "no answer (timed out)",
        hint: `a firewall may drop it, or ${host} is off; on ${host} open TCP port ${port}, for example: ufw allow ${port}/tcp`,
      };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        problem: `the name ${host} is unknown here`,
        hint: `use its number in place of the name, or add it to /etc/hosts; getent hosts ${host} must answer`,
      };
    case "ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER":
    case "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR":
      return {
        problem: "wrong key",
        hint: "the key is another cluster's, or was mistyped: get a new one there",
        isFinal: true,
      };
    case "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE":
      return {
        problem: "it does not know this key",
        hint: "the key was revoked or replaced, or the token is used up or too old: mgpu key issue or mgpu key token there makes another",
        isFinal: true,
      };
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION":
      return {
        problem: "something else than mgpu answers there",
        hint: `is ${port} the port that mgpu up --listen named?`,
      };
    case "ECONNRESET":
    case "LOST_CONTACT":
      return {
        problem: "it ended the connection at once",
        hint: `is ${port} mgpu's port? The reason is in mgpuctld.log and audit.log of the controller's state folder`,
      };
    default:
      if (error instanceof RpcError || code === undefined) return null;
      return {
        problem: code.startsWith("ERR_SSL") ? `no secure connection (${code})` : errnoText(error),
        hint: `is ${target} right?`,
      };
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}
