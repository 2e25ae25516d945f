/** Files that people name in settings: read as text if they are what such a file can be. */

import { readFileSync, statSync } from "node:fs";
import { errnoText } from "../util/errno.ts";

/** Longest that any of them may be. */
const BYTES_MAX = 1024 * 1024;

/** A file's text, without a byte order mark, or a few words on why there is none. Never waits as on a FIFO. */
export function readSmallFile(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const found = statSync(path);
    if (found.isDirectory()) return { problem: "Is a directory" };
    if (!found.isFile()) return { problem: "this is no plain file" };
    if (found.size > BYTES_MAX) return { problem: `larger than the ${BYTES_MAX} bytes that it may have` };
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)) };
  } catch (error) {
    const { code } = error as { code?: unknown };
    return { problem: code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "this is no UTF-8 text" : errnoText(error) };
  }
}
