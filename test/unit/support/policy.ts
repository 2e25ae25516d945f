/** Accounts and QoS that tests share: two groups, three users, and a QoS that others may be preempted for. */

import type { Association, PolicyChange, Qos, StoredPolicy } from "../../../src/core/policy/records.ts";
import { changePolicy, policyFrom, storedPolicy } from "../../../src/core/policy/state.ts";
import { must } from "../../../src/util/assert.ts";

function account(name: string): PolicyChange {
  return { put: "account", record: { name, description: `${name} group`, organization: "lab" } };
}

export function association(
  id: number,
  names: Pick<Association, "account"> & Partial<Association>,
): Extract<PolicyChange, { put: "association" }> {
  const plain = { user: "", partition: "", parent: "", shares: 1, limits: {}, qos: null, defaultQos: "" } as const;
  return { put: "association", record: { id, ...plain, ...names } };
}

export function qos(id: number, name: string, over: Partial<Qos> = {}): Extract<PolicyChange, { put: "qos" }> {
  const plain = { description: name, priority: 0, flags: [], graceTimeS: 0, preempt: [], usageFactor: 1, limits: {} };
  return { put: "qos", record: { id, name, ...plain, preemptMode: "cluster", ...over } };
}

function user(name: string, defaultAccount: string): Extract<PolicyChange, { put: "user" }> {
  return { put: "user", record: { name, defaultAccount, adminLevel: "None" } };
}

/** What has come of some changes. */
export function policyOf(changes: readonly PolicyChange[]): StoredPolicy {
  const policy = policyFrom();
  policy.version = 1;
  for (const change of changes) changePolicy(policy, change);
  return must(storedPolicy(policy), "a policy");
}

/** root over vision (ada, bob) and speech (eve); ada may use the QoS high. */
export const LAB: readonly PolicyChange[] = [
  qos(1, "normal"),
  account("root"),
  association(2, { account: "root", qos: ["normal"] }),
  account("vision"),
  association(3, { account: "vision", parent: "root", shares: 3, limits: { grpTres: { "gres/gpu": 4, mem: 8192 } } }),
  account("speech"),
  association(4, { account: "speech", parent: "root" }),
  qos(5, "high", {
    priority: 100,
    flags: ["DenyOnLimit"],
    preempt: ["normal"],
    limits: { maxWallS: 3600, maxJobsPU: 1 },
  }),
  user("ada", "vision"),
  association(6, { account: "vision", user: "ada", qos: ["normal", "high"] }),
  user("bob", "vision"),
  association(7, { account: "vision", user: "bob", limits: { maxJobs: 1, maxSubmit: 3, maxWallS: 7200 } }),
  user("eve", "speech"),
  association(8, { account: "speech", user: "eve" }),
];
