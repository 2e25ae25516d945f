/**
 * What jobs hold of each association, of each QoS, and of each user and account within a QoS. Kept as jobs change, so
 * that a limit is looked at without looking at jobs. It follows from the records; nothing of it is stored.
 */

import { taskCount } from "../array-spec.ts";
import { holdsResources, isEnded, type Job } from "../job.ts";
import type { JobSpec } from "../jobspec.ts";
import type { Association, Tres } from "./records.ts";
import { associationUsageKey, chainOf, findAssociation, type Held, type PolicyState, qosUsageKey } from "./state.ts";
import { addTres, tresOf } from "./tres.ts";

const NOTHING_HELD: Held = { jobs: 0, submitted: 0, tres: {} };

/** What a job is counted under. */
export type Charged = Pick<JobSpec, "account" | "qos" | "user" | "partition">;

/** The user's association that a job is charged to, and those above it; none for a job without an account. */
export function chargedChain(policy: PolicyState, { account, user, partition }: Charged): Association[] {
  if (account === null) return [];
  const association = findAssociation(policy, account, user.name, partition ?? "");
  return association ? chainOf(policy, association) : [];
}

/** Key of what one user's jobs hold of a QoS. */
export function qosUserKey(qos: string, user: string): string {
  return `${qosUsageKey(qos)}/u:${user}`;
}

/** Key of what one account's jobs hold of a QoS. */
export function qosAccountKey(qos: string, account: string): string {
  return `${qosUsageKey(qos)}/a:${account}`;
}

/** All keys that a job is counted under. */
export function chargedKeys(policy: PolicyState, spec: Charged): string[] {
  const keys = chargedChain(policy, spec).map(({ id }) => associationUsageKey(id));
  if (spec.qos === null) return keys;
  keys.push(qosUsageKey(spec.qos), qosUserKey(spec.qos, spec.user.name));
  if (spec.account !== null) keys.push(qosAccountKey(spec.qos, spec.account));
  return keys;
}

/** What is held under a key. */
export function heldOf(policy: PolicyState, key: string): Held {
  return policy.held.get(key) ?? NOTHING_HELD;
}

/** Counts a job's change: from what it was (`undefined` for not there) to what it is. */
export function recount(policy: PolicyState, before: Job | undefined, after: Job | undefined): void {
  if (before && after && isCountedAlike(before, after)) return;
  if (before) count(policy, before, -1);
  if (after) count(policy, after, 1);
}

/** The policy as it would be without a job: what a change of that job is checked against. */
export function withoutJob(policy: PolicyState, job: Job): PolicyState {
  const others = { ...policy, held: new Map(policy.held) };
  count(others, job, -1);
  return others;
}

/** Counts all jobs anew: for when the keys themselves change. */
export function recountAll(policy: PolicyState, jobs: Iterable<Job>): void {
  policy.held.clear();
  for (const job of jobs) count(policy, job, 1);
}

function isCountedAlike(before: Job, after: Job): boolean {
  return (
    submittedOf(before) === submittedOf(after) &&
    holdsResources(before) === holdsResources(after) &&
    before.spec.account === after.spec.account &&
    before.spec.qos === after.spec.qos &&
    before.spec.partition === after.spec.partition &&
    before.allocation === after.allocation
  );
}

function count(policy: PolicyState, job: Job, sign: 1 | -1): void {
  const submitted = submittedOf(job);
  const jobs = holdsResources(job) ? 1 : 0;
  if (submitted === 0 && jobs === 0) return;
  const tres: Tres = jobs === 1 ? tresOf(job.allocation, policy.config.billingWeights) : {};
  for (const key of chargedKeys(policy, job.spec)) addHeld(policy, key, { jobs, submitted, tres }, sign);
}

function addHeld({ held }: PolicyState, key: string, { jobs, submitted, tres }: Held, sign: 1 | -1): void {
  const now = held.get(key) ?? NOTHING_HELD;
  const next = {
    jobs: now.jobs + sign * jobs,
    submitted: now.submitted + sign * submitted,
    tres: addTres(now.tres, tres, sign),
  };
  if (next.jobs === 0 && next.submitted === 0) held.delete(key);
  else held.set(key, next);
}

function submittedOf(job: Job): number {
  if (isEnded(job)) return 0;
  return job.state === "PENDING" && job.array ? taskCount(job.array.tasks) : 1;
}
