/**
 * Snapshots: a lowdb database in readable JSON, through an adapter of ours that is durable (lowdb's own writer
 * neither fsyncs nor keeps the file it replaces).
 *
 * The one before stays beside the newest as `snapshot.previous.json`, with the journal that leads on from it, so
 * that one damaged file loses nothing.
 */

import { type Adapter, Low } from "lowdb";
import type { StoredState } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";

/** The file's content. */
export interface SnapshotFile {
  readonly mgpu: "snapshot";
  readonly v: number;
  readonly state: StoredState;
}

/** Major version of the file. */
const SNAPSHOT_VERSION = 1;

/** `snapshot.previous.json` beside `snapshot.json`. */
export function previousPath(path: string): string {
  return path.replace(/\.json$/, ".previous.json");
}

/** The stored state, or `null` if there is no such file. Rejects if the file can't be read as a snapshot. */
export async function readSnapshot(disk: Disk, path: string): Promise<StoredState | null> {
  const low = new Low<SnapshotFile | null>(durableAdapter(disk, path), null);
  await low.read();
  if (low.data === null) return null;
  const { mgpu, v, state } = low.data;
  if (mgpu !== "snapshot" || typeof state?.seq !== "number") throw new Error(`${path} is no snapshot of mgpu`);
  if (v !== SNAPSHOT_VERSION) throw new Error(`${path} has version ${v}, this program reads ${SNAPSHOT_VERSION}`);
  return state;
}

/** Puts a snapshot in place; the one there becomes the previous one. */
export async function writeSnapshot(disk: Disk, path: string, state: StoredState): Promise<void> {
  const low = new Low<SnapshotFile | null>(durableAdapter(disk, path), null);
  low.data = { mgpu: "snapshot", v: SNAPSHOT_VERSION, state };
  if ((await disk.size(path)) !== null) await disk.rename(path, previousPath(path));
  await low.write();
}

function durableAdapter(disk: Disk, path: string): Adapter<SnapshotFile | null> {
  return {
    async read() {
      if ((await disk.size(path)) === null) return null;
      return JSON.parse(new TextDecoder().decode(await disk.read(path))) as SnapshotFile;
    },
    write: (data) => disk.replace(path, new TextEncoder().encode(`${JSON.stringify(data, null, 1)}\n`)),
  };
}
