/**
 * Scripts and environments: one file each, named by the SHA-256 of their content, so that a thousand jobs of one
 * shell share one file. On disk before the job that needs them is acknowledged.
 */

import type { Digest } from "../../platform/digest.ts";
import type { Disk } from "../../platform/disk.ts";
import { createByteCache } from "../../util/byte-cache.ts";

export interface Blobs {
  /** Why the last attempt to store something failed; empty when all is well. */
  readonly problem: string;
  /** Stores bytes durably; answers with their digest. They must not be changed afterwards. */
  put(data: Uint8Array): Promise<string>;
  /** The bytes of a digest; rejects if they are gone or were changed. */
  get(digest: string): Promise<Uint8Array>;
  /** Removes all but the given ones, those written since `sweep` was last called excepted. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** Bytes of blobs kept in memory for launches: environments repeat, scripts of an array too. */
const CACHED_BYTES_MAX = 16 * 1024 * 1024;
/** A larger one is read from disk when its job starts. */
const CACHED_BLOB_BYTES_MAX = 1024 * 1024;

/**
 * Opens the folder.
 * @param check rejects if the state folder is not the one that was opened: nothing is made in its place
 */
export function openBlobs(
  disk: Disk,
  digest: Digest,
  folder: string,
  check: () => Promise<void> = async () => {},
): Blobs {
  const cached = createByteCache(CACHED_BYTES_MAX, CACHED_BLOB_BYTES_MAX);
  const writing = new Map<string, Promise<void>>();
  /** Of bytes that were given before: a step that waits for room stores its environment before each try. */
  const digests = new WeakMap<Uint8Array, string>();
  let fresh = new Set<string>();
  let problem = "";
  const pathOf = (name: string): string => `${folder}/${name.slice(0, 2)}/${name}`;

  const removing = new Map<string, Promise<void>>();
  const write = async (name: string, data: Uint8Array): Promise<void> => {
    await removing.get(name);
    if ((await disk.size(pathOf(name))) !== data.length) {
      await check();
      await disk.makeFolder(`${folder}/${name.slice(0, 2)}`);
      await disk.replace(pathOf(name), data);
    }
    problem = "";
    cached.put(name, data);
  };

  return {
    get problem() {
      return problem;
    },
    async put(data) {
      const name = digests.get(data) ?? digest.sha256(data);
      digests.set(data, name);
      fresh.add(name);
      if (cached.has(name)) return name;
      const running = writing.get(name) ?? write(name, data).finally(() => writing.delete(name));
      writing.set(name, running);
      try {
        await running;
      } catch (error) {
        problem = `scripts and environments can't be written: ${(error as Error).message}`;
        throw error;
      }
      return name;
    },
    async get(name) {
      const known = cached.get(name);
      if (known) return known;
      const data = await disk.read(pathOf(name));
      if (digest.sha256(data) !== name) throw new Error(`${pathOf(name)} was changed on disk`);
      cached.put(name, data);
      return data;
    },
    async sweep(keep) {
      const young = fresh;
      fresh = new Set();
      for (const prefix of await disk.list(folder)) {
        for (const name of await disk.list(`${folder}/${prefix}`)) {
          if (keep.has(name) || young.has(name) || fresh.has(name)) continue;
          cached.drop(name);
          // Whoever stores the same bytes meanwhile waits, finds no file, and writes it again.
          const removal = disk.remove(pathOf(name)).finally(() => removing.delete(name));
          removing.set(name, removal);
          await removal;
        }
      }
    },
  };
}
