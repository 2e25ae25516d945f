/** One file's bytes, window by window: read here if it lies on this machine, else through the controller and its node. */

import type { Peer } from "../../rpc/types.ts";
import type { CommandContext } from "../context.ts";
import type { LogFile } from "./files.ts";

/** Bytes asked for at a time; what job.output allows. */
export const WINDOW_BYTES = 256 * 1024;

/** Most bytes before the end of a file in which its last lines are looked for. */
const TAIL_BYTES_MAX = 64 * 1024 * 1024;

const LINE_FEED = 10;

/** A part of a file and the size of all of it; `null` while there is no such file. */
type Window = { readonly data: Uint8Array; readonly size: number } | null;

export interface Source {
  /** Rejects with a sentence where the file is there and can't be read. */
  read(from: number, bytes: number): Promise<Window>;
}

/** The file on this machine. */
export function localSource({ files }: Pick<CommandContext, "files">, { path }: Pick<LogFile, "path">): Source {
  return { read: (from, bytes) => files.window(path, from, bytes) };
}

/** The file on its node. `peer` is asked for each time: it may have been replaced. */
export function relayedSource(peer: () => Peer, { job, stepId, node, path }: LogFile): Source {
  const name = { jobId: job.id, stepId, node, path };
  return {
    read: async (from, bytes) => (await peer().call("job.output", { ...name, from, bytes })).window,
  };
}

/** Where the last `lines` lines begin. A line that is not over yet counts. */
export async function tailStart(source: Source, lines: number): Promise<number> {
  const end = (await source.read(0, 0))?.size ?? 0;
  if (lines === 0) return end;
  const least = Math.max(0, end - TAIL_BYTES_MAX);
  let missing = lines;
  for (let to = end; to > least; ) {
    const from = Math.max(least, to - WINDOW_BYTES);
    const data = (await source.read(from, to - from))?.data ?? new Uint8Array();
    for (let at = data.length - 1; at >= 0; at--) {
      // The very last line break ends the last line, and begins none.
      if (data[at] !== LINE_FEED || from + at === end - 1) continue;
      missing -= 1;
      if (missing === 0) return from + at + 1;
    }
    to = from;
  }
  return least;
}

/** The beginning of `data` up to so many lines, and how many lines that is. */
export function headOf(data: Uint8Array, lines: number): { readonly data: Uint8Array; readonly lines: number } {
  let count = 0;
  for (let at = 0; at < data.length && count < lines; at++) {
    if (data[at] !== LINE_FEED) continue;
    count += 1;
    if (count === lines) return { data: data.subarray(0, at + 1), lines: count };
  }
  return { data: lines === 0 ? data.subarray(0, 0) : data, lines: count };
}
