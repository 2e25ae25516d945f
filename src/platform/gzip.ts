/** Unpacking of what gzip packed. */

import { gunzipSync } from "node:zlib";

/** Largest text that is unpacked: a small file may claim to hold far more than memory does. */
const UNPACKED_MAX = 512 * 1024 * 1024;

/** The contents of a gzip file. Throws Node's error if it is damaged or too large. */
export function gunzip(data: Uint8Array): Uint8Array {
  return gunzipSync(data, { maxOutputLength: UNPACKED_MAX });
}
