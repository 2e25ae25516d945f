/** Limits of accounts and QoS, and licenses, within one pass: what has been started in it counts too. */

import { effectiveLimit, findPartition } from "../core/decide/submit.ts";
import type { PendingJob, RunningJob } from "../core/job.ts";
import { countRunning, type JobLimits } from "../core/job-limits.ts";
import { wishKey } from "../core/lanes.ts";
import { licenseShortage } from "../core/licenses.ts";
import { isListed } from "../core/partition-list.ts";
import { chargedKeys } from "../core/policy/ledger.ts";
import { type Blocked, limitView, type Started, startLimit } from "../core/policy/limits.ts";
import { isPolicyOn } from "../core/policy/state.ts";
import { addTres, tresOf, wishedTres } from "../core/policy/tres.ts";
import type { Allocation } from "../core/resources.ts";
import { type ClusterState, usedLicenses } from "../core/state.ts";
import { countOf } from "../util/plural.ts";
import { shapeOf } from "./place/shapes.ts";

/** What keeps a job waiting though there may be room. */
export type LimitWait = Blocked | LicenseWait;

type LicenseWait = { readonly [Key in Exclude<keyof Blocked, "word" | "text">]?: never } & {
  readonly word: "Licenses";
  readonly text: string;
};

export interface LimitBook {
  /** The limit that keeps a job waiting: by what it asks for, or (`allocation`) by what it is about to get. */
  check(job: PendingJob, allocation: Allocation | null): LimitWait | null;
  /** Counts a start of this pass. */
  take(job: PendingJob, allocation: Allocation): void;
  /** Counts several starts that happen together; or none, and answers with the limit that they would break together. */
  takeAll(parts: readonly { readonly job: PendingJob; readonly allocation: Allocation }[]): LimitWait | null;
}

/** One kind of limits, with what a pass has started. */
interface Counter extends Pick<LimitBook, "check" | "take"> {
  /** Keeps what is counted; the answer brings it back. */
  mark(): () => void;
}

/** Where nothing is limited. */
export const NO_LIMITS: LimitBook = { check: () => null, take: () => {}, takeAll: () => null };

/** Jobs with the same name here are limited alike, as far as limits do not depend on what they ask for. */
export function chargeGroup({ spec }: Pick<PendingJob, "spec">): string {
  return [spec.account, spec.qos, spec.user.name, spec.partition, isListed(spec) ? spec.partitions : ""].join("\0");
}

/** Jobs with the same name here that find no room for the same reason. */
export function wishGroup(job: Pick<PendingJob, "spec">): string {
  return `${chargeGroup(job)}\0${wishKey(job.spec)}`;
}

/** For one moment of one state. */
export function limitBook(state: ClusterState, now: number, running: JobLimits = ANY_NUMBER): LimitBook {
  const counters: Counter[] = [licenseCounter(state)];
  if (running.all > 0 || running.perUser > 0) counters.push(runningCounter(state, running));
  if (isPolicyOn(state.policy)) counters.unshift(policyCounter(state, now));
  const check: LimitBook["check"] = (job, allocation) => {
    for (const counter of counters) {
      const found = counter.check(job, allocation);
      if (found) return found;
    }
    return null;
  };
  const take: LimitBook["take"] = (job, allocation) => {
    for (const counter of counters) counter.take(job, allocation);
  };
  return {
    check,
    take,
    takeAll(parts) {
      const restores = counters.map((counter) => counter.mark());
      for (const { job, allocation } of parts) {
        const blocked = check(job, allocation);
        if (blocked) {
          for (const restore of restores) restore();
          return blocked;
        }
        take(job, allocation);
      }
      return null;
    },
  };
}

/** Whether a limit may keep one user's jobs waiting, and not those of another who asks for the same. */
export function isOfUser(word: string): boolean {
  return word === PER_USER || word === IN_ALL;
}

const PER_USER = "QOSMaxJobsPerUserLimit";
const IN_ALL = "AssocGrpJobsLimit";

const ANY_NUMBER: JobLimits = { all: 0, perUser: 0 };

/** Limits of the configuration on jobs that run, under the words of Slurm's limits that come nearest. */
function runningCounter(state: ClusterState, { all: most, perUser }: JobLimits): Counter {
  let { all, byUser } = countRunning(state);
  return {
    check({ spec: { user } }) {
      if (perUser > 0 && (byUser.get(user.uid) ?? 0) >= perUser) {
        return { word: PER_USER, text: `${countOf(perUser, "job")} of a user may run at a time` };
      }
      if (most === 0 || all < most) return null;
      return { word: IN_ALL, text: `${countOf(most, "job")} may run at a time` };
    },
    take({ spec: { user } }) {
      all += 1;
      byUser.set(user.uid, (byUser.get(user.uid) ?? 0) + 1);
    },
    mark() {
      const before = { all, byUser: new Map(byUser) };
      return () => {
        ({ all, byUser } = before);
      };
    },
  };
}

/** What is in use is counted when the first job asks for a license. */
function licenseCounter(state: ClusterState): Counter {
  let used: Map<string, number> | null = null;
  return {
    check({ spec: { licenses } }) {
      if (licenses.length === 0) return null;
      used ??= usedLicenses(state);
      const text = licenseShortage(state.licenses, used, licenses);
      return text === null ? null : { word: "Licenses", text };
    },
    take({ spec: { licenses } }) {
      if (licenses.length === 0) return;
      used ??= usedLicenses(state);
      for (const { name, count } of licenses) used.set(name, (used.get(name) ?? 0) + count);
    },
    mark() {
      const before = used && new Map(used);
      return () => {
        used = before;
      };
    },
  };
}

/** Jobs that ask alike are looked at once: within a pass limits only get tighter. */
function policyCounter(state: ClusterState, now: number): Counter {
  const { policy } = state;
  const started = new Map<string, Started>();
  const known = new Map<string, Blocked>();
  const closedGroups = new Map<string, Blocked>();
  const running = (): RunningJob[] => runningJobs(state);
  const view = limitView(policy, running, now, (key) => started.get(key));
  return {
    check(job, allocation) {
      const { spec } = job;
      const group = chargeGroup(job);
      const closed = closedGroups.get(group);
      if (closed) return closed;
      const partition = findPartition(state, spec);
      const limitS = partition ? effectiveLimit(spec, partition) : (spec.timeLimitS ?? 0);
      if (allocation) {
        const tres = tresOf(allocation, policy.config.billingWeights);
        return startLimit(view, { charged: spec, tres, nodes: allocation.length, limitS });
      }
      const key = [group, limitS, shapeOf(spec.request)].join("\0");
      const before = known.get(key);
      if (before) return before;
      const tres = wishedTres(spec.request, policy.config.billingWeights);
      const found = startLimit(view, { charged: spec, tres, nodes: tres.node ?? 1, limitS });
      if (found?.isForAll) closedGroups.set(group, found);
      else if (found) known.set(key, found);
      return found;
    },
    take({ spec }, allocation) {
      const tres = tresOf(allocation, policy.config.billingWeights);
      for (const key of chargedKeys(policy, spec)) {
        const before = started.get(key) ?? { jobs: 0, tres: {} };
        started.set(key, { jobs: before.jobs + 1, tres: addTres(before.tres, tres) });
      }
    },
    mark() {
      const before = [...started];
      return () => {
        started.clear();
        for (const [key, value] of before) started.set(key, value);
      };
    },
  };
}

function runningJobs(state: ClusterState): RunningJob[] {
  return [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    return job?.state === "RUNNING" ? [job] : [];
  });
}
