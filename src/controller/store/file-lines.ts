/** The lines of a file of any size, read in parts: of a large file in one piece, the copies that reading makes would be as large. */

import type { Disk } from "../../platform/disk.ts";
import { joinBytes } from "../../util/bytes.ts";

const PART_BYTES = 256 * 1024;

const NEWLINE = 10;

export interface FileLines {
  /** Without their line breaks. */
  readonly lines: readonly string[];
  /** There is one line, the file's last one, and it has no line break. */
  readonly isCut: boolean;
}

/** All lines in their order, some at a time. */
export async function* linesOfFile(disk: Disk, path: string): AsyncGenerator<FileLines> {
  const decoder = new TextDecoder();
  let rest = new Uint8Array();
  for (let from = 0; ; ) {
    const part = await disk.readPart(path, from, PART_BYTES);
    if (part.length === 0) break;
    from += part.length;
    const data = joinBytes([rest, part]);
    const end = data.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield { lines: decoder.decode(data.subarray(0, end - 1)).split("\n"), isCut: false };
    rest = data.slice(end);
  }
  if (rest.length > 0) yield { lines: [decoder.decode(rest)], isCut: true };
}
