/**
 * Who wants to hear of which job. A watcher holds no queue: it is only woken, and reads the newest record then, so a
 * slow one skips what is outdated and fills no memory.
 */

import type { JobId } from "../core/ids.ts";

export interface Watcher {
  /** Resolves when the job changed since the last call; at once if it did already. Rejects when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void>;
  /** Stops watching. */
  end(): void;
}

export interface Watchers {
  watch(jobId: JobId): Watcher;
  notify(jobId: JobId): void;
  notifyAll(): void;
  /** The number of watchers. */
  readonly count: number;
}

interface Entry {
  pending: boolean;
  wake: (() => void) | null;
}

/** Starts with none. */
export function createWatchers(): Watchers {
  const entries = new Map<JobId, Set<Entry>>();
  let count = 0;

  const notify = (jobId: JobId): void => {
    for (const entry of entries.get(jobId) ?? []) {
      entry.pending = true;
      entry.wake?.();
    }
  };

  const remove = (jobId: JobId, entry: Entry): void => {
    const set = entries.get(jobId);
    if (!set?.delete(entry)) return;
    count -= 1;
    if (set.size === 0) entries.delete(jobId);
  };

  return {
    get count() {
      return count;
    },
    watch(jobId) {
      const entry: Entry = { pending: true, wake: null };
      const set = entries.get(jobId) ?? new Set();
      entries.set(jobId, set.add(entry));
      count += 1;
      return { changed: (signal) => changed(entry, signal), end: () => remove(jobId, entry) };
    },
    notify,
    notifyAll() {
      for (const jobId of entries.keys()) notify(jobId);
    },
  };
}

function changed(entry: Entry, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      entry.pending = false;
      entry.wake = null;
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const abort = (): void => {
      entry.wake = null;
      reject(new Error("the watcher is gone"));
    };
    if (signal.aborted) return abort();
    if (entry.pending) return finish();
    signal.addEventListener("abort", abort, { once: true });
    entry.wake = finish;
  });
}
