/** Settings of how many jobs there may be, and of the memory of those that ask for none. */

import { type Key, whole } from "./setting.ts";

export interface QueueSettings {
  /** Jobs that may wait and run, in all and of each user; 0 for any number. */
  readonly maxQueued: number;
  readonly maxQueuedPerUser: number;
  readonly maxRunning: number;
  readonly maxRunningPerUser: number;
  /** MiB on each node that a job gets which asks for no memory; 0 for what it takes. */
  readonly defaultMemoryMiB: number;
}

export const QUEUE_SETTINGS: { readonly [K in keyof QueueSettings]: Key<QueueSettings[K]> } = {
  maxQueued: {
    key: "limits.max_queued",
    about: "jobs that may wait at a time, tasks of arrays counted one by one; 0 for any number",
    isLive: true,
    variable: "MGPU_MAX_QUEUED",
    fallback: 0,
    parse: whole,
    expected: "a count, 0 for no limit",
  },
  maxQueuedPerUser: {
    key: "limits.max_queued_per_user",
    about: "the same of each user",
    isLive: true,
    variable: "MGPU_MAX_QUEUED_PER_USER",
    fallback: 0,
    parse: whole,
    expected: "a count, 0 for no limit",
  },
  maxRunning: {
    key: "limits.max_running",
    about: "jobs that may run at a time; 0 for any number",
    isLive: true,
    variable: "MGPU_MAX_RUNNING",
    fallback: 0,
    parse: whole,
    expected: "a count, 0 for no limit",
  },
  maxRunningPerUser: {
    key: "limits.max_running_per_user",
    about: "the same of each user",
    isLive: true,
    variable: "MGPU_MAX_RUNNING_PER_USER",
    fallback: 0,
    parse: whole,
    expected: "a count, 0 for no limit",
  },
  defaultMemoryMiB: {
    key: "limits.default_memory",
    about: "MiB on each node for a job that asks for no memory; 0 for no limit",
    isLive: true,
    variable: "MGPU_DEFAULT_MEMORY",
    fallback: 0,
    parse: whole,
    expected: "MiB, 0 for no limit",
  },
};
