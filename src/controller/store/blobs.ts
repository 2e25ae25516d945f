/**
 * Scripts and environments: one file each, named by the SHA-256 of their content, so that a thousand jobs of one
 * shell share one file. On disk before the job that needs them is acknowledged.
 */

import type { Digest } from "../../platform/digest.ts";
import type { Disk } from "../../platform/disk.ts";

export interface Blobs {
  /** Why the last attempt to store something failed; empty when all is well. */
  readonly problem: string;
  /** Stores bytes durably; answers with their digest. */
  put(data: Uint8Array): Promise<string>;
  /** The bytes of a digest; rejects if they are gone or were changed. */
  get(digest: string): Promise<Uint8Array>;
  /** Removes all but the given ones, those written since `sweep` was last called excepted. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** Blobs kept in memory for launches: environments repeat, scripts of an array too. */
const CACHED_MAX = 256;

/** Opens the folder. */
export function openBlobs(disk: Disk, digest: Digest, folder: string): Blobs {
  const cached = new Map<string, Uint8Array>();
  const writing = new Map<string, Promise<void>>();
  let fresh = new Set<string>();
  let problem = "";
  const pathOf = (name: string): string => `${folder}/${name.slice(0, 2)}/${name}`;

  const remember = (name: string, data: Uint8Array): void => {
    cached.delete(name);
    cached.set(name, data);
    const oldest = cached.keys().next();
    if (cached.size > CACHED_MAX && !oldest.done) cached.delete(oldest.value);
  };

  const write = async (name: string, data: Uint8Array): Promise<void> => {
    if ((await disk.size(pathOf(name))) !== data.length) {
      await disk.makeFolder(`${folder}/${name.slice(0, 2)}`);
      await disk.replace(pathOf(name), data);
    }
    problem = "";
    remember(name, data);
  };

  return {
    get problem() {
      return problem;
    },
    async put(data) {
      const name = digest.sha256(data);
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
      remember(name, data);
      return data;
    },
    async sweep(keep) {
      const young = fresh;
      fresh = new Set();
      for (const prefix of await disk.list(folder)) {
        for (const name of await disk.list(`${folder}/${prefix}`)) {
          if (keep.has(name) || young.has(name) || fresh.has(name)) continue;
          cached.delete(name);
          await disk.remove(pathOf(name));
        }
      }
    },
  };
}
