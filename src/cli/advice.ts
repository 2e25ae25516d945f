/**
 * What a connection that failed means, in words, and what to do about it: the same for every command. Codes are those
 * of the system, of TLS (OpenSSL's alerts as Node names them; SILENT where none came, see platform/secure.ts) and of the wire.
 */

import { RpcError } from "../protocol/errors.ts";
import { errnoText } from "../util/errno.ts";

/** What went wrong, and what to do about it. */
export interface Advice {
  readonly problem: string;
  readonly hint: string;
  /** The other side is there, and will not have us: trying again would change nothing. */
  readonly isFinal?: boolean;
}

/** What the errors of a socket of this machine mean, where that is more than the system's words. */
const SOCKET_MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  ENOTDIR: "there is no such socket",
  ECONNREFUSED: "nobody listens there any more",
  LOST_CONTACT: "it ended the connection at once",
  EACCES: "permission denied",
  EPERM: "permission denied",
};

/** Errors of the wire after which it is worth a look at the connection. */
const OF_THE_WIRE: ReadonlySet<string> = new Set(["VERSION", "DEADLINE", "LOST_CONTACT", "MALFORMED", "NO_HELLO"]);

/** Whether a code says that no connection to a socket of this machine could be made. */
export function isSocketCode(code: string): boolean {
  return Object.hasOwn(SOCKET_MEANINGS, code);
}

/** Why a socket of this machine could not be used, in words. */
export function socketProblem(code: string): string {
  return SOCKET_MEANINGS[code] ?? errnoText({ code });
}

/** A hint with the command that looks closer. @param target `host:port`; `null` for mgpu on this machine */
export function withDoctor(hint: string, target: string | null): string {
  if (/\bmgpu doctor\b/.test(hint)) return hint;
  return `${hint === "" ? "" : `${hint}; `}mgpu doctor${target === null ? "" : ` ${target}`} looks closer`;
}

/** An error as it is told: one of the wire with the command that looks closer, any other as it is. */
export function advised<T>(error: T, target: string | null): T | RpcError {
  if (!(error instanceof RpcError) || !OF_THE_WIRE.has(error.code)) return error;
  return new RpcError(error.code, error.message, withDoctor(error.hint ?? "", target));
}

/** What an error of a connection to `host:port` means, in words; `null` for errors that speak for themselves. */
export function adviceFor(error: unknown, target: string): Advice | null {
  const code = codeOf(error);
  const advice = ofNetwork(code, target) ?? ofHandshake(code, target);
  if (advice !== null) return { ...advice, hint: withDoctor(advice.hint, target) };
  if (error instanceof RpcError || code === undefined) return null;
  const problem = code.startsWith("ERR_SSL") ? `no secure connection (${code})` : errnoText(error);
  return { problem, hint: withDoctor(`is ${target} right?`, target) };
}

/** Of the way to the port. */
function ofNetwork(code: string | undefined, target: string): Advice | null {
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
    case "EHOSTDOWN":
    case "ENETDOWN":
      return {
        problem: "there is no route to it",
        hint: `is ${host} switched on and in the same network or VPN? ip route get ${host} shows the way from here`,
      };
    case "EACCES":
    case "EPERM":
      return {
        problem: "a firewall forbids it",
        hint: `on ${host}, or on the way to it, open TCP port ${port}, for example: ufw allow ${port}/tcp`,
      };
    case "ETIMEDOUT":
      return {
        problem: "no answer (timed out)",
        hint: `a firewall may drop it, or ${host} is off; on ${host} open TCP port ${port}, for example: ufw allow ${port}/tcp`,
      };
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_FAIL":
      return {
        problem: `the name ${host} is unknown here`,
        hint: `use its number in place of the name, or add it to /etc/hosts; getent hosts ${host} must answer`,
      };
    default:
      return null;
  }
}

/** Of who answers there. */
function ofHandshake(code: string | undefined, target: string): Advice | null {
  const at = target.lastIndexOf(":");
  const [host, port] = [target.slice(0, at), target.slice(at + 1)];
  switch (code) {
    case "SILENT":
    case "DEADLINE":
      return {
        problem: "it takes the connection and says nothing",
        hint: `is ${port} the port that mgpu up --listen named? On ${host}: ss -ltnp sport = :${port} shows which program has it, mgpu status whether mgpuctld answers`,
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
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "CERT_HAS_EXPIRED":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION":
      return {
        problem: "something else than mgpu answers there",
        hint: `is ${port} the port that mgpu up --listen named?`,
      };
    case "ECONNRESET":
    case "EPIPE":
    case "LOST_CONTACT":
      return {
        problem: "it ended the connection at once",
        hint: `is ${port} mgpu's port? The reason is in mgpuctld.log and audit.log of the controller's state folder`,
      };
    default:
      return null;
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}
