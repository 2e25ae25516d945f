/** The part of a cluster's state that says who may use how much, and its indexes. Only `reduce` writes it. */

import {
  type Account,
  type Association,
  NO_POLICY,
  type PolicyChange,
  type PolicyUser,
  PRIORITY_DEFAULTS,
  type PriorityConfig,
  type Qos,
  type StoredPolicy,
  type Tres,
  type Usage,
} from "./records.ts";

/** What jobs hold of something that limits are set for. */
export interface Held {
  /** Jobs that run, or are still being cleared away. */
  readonly jobs: number;
  /** Jobs, or tasks of arrays, that are not over. */
  readonly submitted: number;
  readonly tres: Tres;
}

export interface PolicyState {
  version: number;
  nextId: number;
  readonly accounts: Map<string, Account>;
  readonly users: Map<string, PolicyUser>;
  readonly associations: Map<number, Association>;
  readonly qos: Map<string, Qos>;
  /** What was set of it; `config` has the rest too. */
  ownConfig: Partial<PriorityConfig>;
  config: PriorityConfig;
  readonly usage: Map<string, Usage>;
  /** Index: association ids by {@link associationKey}. */
  readonly byName: Map<string, number>;
  /** Index: what jobs hold, by the keys of ledger.ts. */
  readonly held: Map<string, Held>;
}

/** State from what was stored; its `held` is filled by whoever knows the jobs. */
export function policyFrom(stored: StoredPolicy = NO_POLICY): PolicyState {
  const policy: PolicyState = {
    version: stored.version,
    nextId: stored.nextId,
    accounts: new Map(stored.accounts.map((account) => [account.name, account])),
    users: new Map(stored.users.map((user) => [user.name, user])),
    associations: new Map(stored.associations.map((association) => [association.id, association])),
    qos: new Map(stored.qos.map((qos) => [qos.name, qos])),
    ownConfig: stored.config,
    config: { ...PRIORITY_DEFAULTS, ...stored.config },
    usage: new Map(Object.entries(stored.usage)),
    byName: new Map(),
    held: new Map(),
  };
  for (const association of stored.associations) policy.byName.set(keyOf(association), association.id);
  return policy;
}

/** The inverse of {@link policyFrom}; `undefined` where nothing was ever set. */
export function storedPolicy(policy: PolicyState): StoredPolicy | undefined {
  if (policy.version === 0) return undefined;
  return {
    version: policy.version,
    nextId: policy.nextId,
    accounts: [...policy.accounts.values()],
    users: [...policy.users.values()],
    associations: [...policy.associations.values()],
    qos: [...policy.qos.values()],
    config: policy.ownConfig,
    usage: Object.fromEntries(policy.usage),
  };
}

/** Whether there are accounts or QoS at all: without any, jobs are counted nowhere. */
export function isPolicyOn({ accounts, qos }: PolicyState): boolean {
  return accounts.size > 0 || qos.size > 0;
}

/** Applies one change. Only for `reduce`. */
export function changePolicy(policy: PolicyState, change: PolicyChange): void {
  if ("drop" in change) return dropRecord(policy, change);
  switch (change.put) {
    case "account":
      policy.accounts.set(change.record.name, change.record);
      return;
    case "user":
      policy.users.set(change.record.name, change.record);
      return;
    case "qos":
      policy.qos.set(change.record.name, change.record);
      policy.nextId = Math.max(policy.nextId, change.record.id + 1);
      return;
    case "config":
      policy.ownConfig = change.record;
      policy.config = { ...PRIORITY_DEFAULTS, ...change.record };
      return;
    case "association":
      policy.associations.set(change.record.id, change.record);
      policy.byName.set(keyOf(change.record), change.record.id);
      policy.nextId = Math.max(policy.nextId, change.record.id + 1);
  }
}

function dropRecord(policy: PolicyState, change: Extract<PolicyChange, { drop: string }>): void {
  if (change.drop === "association") {
    const association = policy.associations.get(change.id);
    if (association) policy.byName.delete(keyOf(association));
    policy.associations.delete(change.id);
    policy.usage.delete(associationUsageKey(change.id));
  } else if (change.drop === "usage") {
    policy.usage.delete(change.key);
  } else {
    const records = { account: policy.accounts, user: policy.users, qos: policy.qos }[change.drop];
    records.delete(change.name);
    if (change.drop === "qos") policy.usage.delete(qosUsageKey(change.name));
  }
}

/** Key of an association's usage and of what its jobs hold. */
export function associationUsageKey(id: number): string {
  return `a:${id}`;
}

/** Key of a QoS's usage and of what its jobs hold. */
export function qosUsageKey(name: string): string {
  return `q:${name}`;
}

/** Who sees to the users of an account: its coordinators and those of the accounts above, by name. */
export function coordinatorsOf(policy: PolicyState, account: string): string[] {
  const association = findAssociation(policy, account, "", "");
  const chain = association ? chainOf(policy, association) : [];
  const names = chain.flatMap((one) => policy.accounts.get(one.account)?.coordinators ?? []);
  return [...new Set(names)].sort();
}

/** The user's association that a job is charged to: the one of its partition, else that of all. */
export function findAssociation(
  policy: PolicyState,
  account: string,
  user: string,
  partition: string,
): Association | undefined {
  const id = policy.byName.get(key(account, user, partition)) ?? policy.byName.get(key(account, user, ""));
  return id === undefined ? undefined : policy.associations.get(id);
}

/** An association and those above it: the account's, its parent's ... up to the root. */
export function chainOf(policy: PolicyState, association: Association): Association[] {
  const chain: Association[] = [association];
  let account = association.user === "" ? association.parent : association.account;
  while (account !== "") {
    const above = findAssociation(policy, account, "", "");
    if (!above || chain.includes(above)) break;
    chain.push(above);
    account = above.parent;
  }
  return chain;
}

/** QoS that an association's jobs may have: its own list, or the nearest above; `null` for any. */
export function allowedQos(chain: readonly Association[]): readonly string[] | null {
  return chain.find(({ qos }) => qos !== null)?.qos ?? null;
}

function keyOf({ account, user, partition }: Association): string {
  return key(account, user, partition);
}

function key(account: string, user: string, partition: string): string {
  return `${account}\0${user}\0${partition}`;
}
