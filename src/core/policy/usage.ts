/**
 * Usage: TRES seconds that fade. It is added when a job stops running, from its record alone, so that a replay of the
 * journal gives the same; what running jobs have used so far is reckoned when somebody asks.
 */

import type { RunningJob } from "../job.ts";
import { chargedChain } from "./ledger.ts";
import type { Tres, Usage } from "./records.ts";
import { associationUsageKey, type PolicyState, qosUsageKey } from "./state.ts";
import { addTres, scaleTres, tresOf } from "./tres.ts";

const NO_USAGE: Tres = {};

/** Adds what a job used, that stopped running at `at`. Only for `reduce`. */
export function addUsage(policy: PolicyState, job: RunningJob, at: number): void {
  const used = usedBy(policy, job, at);
  for (const key of usageKeys(policy, job)) {
    const before = policy.usage.get(key);
    policy.usage.set(key, { at, seconds: addTres(before ? fadedTo(policy, key, before, at) : NO_USAGE, used) });
  }
}

/** Usage of everything at a moment, running jobs included. */
export function usageAt(policy: PolicyState, running: Iterable<RunningJob>, at: number): Map<string, Tres> {
  const usage = new Map<string, Tres>();
  for (const [key, stored] of policy.usage) usage.set(key, fadedTo(policy, key, stored, at));
  for (const job of running) {
    const used = usedBy(policy, job, at);
    for (const key of usageKeys(policy, job)) usage.set(key, addTres(usage.get(key) ?? NO_USAGE, used));
  }
  return usage;
}

function usageKeys(policy: PolicyState, { spec }: RunningJob): string[] {
  const keys = chargedChain(policy, spec).map(({ id }) => associationUsageKey(id));
  return spec.qos === null ? keys : [...keys, qosUsageKey(spec.qos)];
}

function fadedTo(policy: PolicyState, key: string, { at, seconds }: Usage, to: number): Tres {
  const halfLifeS = policy.config.decayHalfLifeS;
  const passedS = Math.max(0, to - at) / 1000;
  if (halfLifeS === 0 || passedS === 0 || keepsUsage(policy, key)) return seconds;
  return scaleTres(seconds, 2 ** (-passedS / halfLifeS));
}

/** QoS flag NoDecay. */
function keepsUsage({ qos }: PolicyState, key: string): boolean {
  return key.startsWith("q:") && (qos.get(key.slice(2))?.flags.includes("NoDecay") ?? false);
}

/** TRES seconds of a job at a moment, those longer ago faded: the integral of its rate over its run. */
function usedBy(policy: PolicyState, job: RunningJob, at: number): Tres {
  const suspendedMs = job.suspendedMs + (job.suspendedAt === null ? 0 : Math.max(0, at - job.suspendedAt));
  const ranS = Math.max(0, at - job.startAt - suspendedMs) / 1000;
  const halfLifeS = policy.config.decayHalfLifeS;
  const countedS = halfLifeS === 0 ? ranS : (halfLifeS / Math.LN2) * (1 - 2 ** (-ranS / halfLifeS));
  const factor = (job.spec.qos === null ? undefined : policy.qos.get(job.spec.qos)?.usageFactor) ?? 1;
  const rate = { ...tresOf(job.allocation, policy.config.billingWeights), wall: 1 };
  return scaleTres(rate, countedS * factor);
}
