/**
 * What sdiag shows: counters of calls, of jobs since midnight, and of the scheduler's passes. They are of this
 * process: a new controller begins anew.
 */

import type { Event } from "../core/events.ts";
import type { JobId } from "../core/ids.ts";
import { isEnded, type Job } from "../core/job.ts";
import type { Clock } from "../platform/clock.ts";
import type { Result } from "../protocol/procedures.ts";
import type { AnyHandlers, CallContext } from "../rpc/types.ts";
import type { Counters } from "../view/prometheus.ts";
import { createCounting } from "./metrics.ts";

export interface Statistics {
  /** Since the start, whatever `reset` forgets. */
  readonly counters: Counters;
  /** Events that are about to be written. */
  onEvents(events: readonly Event[]): void;
  /** A pass of the scheduler took so many microseconds, and found so many jobs in the queue. */
  onPass(microseconds: number, started: number, queueLength: number): void;
  /** The same handlers, with every call counted. */
  counted<H extends AnyHandlers>(handlers: H): H;
  reset(): void;
  read(jobs: ReadonlyMap<number, Job>): Result<"statistics">;
}

interface Calls {
  count: number;
  microseconds: number;
}

/** Most users that are counted by themselves. */
const USERS_MAX = 1000;

const DAY_MS = 86_400_000;

function noJobs() {
  return { submitted: 0, started: 0, completed: 0, canceled: 0, failed: 0 };
}

function noPasses() {
  return { last: 0, max: 0, total: 0, cycles: 0, starts: 0, lastQueue: 0, queues: 0 };
}

function withPass(
  { max, total, cycles, starts, queues }: ReturnType<typeof noPasses>,
  microseconds: number,
  started: number,
  queueLength: number,
): ReturnType<typeof noPasses> {
  return {
    ...{ last: microseconds, max: Math.max(max, microseconds), total: total + microseconds, cycles: cycles + 1 },
    ...{ starts: starts + started, lastQueue: queueLength, queues: queues + queueLength },
  };
}

/** All counters at 0. */
export function createStatistics(clock: Clock, jobOf: (id: JobId) => Job | undefined): Statistics {
  const counting = createCounting(jobOf);
  let since = clock.now();
  let jobs = noJobs();
  let passes = noPasses();
  const byMethod = new Map<string, Calls>();
  const byUser = new Map<number, Calls & { name: string }>();

  const reset = (): void => {
    since = clock.now();
    jobs = noJobs();
    passes = noPasses();
    byMethod.clear();
    byUser.clear();
  };

  const count = (method: string, { hello }: CallContext, microseconds: number): void => {
    const calls = byMethod.get(method) ?? { count: 0, microseconds: 0 };
    byMethod.set(method, { count: calls.count + 1, microseconds: calls.microseconds + microseconds });
    const { uid, name } = hello.user;
    const own = byUser.get(uid) ?? { count: 0, microseconds: 0, name };
    if (!byUser.has(uid) && byUser.size >= USERS_MAX) return;
    byUser.set(uid, { name, count: own.count + 1, microseconds: own.microseconds + microseconds });
  };

  /** Slurm forgets at midnight, UTC. */
  const forget = (): void => {
    const day = (at: number): number => Math.floor(at / DAY_MS);
    if (day(clock.now()) !== day(since)) reset();
  };

  const counted = (method: string, handler: (...given: never[]) => unknown) => {
    return async (...given: never[]): Promise<unknown> => {
      const beganMs = clock.monotonic();
      try {
        return await handler(...given);
      } finally {
        forget();
        count(method, given.at(-1) as unknown as CallContext, Math.round((clock.monotonic() - beganMs) * 1000));
      }
    };
  };

  return {
    counters: counting.counters,
    reset,
    onEvents(events) {
      counting.onEvents(events);
      for (const event of events) countEvent(jobs, event);
    },
    onPass(microseconds, started, queueLength) {
      counting.onPass(microseconds);
      passes = withPass(passes, microseconds, started, queueLength);
    },
    counted(handlers) {
      const pairs = Object.entries(handlers).map(([method, handler]) => [method, counted(method, handler as never)]);
      return Object.fromEntries(pairs) as typeof handlers;
    },
    read(known) {
      forget();
      return {
        ...{ now: clock.now(), since, jobs: { ...jobs, ...standing(known) }, passes },
        methods: [...byMethod].map(([name, calls]) => ({ name, ...calls })),
        users: [...byUser].map(([uid, calls]) => ({ uid, ...calls })),
      };
    },
  };
}

function standing(known: ReadonlyMap<number, Job>): { readonly pending: number; readonly running: number } {
  let pending = 0;
  let running = 0;
  for (const job of known.values()) {
    if (job.state === "PENDING") pending += 1;
    else if (!isEnded(job)) running += 1;
  }
  return { pending, running };
}

function countEvent(jobs: ReturnType<typeof noJobs>, event: Event): void {
  if (event.type === "job.submitted") jobs.submitted += 1;
  else if (event.type === "job.allocated") jobs.started += 1;
  else if (event.type === "job.ended") {
    if (event.state === "COMPLETED") jobs.completed += 1;
    else if (event.state === "CANCELLED") jobs.canceled += 1;
    else jobs.failed += 1;
  }
}
