/**
 * Who somebody is on a connection of another machine, and the line of text by which people carry it about.
 *
 *   user/ada/1         identity: what it may do, whose it is, and which key of that name
 *   gpu0:7411#user/ada/1:5f0c...    invitation: where the controller is, an identity and its key
 *   gpu0:7411#3f9a...               the same for a machine that is to join: 8 digits of the token's name, 32 of its key
 */

import * as v from "valibot";
import * as s from "./schemas.ts";

/** What the bearer of a key may do. `join` may become a node; the others are Slurm's AdminLevels and a node daemon. */
export const GRADES = ["user", "operator", "administrator", "node", "join"] as const;

export type Grade = (typeof GRADES)[number];

/** Who proved what on a connection from another machine, or as another user. Set by who listens, never taken from a message. */
export interface Caller {
  readonly grade: Grade;
  /** `user/ada/1` */
  readonly identity: string;
  /** `ada`, or the node's name. */
  readonly name: string;
  /** The address that it called from. */
  readonly from: string;
  /** A user of this machine, on a socket that nobody else can open. */
  readonly isHere?: true;
}

/** An identity's parts. */
export interface Identity {
  /** A grade, or what a daemon uses for one connection: `job`, `door`, `back`, `stream`. */
  readonly kind: string;
  readonly name: string;
  /** Keys of one name are numbered: the newest alone is good. */
  readonly generation: number;
}

/** Port of a controller that is given none. */
const DEFAULT_PORT = 7411;

/** Where a controller is, and what to prove to it. */
export interface Invitation {
  /** `host:port` */
  readonly target: string;
  readonly identity: string;
  /** Hexadecimal. */
  readonly key: string;
}

const IDENTITY = /^([a-z]+)\/([A-Za-z0-9][A-Za-z0-9._@-]{0,62})\/(\d{1,9})$/;

const TOKEN_NAME_DIGITS = 8;

export const credential = v.object({ identity: s.name, key: s.name });

/** `user/ada/1` */
export function formatIdentity({ kind, name, generation }: Identity): string {
  return `${kind}/${name}/${generation}`;
}

/** The inverse of {@link formatIdentity}; `null` for anything else. */
export function parseIdentity(text: string): Identity | null {
  const [, kind, name, generation] = IDENTITY.exec(text) ?? [];
  if (kind === undefined || name === undefined) return null;
  return { kind, name, generation: Number(generation) };
}

/** `gpu0:7411#user/ada/1:5f0c...`; of a join token the short form. */
export function formatInvitation({ target, identity, key }: Invitation): string {
  const parsed = parseIdentity(identity);
  return parsed?.kind === "join" ? `${target}#${parsed.name}${key}` : `${target}#${identity}:${key}`;
}

/** The inverse of {@link formatInvitation}; `null` for anything else. The port may be missing. */
export function parseInvitation(text: string): Invitation | null {
  const at = text.indexOf("#");
  const target = at < 0 ? null : parseTarget(text.slice(0, at));
  if (target === null) return null;
  const secret = text.slice(at + 1).trim();
  if (/^[0-9a-f]{40}$/.test(secret)) {
    const name = secret.slice(0, TOKEN_NAME_DIGITS);
    return { target, identity: formatIdentity({ kind: "join", name, generation: 1 }), key: secret.slice(name.length) };
  }
  const [, identity = "", key = ""] = /^(.+):([0-9a-f]{32,128})$/.exec(secret) ?? [];
  return parseIdentity(identity) ? { target, identity, key } : null;
}

/** `host:port` with the usual port where none is given; an IPv6 number needs brackets then. `null` if it is neither. */
export function parseTarget(text: string): string | null {
  const [, host = "", port] =
    /^(\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\]|[A-Za-z0-9][A-Za-z0-9.-]*|)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  return host === "" || number > 65535 ? null : `${host}:${number}`;
}
