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

/** Follows all jobs: it is told which have changed since it last asked. */
export interface ChangesWatcher extends Watcher {
  /** Numbers of the jobs that changed since the last call; `null` if there were too many to note them. */
  take(): ReadonlySet<JobId> | null;
  /** As if something had changed. */
  wake(): void;
}

export interface NodesWatcher extends Watcher {
  /** As if something had changed. */
  wake(): void;
}

/** Changes that are noted for somebody who does not come for them: with more, all jobs are read again. */
const CHANGES_MAX = 10_000;

export interface Watchers {
  watch(jobId: JobId): Watcher;
  /** What it takes first is `null`: it knows nothing yet. */
  watchAll(): ChangesWatcher;
  /** Woken whenever a node may have changed. */
  watchNodes(): NodesWatcher;
  notify(jobId: JobId): void;
  /** Something of a node may have changed: what it grants, its daemon, how it does. */
  notifyNodes(): void;
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
  const followers = new Set<Follower>();
  const nodeWatchers = new Set<Entry>();
  let count = 0;

  const notify = (jobId: JobId): void => {
    for (const follower of followers) follower.note(jobId);
    for (const entry of entries.get(jobId) ?? []) wakeUp(entry);
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
    watchAll() {
      const follower = createFollower();
      followers.add(follower);
      count += 1;
      const end = (): void => {
        if (followers.delete(follower)) count -= 1;
      };
      return { ...follower, end };
    },
    watchNodes() {
      const entry: Entry = { pending: true, wake: null };
      nodeWatchers.add(entry);
      count += 1;
      const end = (): void => {
        if (nodeWatchers.delete(entry)) count -= 1;
      };
      return { changed: (signal) => changed(entry, signal), end, wake: () => wakeUp(entry) };
    },
    notify,
    notifyNodes: () => nodeWatchers.forEach(wakeUp),
    notifyAll() {
      for (const follower of followers) follower.lose();
      nodeWatchers.forEach(wakeUp);
      for (const jobId of entries.keys()) notify(jobId);
    },
  };
}

interface Follower extends Omit<ChangesWatcher, "end"> {
  note(jobId: JobId): void;
  /** Whatever it knows may be wrong. */
  lose(): void;
}

function createFollower(): Follower {
  const entry: Entry = { pending: true, wake: null };
  let ids: Set<JobId> | null = null;
  const wake = (): void => wakeUp(entry);
  return {
    changed: (signal) => changed(entry, signal),
    take() {
      const taken = ids;
      ids = new Set();
      return taken;
    },
    note(jobId) {
      if (ids !== null && ids.size >= CHANGES_MAX) ids = null;
      ids?.add(jobId);
      wake();
    },
    lose() {
      ids = null;
      wake();
    },
    wake,
  };
}

function wakeUp(entry: Entry): void {
  entry.pending = true;
  entry.wake?.();
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
