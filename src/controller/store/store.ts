/**
 * Durable state for the loop: append events, reload after trouble, snapshot in the background.
 *
 * One owner, one append at a time. After a failed append the store refuses further ones until `reload` succeeded:
 * what is on disk is the truth, and the loop starts again from there.
 */

import type { JournalRecord } from "../../core/events.ts";
import type { ClusterState } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import type { Log } from "../../platform/log.ts";
import type { Compaction } from "./compact.ts";
import { JournalMoved, openJournal, segmentName } from "./journal.ts";
import { type Recovered, recover, type StorePlaces } from "./recover.ts";

export interface StorePorts {
  readonly disk: Disk;
  readonly log: Log;
  /** Makes a snapshot off this thread. */
  compact(compaction: Compaction): Promise<number>;
}

export interface Store {
  /** Makes records durable. */
  append(records: readonly JournalRecord[]): Promise<void>;
  /** Rejects if the disk would not take a batch right now; with JournalMoved if there is no journal to go on with. */
  probe(): Promise<void>;
  /** Rejects with JournalMoved if what is written would be lost, because somebody removed or replaced the journal. */
  checkPlace(): Promise<void>;
  /**
   * State as the disk has it, after cutting off what a failed append left. Rejects while the disk is unusable, with
   * JournalMoved while there is an older state in the journal's place.
   */
  reload(): Promise<ClusterState>;
  close(): Promise<void>;
}

export interface OpenedStore {
  readonly store: Store;
  readonly state: ClusterState;
}

/** Room for a batch of ordinary size; a full disk refuses it. */
const PROBE_BYTES = 64 * 1024;

/** Opens the state folder, mending what a crash left; each mend is logged. */
export async function openStore(ports: StorePorts, places: StorePlaces, snapshotBytes: number): Promise<OpenedStore> {
  const { disk, log } = ports;
  await disk.makeFolder(places.journalFolder);
  const load = async (): Promise<Recovered> => {
    const recovered = await recover(disk, places);
    for (const message of recovered.messages) log.warn(message);
    for (const message of recovered.damage) log.error(message);
    return recovered;
  };
  const first = await load();
  let journal = await openJournal(disk, places.journalFolder, first.segment);
  let compaction: Promise<void> | null = null;
  let lastSeq = first.state.seq;

  /** Begins a new segment, so that a worker can read the sealed ones while this one grows. */
  const rotateAndCompact = async (): Promise<void> => {
    const openSegment = lastSeq + 1;
    await journal.rotate(openSegment);
    compaction = ports
      .compact({ places, openSegment })
      .then(
        (seq) => log.info("snapshot written", { seq }),
        (error: unknown) => log.error("no snapshot could be made; the journal goes on", { error: String(error) }),
      )
      .finally(() => {
        compaction = null;
      });
  };

  /** Only where the disk was found damaged: the journal goes on in another segment. */
  const reopen = async (segment: number): Promise<void> => {
    const old = journal;
    journal = await openJournal(disk, places.journalFolder, segment);
    await old.close().catch(() => {});
  };

  const store: Store = {
    async append(records) {
      await journal.append(records);
      lastSeq = records.at(-1)?.seq ?? lastSeq;
      if (journal.segmentBytes < snapshotBytes || compaction !== null) return;
      // The records are safe; that a new segment can't be begun is no reason to refuse them.
      await rotateAndCompact().catch((error: unknown) => log.warn("no new segment", { error: String(error) }));
    },
    async checkPlace() {
      if (!(await journal.isInPlace())) throw new JournalMoved(places.journalFolder);
    },
    async probe() {
      const present = await disk.size(`${places.journalFolder}/${segmentName(journal.segment)}`);
      if (present === null) throw new JournalMoved(places.journalFolder);
      await tryToWrite(disk, `${places.journalFolder}/probe`);
    },
    async reload() {
      await compaction;
      const isMine = await journal.isInPlace();
      if (isMine) await journal.reset();
      const { state, segment } = await load();
      // What somebody put in its place is gone on with only if it holds all that was acknowledged.
      if (!isMine && state.seq < lastSeq) throw new JournalMoved(places.journalFolder);
      lastSeq = state.seq;
      if (segment !== journal.segment || !(await journal.isInPlace())) await reopen(segment);
      return state;
    },
    async close() {
      await compaction;
      await journal.close();
    },
  };
  return { store, state: first.state };
}

async function tryToWrite(disk: Disk, path: string): Promise<void> {
  try {
    await disk.replace(path, new Uint8Array(PROBE_BYTES));
  } finally {
    await disk.remove(path).catch(() => {});
  }
}
