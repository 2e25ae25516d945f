/** What a job is charged to: the account and the QoS that it names, or those that it has by default. */

import { taskCount } from "../array-spec.ts";
import { deny, type Refusal } from "../decide/decision.ts";
import { type JobSpec, UNLIMITED } from "../jobspec.ts";
import { type Blocked, inherited, perJobLimit, submitLimit } from "./limits.ts";
import type { Association } from "./records.ts";
import { allowedQos, chainOf, findAssociation, isPolicyOn, type PolicyState } from "./state.ts";
import { wishedTres } from "./tres.ts";

/** Slurm's words for a job that a limit keeps out of the queue. */
const POLICY_TEXT = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";

/** Account and QoS of a job, and the time limit that these give it. */
export type Charge = Pick<JobSpec, "account" | "qos" | "timeLimitS">;

/**
 * What a job is charged to, or why it is refused. A cluster without accounts and QoS takes any.
 * @param usualS seconds that it may run where they say nothing, 0 for no limit
 */
export function chargeOf(policy: PolicyState, spec: JobSpec, usualS: number): Charge | Refusal {
  if (!isPolicyOn(policy)) return spec;
  const account = accountOf(policy, spec);
  if (account === undefined) return denyAccount(policy, spec);
  const chain = chainFor(policy, spec, account);
  const qos = qosOf(policy, spec, chain);
  if (typeof qos === "object" && qos !== null) return qos;
  const timeLimitS = spec.timeLimitS ?? timeLimitOf(policy, usualS, chain, qos);
  return { account, qos, timeLimitS };
}

/** Why a job that is charged so may not enter the queue. */
export function queueProblem(policy: PolicyState, spec: JobSpec, limitS: number): Refusal | null {
  const count = spec.array ? taskCount(spec.array.tasks) : 1;
  const blocked = submitLimit(policy, spec, count) ?? denyOnLimit(policy, spec, limitS);
  return blocked && deny("ACCOUNTING_POLICY", POLICY_TEXT, `${blocked.word}: ${blocked.text}`);
}

/** QoS with the flag DenyOnLimit let no job wait that can never start. */
function denyOnLimit(policy: PolicyState, spec: JobSpec, limitS: number): Blocked | null {
  const qos = spec.qos === null ? undefined : policy.qos.get(spec.qos);
  if (!qos?.flags.includes("DenyOnLimit")) return null;
  const tres = wishedTres(spec.request, policy.config.billingWeights);
  const chain = spec.account === null ? [] : chainFor(policy, spec, spec.account);
  return perJobLimit({ charged: spec, tres, nodes: tres.node ?? 1, limitS }, chain, qos);
}

/** A job that names no limit gets the longest that its account and its QoS allow, as in Slurm. */
function timeLimitOf(
  policy: PolicyState,
  usualS: number,
  chain: readonly Association[],
  qos: string | null,
): number | null {
  const walls = [qos === null ? undefined : policy.qos.get(qos)?.limits.maxWallS, inherited(chain, "maxWallS")];
  const most = Math.min(...walls.map((wall) => wall ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(most) && (usualS === UNLIMITED || usualS > most) ? most : null;
}

/** `undefined` for an account that the user may not use, `null` for none. */
function accountOf(policy: PolicyState, { account, user, partition }: JobSpec): string | null | undefined {
  // Only QoS were made: any name may stand for an account.
  if (policy.accounts.size === 0) return account;
  const name = account?.toLowerCase() ?? policy.users.get(user.name)?.defaultAccount ?? "";
  if (name === "") return null;
  return findAssociation(policy, name, user.name, partition ?? "") ? name : undefined;
}

/** Those that are in no account have what the root has. */
function chainFor(policy: PolicyState, { user, partition }: JobSpec, account: string | null): Association[] {
  const own = account === null ? undefined : findAssociation(policy, account, user.name, partition ?? "");
  const association = own ?? findAssociation(policy, "root", "", "");
  return association ? chainOf(policy, association) : [];
}

function qosOf(policy: PolicyState, spec: JobSpec, chain: readonly Association[]): string | null | Refusal {
  if (policy.qos.size === 0) return spec.qos;
  const allowed = allowedQos(chain);
  if (spec.qos === null) {
    const usual = chain.find(({ defaultQos }) => defaultQos !== "")?.defaultQos ?? "normal";
    return policy.qos.has(usual) ? usual : null;
  }
  const name = spec.qos.toLowerCase();
  if (policy.qos.has(name) && (allowed === null || allowed.includes(name))) return name;
  const names = (allowed ?? [...policy.qos.keys()]).join(", ");
  return deny("INVALID_QOS", "Invalid qos specification", `${spec.user.name} may use: ${names || "none"}`);
}

function denyAccount(policy: PolicyState, { user }: JobSpec): Refusal {
  const own = [...policy.associations.values()].filter((one) => one.user === user.name).map(({ account }) => account);
  const hint =
    own.length > 0 ? `${user.name} may use: ${[...new Set(own)].join(", ")}` : `${user.name} is in no account`;
  return deny("INVALID_ACCOUNT", "Invalid account or account/partition combination specified", hint);
}
