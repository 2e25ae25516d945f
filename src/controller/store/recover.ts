/**
 * State from disk: snapshot plus journal.
 *
 * A torn last line is cut off. Other damage is copied aside, what was dropped is named, and the controller starts
 * with what came before it. Nothing here writes unless something has to be mended.
 */

import { replay } from "../../core/kernel.ts";
import { type ClusterState, emptyState, fromStored } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import { listSegments, segmentName } from "./journal.ts";
import { readSegment } from "./segment.ts";
import { previousPath, readSnapshot } from "./snapshot.ts";

export interface StorePlaces {
  readonly journalFolder: string;
  readonly snapshotFile: string;
}

export interface Recovered {
  readonly state: ClusterState;
  /** First sequence number of the segment to append to. */
  readonly segment: number;
  /** One sentence for each thing that was mended or lost. */
  readonly messages: readonly string[];
}

/** Reads the newest state that the disk holds, mending what a crash left. */
export async function recover(disk: Disk, places: StorePlaces): Promise<Recovered> {
  const messages: string[] = [];
  const state = await loadSnapshot(disk, places, messages);
  const segments = await listSegments(disk, places.journalFolder);
  let last = segments.at(-1) ?? state.seq + 1;
  for (const [index, first] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && next <= state.seq + 1) continue;
    const whole = await replaySegment(disk, places.journalFolder, first, state, messages);
    if (whole) continue;
    await setAsideRest(disk, places.journalFolder, segments.slice(index + 1), messages);
    last = first;
    break;
  }
  return { state, segment: last, messages };
}

async function loadSnapshot(disk: Disk, places: StorePlaces, messages: string[]): Promise<ClusterState> {
  for (const path of [places.snapshotFile, previousPath(places.snapshotFile)]) {
    try {
      const stored = await readSnapshot(disk, path);
      if (stored) return fromStored(stored);
    } catch (error) {
      const aside = `${path}.damaged`;
      await disk.rename(path, aside);
      messages.push(`${path} can't be read (${(error as Error).message}): kept as ${aside}, an older state is used`);
    }
  }
  return emptyState();
}

/** Replays one segment; false if the journal can't go on after it. */
async function replaySegment(
  disk: Disk,
  folder: string,
  first: number,
  state: ClusterState,
  messages: string[],
): Promise<boolean> {
  const name = segmentName(first);
  const path = `${folder}/${name}`;
  const data = await disk.read(path);
  const content = readSegment(data, name);
  const gap = content.records.find((record) => record.seq > state.seq);
  if (gap && gap.seq !== state.seq + 1) {
    messages.push(
      `${name}: records ${state.seq + 1} to ${gap.seq - 1} are missing; ${name} and what follows is kept aside`,
    );
    await disk.rename(path, `${path}.damaged`);
    return false;
  }
  replay(state, content.records);
  if (!content.trouble) return true;
  if (content.trouble.kind === "damaged") await disk.replace(`${path}.damaged`, data);
  if (content.goodBytes === 0) await disk.remove(path);
  else await disk.truncate(path, content.goodBytes);
  messages.push(describeTrouble(content.trouble, path));
  return content.trouble.kind === "torn";
}

function describeTrouble(trouble: { kind: string; what: string; lostBytes: number }, path: string): string {
  const cut = `${trouble.what}: ${trouble.lostBytes} bytes cut off`;
  return trouble.kind === "torn" ? `${cut} (nothing acknowledged is lost)` : `${cut}, kept as ${path}.damaged`;
}

async function setAsideRest(
  disk: Disk,
  folder: string,
  segments: readonly number[],
  messages: string[],
): Promise<void> {
  for (const first of segments) {
    const path = `${folder}/${segmentName(first)}`;
    await disk.rename(path, `${path}.damaged`);
    messages.push(`${segmentName(first)} can't follow the damage before it: kept as ${path}.damaged`);
  }
}
