/** Hashes as an argument: names of stored blobs, and tokens that can be made again after a restart. */

import { createHash, createHmac, hkdfSync } from "node:crypto";

export interface Digest {
  /** SHA-256 in lower-case hexadecimal. */
  sha256(data: Uint8Array): string;
  /** HMAC-SHA-256 of a text in lower-case hexadecimal. */
  keyed(secret: string, text: string): string;
  /** A key of 32 bytes that follows from a secret (both in hexadecimal) and what it is for: HKDF-SHA-256, RFC 5869. */
  derive(secret: string, purpose: string): string;
}

/** Keeps our keys apart from those of other programs, should somebody use the same secret. */
const SALT = "mgpu key 1";

const KEY_BYTES = 32;

/** The machine's OpenSSL. */
export function realDigest(): Digest {
  return {
    sha256: (data) => createHash("sha256").update(data).digest("hex"),
    keyed: (secret, text) => createHmac("sha256", secret).update(text).digest("hex"),
    derive: (secret, purpose) =>
      Buffer.from(hkdfSync("sha256", Buffer.from(secret, "hex"), SALT, purpose, KEY_BYTES)).toString("hex"),
  };
}
