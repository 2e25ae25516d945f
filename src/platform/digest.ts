/** Hashes as an argument: names of stored blobs, and tokens that can be made again after a restart. */

import { createHash, createHmac } from "node:crypto";

export interface Digest {
  /** SHA-256 in lower-case hexadecimal. */
  sha256(data: Uint8Array): string;
  /** HMAC-SHA-256 of a text in lower-case hexadecimal. */
  keyed(secret: string, text: string): string;
}

/** The machine's OpenSSL. */
export function realDigest(): Digest {
  return {
    sha256: (data) => createHash("sha256").update(data).digest("hex"),
    keyed: (secret, text) => createHmac("sha256", secret).update(text).digest("hex"),
  };
}
