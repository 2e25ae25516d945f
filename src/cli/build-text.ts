/** What a program says of itself with --version. */

import { COMMIT } from "../config/version.ts";
import { PROTOCOL } from "../protocol/envelope.ts";

/** `mgpu 0.1.0 (commit 0123456789, protocol 1.0)`. */
export function buildText(program: string, version: string): string {
  return `${program} ${version} (commit ${COMMIT || "unknown"}, protocol ${PROTOCOL.major}.${PROTOCOL.minor})`;
}
