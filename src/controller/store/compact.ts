/**
 * Makes a snapshot from the one before and the sealed segments, and removes what no recovery needs any more.
 *
 * Runs off the controller's thread (a worker), so it works from the disk alone and never touches the segment that is
 * being written.
 */

import { replay } from "../../core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import { listSegments, segmentName } from "./journal.ts";
import type { StorePlaces } from "./recover.ts";
import { readSegment, takeSegment } from "./segment.ts";
import { previousPath, readSnapshot, writeSnapshot } from "./snapshot.ts";

/** What the worker is asked to do. */
export interface Compaction {
  readonly places: StorePlaces;
  /** The open segment: only those before it are read. */
  readonly openSegment: number;
}

/** Writes the snapshot; answers with its sequence number. */
export async function compact(disk: Disk, { places, openSegment }: Compaction): Promise<number> {
  // A crash between the two steps of writing a snapshot leaves the previous one only.
  const stored =
    (await readSnapshot(disk, places.snapshotFile)) ?? (await readSnapshot(disk, previousPath(places.snapshotFile)));
  const state = stored ? fromStored(stored) : emptyState();
  for (const first of await sealedSegments(disk, places, openSegment)) {
    const path = `${places.journalFolder}/${segmentName(first)}`;
    if (await takeSegment(disk, path, { covered: state.seq }, (record) => replay(state, [record]))) continue;
    const content = readSegment(await disk.read(path), segmentName(first));
    if (content.trouble) throw new Error(content.trouble.what);
    replay(state, content.records);
  }
  if (stored && stored.seq === state.seq) return state.seq;
  await writeSnapshot(disk, places.snapshotFile, toStored(state));
  if (stored) await removeCovered(disk, places, openSegment, stored.seq);
  return state.seq;
}

/**
 * Segments whose every record the previous snapshot holds already: the newest may yet turn out damaged.
 * @param seq of the previous one, from which the newest was just made
 */
async function removeCovered(disk: Disk, places: StorePlaces, openSegment: number, seq: number): Promise<void> {
  const sealed = await sealedSegments(disk, places, openSegment);
  for (const [index, first] of sealed.entries()) {
    const next = sealed[index + 1] ?? openSegment;
    if (next <= seq + 1) await disk.remove(`${places.journalFolder}/${segmentName(first)}`);
  }
}

async function sealedSegments(disk: Disk, places: StorePlaces, openSegment: number): Promise<number[]> {
  const segments = await listSegments(disk, places.journalFolder);
  return segments.filter((first) => first < openSegment);
}
