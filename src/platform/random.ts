/** Chance as an argument. */

import { closeSync, openSync, readSync } from "node:fs";

export interface Random {
  /** So many random bytes in lower-case hexadecimal: tokens and request ids. */
  hex(byteCount: number): string;
}

/** The kernel's source. Loading node:crypto for it would cost every command 2.6 ms. */
export function realRandom(): Random {
  return { hex };
}

function hex(byteCount: number): string {
  const bytes = Buffer.alloc(byteCount);
  const source = openSync("/dev/urandom", "r");
  try {
    let filled = 0;
    while (filled < byteCount) filled += readSync(source, bytes, filled, byteCount - filled, null);
  } finally {
    closeSync(source);
  }
  return bytes.toString("hex");
}
