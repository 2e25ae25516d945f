/** Small journals for tests of the store: one node, then submissions. */

import { openJournal, segmentName } from "../../../src/controller/store/journal.ts";
import type { JournalRecord } from "../../../src/core/events.ts";
import { replay, step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { createSimDisk } from "../../../src/sim/disk.ts";
import { inventory, submit, T0 } from "../support/samples.ts";

export const places = { journalFolder: "/s/journal", snapshotFile: "/s/snapshot.json" };
export const first = `${places.journalFolder}/${segmentName(1)}`;
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** Records of a node and `count` submissions: record 1 is the node's, record i + 1 job i's. */
export function records(count: number): JournalRecord[] {
  const state = emptyState();
  const node = step(state, { type: "node.register", node: "n1", inventory: inventory() }, T0);
  const rest = Array.from({ length: count }, (_, i) => step(state, submit(`r${i + 1}`), T0 + i + 1));
  return [node, ...rest].flatMap((outcome) => outcome.record ?? []);
}

export function stateOf(list: readonly JournalRecord[]) {
  const state = emptyState();
  replay(state, list);
  return state;
}

/** A disk with the records of {@link records} in one segment. */
export async function written(count: number) {
  const disk = createSimDisk();
  const journal = await openJournal(disk, places.journalFolder, 1);
  await journal.append(records(count));
  return { disk, journal };
}
