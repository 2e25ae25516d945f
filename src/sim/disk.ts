/**
 * A disk in memory that can be crashed: what was not synced is lost, except for a torn part of the last write.
 *
 * Folders need no making. Names are durable at once (the real adapter syncs folders after making and renaming).
 */

import type { AppendFile, Disk } from "../platform/disk.ts";
import { joinBytes } from "../util/bytes.ts";

interface FileState {
  data: Uint8Array;
  /** Bytes known to be on the medium. */
  durable: number;
}

export interface SimDisk extends Disk {
  /** Loses everything not synced. `torn(n)` says how many of n unsynced bytes of a file survive. */
  crash(torn: (unsyncedBytes: number) => number): void;
  /** While set, operations that write fail with this code. */
  failWith: "ENOSPC" | "EIO" | null;
  /** While set, syncing says it worked and does nothing: a canary that the simulation must catch. */
  isLying: boolean;
  readonly files: ReadonlyMap<string, FileState>;
}

/** `pause` is awaited before each operation: a simulation lets time pass and crashes happen there. */
export function createSimDisk(pause: () => Promise<void> = async () => {}): SimDisk {
  const files = new Map<string, FileState>();

  const get = (path: string): FileState => {
    const file = files.get(path);
    if (!file) throw diskError("ENOENT", path);
    return file;
  };

  const disk: SimDisk = {
    files,
    failWith: null,
    isLying: false,
    crash(torn) {
      for (const file of files.values()) {
        const kept = file.durable + torn(file.data.length - file.durable);
        file.data = file.data.slice(0, kept);
        file.durable = kept;
      }
    },
    ...readers(get, pause),
    async list(path) {
      await pause();
      return childrenOf(files.keys(), path);
    },
    async size(path) {
      await pause();
      return files.get(path)?.data.length ?? null;
    },
    async makeFolder() {
      await pause();
    },
    async replace(path, data) {
      await pause();
      guard(disk, path);
      const content = data instanceof Uint8Array ? data.slice() : joinBytes(data);
      files.set(path, { data: content, durable: content.length });
    },
    async openAppend(path) {
      await pause();
      guard(disk, path);
      if (!files.has(path)) files.set(path, { data: new Uint8Array(), durable: 0 });
      return appendFile(disk, get, path, pause);
    },
    async truncate(path, bytes) {
      await pause();
      const file = get(path);
      file.data = file.data.slice(0, bytes);
      file.durable = file.data.length;
    },
    async rename(from, to) {
      await pause();
      files.set(to, get(from));
      files.delete(from);
    },
    async remove(path) {
      await pause();
      for (const name of [...files.keys()]) if (name === path || name.startsWith(`${path}/`)) files.delete(name);
    },
  };
  return disk;
}

function readers(
  get: (path: string) => FileState,
  pause: () => Promise<void>,
): Pick<Disk, "read" | "readFrom" | "readPart"> {
  const slice = async (path: string, from: number, to?: number): Promise<Uint8Array> => {
    await pause();
    return get(path).data.slice(from, to);
  };
  return {
    read: (path) => slice(path, 0),
    readFrom: (path, from) => slice(path, from),
    readPart: (path, from, bytes) => slice(path, from, from + bytes),
  };
}

function appendFile(
  disk: SimDisk,
  get: (path: string) => FileState,
  path: string,
  pause: () => Promise<void>,
): AppendFile {
  return {
    async append(data) {
      await pause();
      const file = get(path);
      // A full disk takes part of a write.
      const taken = disk.failWith ? data.subarray(0, Math.floor(data.length / 2)) : data;
      const joined = new Uint8Array(file.data.length + taken.length);
      joined.set(file.data);
      joined.set(taken, file.data.length);
      file.data = joined;
      guard(disk, path);
    },
    async sync() {
      await pause();
      guard(disk, path);
      const file = get(path);
      if (!disk.isLying) file.durable = file.data.length;
    },
    isInPlace: async () => disk.files.has(path),
    async close() {
      await pause();
    },
  };
}

function guard(disk: SimDisk, path: string): void {
  if (disk.failWith) throw diskError(disk.failWith, path);
}

function childrenOf(paths: Iterable<string>, folder: string): string[] {
  const names = new Set<string>();
  for (const path of paths) {
    if (path.startsWith(`${folder}/`)) names.add(path.slice(folder.length + 1).split("/")[0] ?? "");
  }
  return [...names].sort();
}

function diskError(code: string, path: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
