/** A disk in memory that is as strict about folders as a real one. */

import type { Disk } from "../../../src/platform/disk.ts";
import { joinBytes } from "../../../src/util/bytes.ts";

export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>;
  readonly folders: Set<string>;
  /** While set, operations that write reject with this code. */
  failWith: string | null;
  /** The text of a file. */
  text(path: string): string;
}

export function createMemoryDisk(): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>(["/"]);

  const refuse = (code: string, path: string): never => {
    throw Object.assign(new Error(`${code}: ${path}`), { code });
  };
  const get = (path: string): Uint8Array => files.get(path) ?? refuse("ENOENT", path);
  const put = (path: string, data: Uint8Array): void => {
    if (disk.failWith) refuse(disk.failWith, path);
    if (!folders.has(parentOf(path))) refuse("ENOENT", path);
    files.set(path, data.slice());
  };

  const disk: MemoryDisk = {
    files,
    folders,
    failWith: null,
    text: (path) => new TextDecoder().decode(get(path)),
    read: async (path) => get(path).slice(),
    readFrom: async (path, from) => get(path).slice(from),
    readPart: async (path, from, bytes) => get(path).slice(from, from + bytes),
    list: async (path) => {
      const inside = [...files.keys(), ...folders].filter((name) => name !== "/" && parentOf(name) === path);
      return inside.map((name) => name.slice(path.length + 1)).sort();
    },
    size: async (path) => files.get(path)?.length ?? null,
    async makeFolder(path) {
      if (disk.failWith) refuse(disk.failWith, path);
      for (let folder = path; folder !== "/"; folder = parentOf(folder)) folders.add(folder);
    },
    replace: async (path, data) => put(path, data instanceof Uint8Array ? data : joinBytes(data)),
    async openAppend(path) {
      if (!files.has(path)) put(path, new Uint8Array());
      return {
        append: async (data) => put(path, concat(get(path), data)),
        sync: async () => {},
        isInPlace: async () => files.has(path),
        close: async () => {},
      };
    },
    truncate: async (path, bytes) => put(path, get(path).slice(0, bytes)),
    async rename(from, to) {
      put(to, get(from));
      files.delete(from);
    },
    async remove(path) {
      if (disk.failWith) refuse(disk.failWith, path);
      const isInside = (name: string): boolean => name === path || name.startsWith(`${path}/`);
      for (const name of [...files.keys()]) if (isInside(name)) files.delete(name);
      for (const name of [...folders]) if (isInside(name)) folders.delete(name);
    },
  };
  return disk;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
