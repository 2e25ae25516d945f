/** Byte strings by name, the most recently stored ones, bounded by their size. */

export interface ByteCache {
  get(name: string): Uint8Array | undefined;
  has(name: string): boolean;
  /** Keeps a copy: what came with a larger buffer must not keep all of it. Too large a value is not kept. */
  put(name: string, data: Uint8Array): void;
  drop(name: string): void;
}

/** Empty; holds at most `bytesMax` bytes, in values of at most `valueBytesMax`. */
export function createByteCache(bytesMax: number, valueBytesMax: number): ByteCache {
  const values = new Map<string, Uint8Array>();
  let bytes = 0;
  const drop = (name: string): void => {
    bytes -= values.get(name)?.length ?? 0;
    values.delete(name);
  };
  return {
    get: (name) => values.get(name),
    has: (name) => values.has(name),
    drop,
    put(name, data) {
      drop(name);
      if (data.length > valueBytesMax) return;
      values.set(name, data.slice());
      bytes += data.length;
      for (const oldest of values.keys()) {
        if (bytes <= bytesMax) return;
        drop(oldest);
      }
    },
  };
}
