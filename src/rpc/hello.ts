/** Whether two sides understand each other, decided before either trusts the shape of what the other says. */

import * as v from "valibot";
import { RpcError } from "../protocol/errors.ts";
import { type Hello, type HelloAnswer, hello } from "../protocol/records.ts";
import { validate } from "./validate.ts";

/** A hello that takes longer is none: the other side hangs, or is not mgpu. */
export const HELLO_DEADLINE_MS = 10_000;

/** A version of the other side is quoted in messages; it may be anything. */
const VERSION_CHARS_MAX = 64;

/** What one side says of its program. */
export interface Speaker {
  /** "mgpuctld", or the role of one who called. */
  readonly name: string;
  readonly protocol: { readonly major: number; readonly minor: number };
  readonly version: string;
}

/** The part of a hello that every protocol version shares. */
const prelude = v.object({
  protocol: v.object({ major: v.number(), minor: v.number() }),
  version: v.string(),
  role: v.fallback(v.string(), "caller"),
});

/**
 * What a caller said, checked.
 * @throws RpcError VERSION, BAD_PARAMS
 */
export function readHello(params: unknown, answer: HelloAnswer): Hello {
  const { protocol, version, role } = validate(prelude, params, "BAD_PARAMS", "hello") as v.InferOutput<typeof prelude>;
  checkVersions({ name: role, protocol, version }, { name: answer.daemon, ...answer });
  return validate(hello, params, "BAD_PARAMS", "hello") as Hello;
}

/** @throws RpcError VERSION unless both have the same protocol major; it names the side to upgrade */
export function checkVersions(one: Speaker, other: Speaker): void {
  const difference = one.protocol.major - other.protocol.major;
  if (difference === 0) return;
  const older = difference < 0 ? one : other;
  throw new RpcError(
    "VERSION",
    `${describe(one)}, ${describe(other)}: upgrade the ${shorten(older.name)} side, which is older`,
    "install the same version of mgpu on both sides, then restart the older program",
  );
}

function describe({ name, protocol, version }: Speaker): string {
  return `${shorten(name)} speaks protocol ${protocol.major}.${protocol.minor} (mgpu ${shorten(version)})`;
}

function shorten(text: string): string {
  return text.length > VERSION_CHARS_MAX ? `${text.slice(0, VERSION_CHARS_MAX)}...` : text;
}
