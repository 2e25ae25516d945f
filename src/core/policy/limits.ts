/**
 * Limits of associations and QoS: may a job be queued, and may it start now. Reasons are Slurm's words.
 *
 * An association's Grp limits count all jobs below it; its other limits hold for each user below, the nearest one
 * counting. A QoS's come on top; with the flag OverPartQOS nothing changes here, for partitions have no limits by QoS.
 */

import type { RunningJob } from "../job.ts";
import { type Charged, chargedChain, chargedKeys, heldOf, qosAccountKey, qosUserKey } from "./ledger.ts";
import type { Association, LimitName, Limits, Qos, Tres } from "./records.ts";
import { associationUsageKey, isPolicyOn, type PolicyState, qosUsageKey } from "./state.ts";
import { addTres, scaleTres, tresOf } from "./tres.ts";
import { usageAt } from "./usage.ts";

/** Slurm's words for a limit that keeps a job waiting, or out. */
export type LimitReason = `Assoc${string}` | `QOS${string}` | `Max${string}PerAccount`;

/** A limit that is in the way. */
export interface Blocked {
  readonly word: LimitReason;
  /** What the limit is and whose, in words. */
  readonly text: string;
  /** Whatever a job asks for: it keeps every job with the same account, QoS, user and partition waiting. */
  readonly isForAll?: true;
  /** It may be in the way no more later though nothing happens: usage fades, and running jobs use up their time. */
  readonly changesWithTime?: true;
}

/** What a pass has started beyond what is counted already, by the same keys. */
export interface Started {
  readonly jobs: number;
  readonly tres: Tres;
}

/** What limits are checked against. */
export interface LimitView {
  readonly policy: PolicyState;
  /** Faded TRES seconds used so far, by key; asked only where a limit of minutes is set. */
  usage(key: string): Tres;
  /** TRES seconds that running jobs may still use, by key; asked only where such a limit is set. */
  pledged(key: string): Tres;
  /** What is held under a key, with what was started since. */
  held(key: string): Started;
}

/** How a TRES is called in reasons: after Grp, after Max ...PerUser and so on. */
function tresWord(
  tres: string,
  forms: readonly [cpu: string, mem: string, node: string, gres: string, billing: string],
): string {
  const index = { cpu: 0, mem: 1, node: 2, billing: 4 }[tres] ?? 3;
  return forms[index] ?? forms[3];
}

const GROUP = ["GrpCpuLimit", "GrpMemLimit", "GrpNodeLimit", "GrpGRES", "GrpBilling"] as const;
const GROUP_MINUTES = [
  "GrpCPUMinutesLimit",
  "GrpMemMinutes",
  "GrpNodeMinutes",
  "GrpGRESMinutes",
  "GrpBillingMinutes",
] as const;
const GROUP_RUN = [
  ...["GrpCPURunMinutesLimit", "GrpMemRunMinutes", "GrpNodeRunMinutes", "GrpGRESRunMinutes", "GrpBillingRunMinutes"],
] as unknown as typeof GROUP;
const PER_JOB = [
  "MaxCpuPerJobLimit",
  "MaxMemPerJob",
  "MaxNodePerJobLimit",
  "MaxGRESPerJob",
  "MaxBillingPerJob",
] as const;
const PER_JOB_QOS = [
  "MaxCpuPerJobLimit",
  "MaxMemoryPerJob",
  "MaxNodePerJobLimit",
  "MaxGRESPerJob",
  "MaxBillingPerJob",
] as const;
const PER_NODE = [
  "MaxCpuPerNode",
  "MaxMemPerNode",
  "MaxNodePerJobLimit",
  "MaxGRESPerNode",
  "MaxBillingPerJob",
] as const;
const PER_NODE_QOS = [
  "MaxCpuPerNode",
  "MaxMemoryPerNode",
  "MaxNodePerJobLimit",
  "MaxGRESPerNode",
  "MaxBillingPerJob",
] as const;
const MINUTES_PER_JOB = [
  ...["MaxCpuMinutesPerJobLimit", "MaxMemMinutesPerJob", "MaxNodeMinutesPerJob", "MaxGRESMinutesPerJob"],
  "MaxBillingMinutesPerJob",
] as unknown as typeof GROUP;
const PER_USER = [
  "MaxCpuPerUserLimit",
  "MaxMemoryPerUser",
  "MaxNodePerUserLimit",
  "MaxGRESPerUser",
  "MaxBillingPerUser",
] as const;
const PER_ACCOUNT = [
  ...["MaxCpuPerAccount", "MaxMemoryPerAccount", "MaxNodePerAccount", "MaxGRESPerAccount", "MaxBillingPerAccount"],
] as unknown as typeof GROUP;
const LEAST = ["MinCpuNotSatisfied", "MinMemory", "MinNode", "MinGRES", "MinBilling"] as const;

/** A job as limits see it. */
export interface Candidate {
  readonly charged: Charged;
  /** What it asks for, or is about to get. */
  readonly tres: Tres;
  readonly nodes: number;
  /** Seconds it may run, 0 for no limit. */
  readonly limitS: number;
}

/** What keeps a job from starting now, or ever; `null` if no limit does. */
export function startLimit(view: LimitView, candidate: Candidate): Blocked | null {
  const { policy } = view;
  const chain = chargedChain(policy, candidate.charged);
  const qos = qosOf(policy, candidate.charged);
  return (
    groupLimit(view, candidate, chain, qos) ??
    perJobLimit(candidate, chain, qos) ??
    (qos ? qosShareLimit(view, candidate, qos) : null)
  );
}

function qosOf(policy: PolicyState, { qos }: Charged): Qos | null {
  return qos === null ? null : (policy.qos.get(qos) ?? null);
}

/** Limits that many jobs share: of each association of the chain, and of the QoS. */
function groupLimit(
  view: LimitView,
  candidate: Candidate,
  chain: readonly Association[],
  qos: Qos | null,
): Blocked | null {
  for (const association of chain) {
    const { limits, account } = association;
    const found = groupOf(view, candidate, "Assoc", associationUsageKey(association.id), limits, `account ${account}`);
    if (found) return found;
  }
  const own = chain[0];
  const maxJobs = own ? inherited(chain, "maxJobs") : undefined;
  if (own && maxJobs !== undefined && view.held(associationUsageKey(own.id)).jobs >= maxJobs) {
    return {
      isForAll: true,
      word: "AssocMaxJobsLimit",
      text: `${maxJobs} jobs of ${own.user} in account ${own.account} may run at a time`,
    };
  }
  return qos ? groupOf(view, candidate, "QOS", qosUsageKey(qos.name), qos.limits, `QOS ${qos.name}`) : null;
}

function groupOf(
  view: LimitView,
  { tres, limitS }: Candidate,
  prefix: "Assoc" | "QOS",
  key: string,
  limits: Limits,
  whose: string,
): Blocked | null {
  const held = view.held(key);
  if (limits.grpJobs !== undefined && held.jobs >= limits.grpJobs) {
    return {
      isForAll: true,
      word: `${prefix}GrpJobsLimit`,
      text: `${limits.grpJobs} jobs of ${whose} may run at a time`,
    };
  }
  const over = limits.grpTres && firstOver(limits.grpTres, (name) => (held.tres[name] ?? 0) + (tres[name] ?? 0), tres);
  if (over)
    return blocked(prefix, tresWord(over, GROUP), `${whose} may use ${over}=${limits.grpTres?.[over]} at a time`);
  const used = limits.grpTresMins && firstSpent(limits.grpTresMins, view.usage(key), tres);
  if (used) return untilLater(prefix, tresWord(used, GROUP_MINUTES), `${whose} has used its ${used} minutes`);
  if (limits.grpWallS !== undefined && (view.usage(key).wall ?? 0) >= limits.grpWallS) {
    return { ...untilLater(prefix, "GrpWallLimit", `${whose} has used its wall clock time`), isForAll: true };
  }
  const run = limits.grpTresRunMins && firstPledged(limits.grpTresRunMins, view.pledged(key), tres, limitS);
  return run
    ? untilLater(prefix, tresWord(run, GROUP_RUN), `${whose} may have ${run} minutes running at a time`)
    : null;
}

/** Limits of one job by itself. */
export function perJobLimit(
  { tres, nodes, limitS }: Candidate,
  chain: readonly Association[],
  qos: Qos | null,
): Blocked | null {
  type Source = readonly ["Assoc" | "QOS", <K extends LimitName>(name: K) => Limits[K] | undefined, string];
  const ofQos = (one: Qos): Source => ["QOS", (name) => one.limits[name], `QOS ${one.name}`];
  const ofChain: Source = ["Assoc", (name) => inherited(chain, name), `account ${chain[0]?.account ?? ""}`];
  const sources: readonly Source[] = qos ? [ofQos(qos), ofChain] : [ofChain];
  for (const [prefix, limit, whose] of sources) {
    const isQos = prefix === "QOS";
    const most = limit("maxTres");
    const over = most && firstOver(most, (name) => tres[name] ?? 0, tres);
    if (over)
      return blocked(
        prefix,
        tresWord(over, isQos ? PER_JOB_QOS : PER_JOB),
        `a job of ${whose} may use ${over}=${most[over]}`,
      );
    const node = limit("maxTresPN");
    const perNode = node && firstOver(node, (name) => (tres[name] ?? 0) / Math.max(1, nodes), tres);
    if (perNode) {
      const text = `a job of ${whose} may use ${perNode}=${node[perNode]} of a node`;
      return blocked(prefix, tresWord(perNode, isQos ? PER_NODE_QOS : PER_NODE), text);
    }
    const wallS = limit("maxWallS");
    if (wallS !== undefined && (limitS === 0 || limitS > wallS)) {
      const text = `a job of ${whose} may run ${Math.floor(wallS / 60)} minutes: ask for no more with --time`;
      return { word: `${prefix}MaxWallDurationPerJobLimit`, text };
    }
    const minutes = limit("maxTresMins");
    const long = minutes && firstPledged(minutes, {}, tres, limitS);
    if (long)
      return blocked(
        prefix,
        tresWord(long, MINUTES_PER_JOB),
        `a job of ${whose} may use ${minutes[long]} ${long} minutes`,
      );
  }
  const least = qos?.limits.minTres;
  const short = least && Object.keys(least).find((name) => (tres[name] ?? 0) < (least[name] ?? 0));
  return qos && short
    ? blocked("QOS", tresWord(short, LEAST), `a job of QOS ${qos.name} uses at least ${short}=${least[short]}`)
    : null;
}

/** What each user and each account may have of a QoS. */
function qosShareLimit(view: LimitView, { charged, tres }: Candidate, { name, limits }: Qos): Blocked | null {
  const mine = view.held(qosUserKey(name, charged.user.name));
  if (limits.maxJobsPU !== undefined && mine.jobs >= limits.maxJobsPU) {
    return {
      isForAll: true,
      word: "QOSMaxJobsPerUserLimit",
      text: `${limits.maxJobsPU} jobs of a user may run at a time with QOS ${name}`,
    };
  }
  const over = limits.maxTresPU && firstOver(limits.maxTresPU, (one) => (mine.tres[one] ?? 0) + (tres[one] ?? 0), tres);
  if (over)
    return blocked(
      "QOS",
      tresWord(over, PER_USER),
      `a user may use ${over}=${limits.maxTresPU?.[over]} with QOS ${name}`,
    );
  if (charged.account === null) return null;
  const ours = view.held(qosAccountKey(name, charged.account));
  if (limits.maxJobsPA !== undefined && ours.jobs >= limits.maxJobsPA) {
    return {
      isForAll: true,
      word: "MaxJobsPerAccount",
      text: `${limits.maxJobsPA} jobs of an account may run with QOS ${name}`,
    };
  }
  const all = limits.maxTresPA && firstOver(limits.maxTresPA, (one) => (ours.tres[one] ?? 0) + (tres[one] ?? 0), tres);
  if (!all) return null;
  const word = tresWord(all, PER_ACCOUNT) as LimitReason;
  return { word, text: `an account may use ${all}=${limits.maxTresPA?.[all]} with QOS ${name}` };
}

function blocked(prefix: "Assoc" | "QOS", word: string, text: string): Blocked {
  return { word: `${prefix}${word}`, text };
}

function untilLater(prefix: "Assoc" | "QOS", word: string, text: string): Blocked {
  return { ...blocked(prefix, word, text), changesWithTime: true };
}

/** The nearest association's value of a limit. */
export function inherited<K extends LimitName>(chain: readonly Association[], name: K): Limits[K] | undefined {
  for (const { limits } of chain) if (limits[name] !== undefined) return limits[name];
  return undefined;
}

/** The first TRES that the job uses and that would be more than the limit. */
function firstOver(limit: Tres, amount: (name: string) => number, wished: Tres): string | undefined {
  return Object.keys(limit).find((name) => (wished[name] ?? 0) > 0 && amount(name) > (limit[name] ?? 0) + 1e-9);
}

function firstSpent(limit: Tres, seconds: Tres, wished: Tres): string | undefined {
  return Object.keys(limit).find((name) => (wished[name] ?? 0) > 0 && (seconds[name] ?? 0) / 60 >= (limit[name] ?? 0));
}

function firstPledged(limit: Tres, pledged: Tres, wished: Tres, limitS: number): string | undefined {
  return Object.keys(limit).find((name) => {
    const own = (wished[name] ?? 0) * (limitS === 0 ? Number.POSITIVE_INFINITY : limitS);
    return (wished[name] ?? 0) > 0 && ((pledged[name] ?? 0) + own) / 60 > (limit[name] ?? 0);
  });
}

/**
 * A view on a state at a moment. What needs a look at all running jobs is reckoned when it is first asked for.
 * @param running jobs that run
 * @param startedOf what was started beyond what is counted, by key
 */
export function limitView(
  policy: PolicyState,
  running: () => Iterable<RunningJob>,
  now: number,
  startedOf: (key: string) => Started | undefined = () => undefined,
): LimitView {
  let usage: Map<string, Tres> | null = null;
  let pledged: Map<string, Tres> | null = null;
  return {
    policy,
    usage(key) {
      usage ??= usageAt(policy, running(), now);
      return usage.get(key) ?? {};
    },
    pledged(key) {
      pledged ??= pledgedAt(policy, running(), now);
      return pledged.get(key) ?? {};
    },
    held(key) {
      const held = heldOf(policy, key);
      const started = startedOf(key);
      return started ? { jobs: held.jobs + started.jobs, tres: addTres(held.tres, started.tres) } : held;
    },
  };
}

/** TRES seconds that running jobs may still use, by all keys that they are counted under. */
export function pledgedAt(policy: PolicyState, running: Iterable<RunningJob>, now: number): Map<string, Tres> {
  const pledged = new Map<string, Tres>();
  for (const job of running) {
    const leftS = job.limitS === 0 ? 0 : Math.max(0, job.startAt + job.limitS * 1000 + job.suspendedMs - now) / 1000;
    const seconds = scaleTres(tresOf(job.allocation, policy.config.billingWeights), leftS);
    for (const key of chargedKeys(policy, job.spec)) pledged.set(key, addTres(pledged.get(key) ?? {}, seconds));
  }
  return pledged;
}

/** Whether so many more jobs may be queued; the limit in the way, else `null`. */
export function submitLimit(policy: PolicyState, charged: Charged, count: number): Blocked | null {
  if (!isPolicyOn(policy)) return null;
  const chain = chargedChain(policy, charged);
  for (const { id, limits, account } of chain) {
    const most = limits.grpSubmit;
    if (most !== undefined && heldOf(policy, associationUsageKey(id)).submitted + count > most) {
      return { word: "AssocGrpSubmitJobsLimit", text: `account ${account} may have ${most} jobs in the queue` };
    }
  }
  const own = chain[0];
  const most = own ? inherited(chain, "maxSubmit") : undefined;
  if (own && most !== undefined && heldOf(policy, associationUsageKey(own.id)).submitted + count > most) {
    return {
      word: "AssocMaxSubmitJobLimit",
      text: `${own.user} may have ${most} jobs of account ${own.account} in the queue`,
    };
  }
  const qos = qosOf(policy, charged);
  return qos ? qosSubmitLimit(policy, charged, qos, count) : null;
}

function qosSubmitLimit(
  policy: PolicyState,
  { user, account }: Charged,
  { name, limits }: Qos,
  count: number,
): Blocked | null {
  const { grpSubmit, maxSubmitPU, maxSubmitPA } = limits;
  const isOver = (most: number | undefined, key: string): boolean =>
    most !== undefined && heldOf(policy, key).submitted + count > most;
  if (isOver(grpSubmit, qosUsageKey(name))) {
    return { word: "QOSGrpSubmitJobsLimit", text: `QOS ${name} may have ${grpSubmit} jobs in the queue` };
  }
  if (isOver(maxSubmitPU, qosUserKey(name, user.name))) {
    return {
      word: "QOSMaxSubmitJobPerUserLimit",
      text: `a user may have ${maxSubmitPU} jobs of QOS ${name} in the queue`,
    };
  }
  if (account !== null && isOver(maxSubmitPA, qosAccountKey(name, account))) {
    return {
      word: "MaxSubmitJobsPerAccount",
      text: `an account may have ${maxSubmitPA} jobs of QOS ${name} in the queue`,
    };
  }
  return null;
}
