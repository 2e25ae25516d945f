/** Chance as an argument. */

import { randomBytes } from "node:crypto";

export interface Random {
  /** So many random bytes in lower-case hexadecimal: tokens and request ids. */
  hex(byteCount: number): string;
}

/** The machine's cryptographic source. */
export function realRandom(): Random {
  return { hex: (byteCount) => randomBytes(byteCount).toString("hex") };
}
