/** Changing accounts, users, associations, QoS and weights. */

import type { ChangePolicy } from "../commands.ts";
import { heldOf } from "../policy/ledger.ts";
import type { Association, PolicyChange } from "../policy/records.ts";
import {
  associationUsageKey,
  chainOf,
  changePolicy,
  coordinatorsOf,
  type PolicyState,
  policyFrom,
  qosUsageKey,
  storedPolicy,
} from "../policy/state.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny } from "./decision.ts";

/** Accepts changes by whoever may make them, if what they lead to holds together. */
export function decideChangePolicy(state: ClusterState, command: ChangePolicy): Decision {
  const { policy } = state;
  const level = policy.users.get(command.byName)?.adminLevel ?? "None";
  if (!command.isOwner && level === "None" && !coordinatesAll(policy, command)) {
    const hint =
      "root, the owner of this cluster, and users with an AdminLevel may change accounts and QoS; " +
      "coordinators of an account may change its users";
    return deny("PERMISSION", "Access/permission denied", hint);
  }
  const raisesItself = command.changes.some((change) => "put" in change && change.put === "user");
  if (!command.isOwner && level === "Operator" && raisesItself && changesLevels(policy, command)) {
    return deny("PERMISSION", "Access/permission denied", "an Operator can't change anybody's AdminLevel");
  }
  if (command.version !== policy.version) {
    return deny("POLICY_CHANGED", "somebody else has changed accounts or QoS meanwhile", "try again");
  }
  const after = policyFrom(storedPolicy(policy));
  for (const change of command.changes) changePolicy(after, change);
  const [problem] = [...busyProblems(policy, command.changes), ...policyProblems(after)];
  if (problem !== undefined) return deny("INVALID_POLICY", problem);
  return accept({ type: "policy.changed", changes: command.changes });
}

/** Whether all changes are of users in accounts that somebody coordinates: who is in them, and their limits. */
function coordinatesAll(policy: PolicyState, { changes, byName }: ChangePolicy): boolean {
  const isMine = (account: string): boolean => coordinatorsOf(policy, account).includes(byName);
  const isUsers = (one: Association | undefined): boolean =>
    one !== undefined && one.user !== "" && isMine(one.account);
  const isSomebody = [...policy.accounts.values()].some(({ coordinators = [] }) => coordinators.includes(byName));
  if (!isSomebody) return false;
  return changes.every((change) => {
    if ("drop" in change) {
      if (change.drop === "association") return isUsers(policy.associations.get(change.id));
      return change.drop === "user";
    }
    if (change.put === "user") {
      return change.record.adminLevel === (policy.users.get(change.record.name)?.adminLevel ?? "None");
    }
    const before = change.put === "association" ? policy.associations.get(change.record.id) : undefined;
    return change.put === "association" && isUsers(change.record) && (before === undefined || isUsers(before));
  });
}

function changesLevels(policy: PolicyState, { changes }: ChangePolicy): boolean {
  return changes.some(
    (change) =>
      "put" in change &&
      change.put === "user" &&
      change.record.adminLevel !== (policy.users.get(change.record.name)?.adminLevel ?? "None"),
  );
}

/** Slurm's words for the removal of what jobs still use. */
function busyProblems(policy: PolicyState, changes: readonly PolicyChange[]): string[] {
  return changes.flatMap((change) => {
    const key = usedKey(change);
    if (key === null || heldOf(policy, key).submitted + heldOf(policy, key).jobs === 0) return [];
    const name = "name" in change ? `QOS ${change.name}` : `association ${"id" in change ? change.id : ""}`;
    return [`Error with request: Job(s) active, cancel job(s) before remove (${name})`];
  });
}

function usedKey(change: PolicyChange): string | null {
  if (!("drop" in change)) return null;
  if (change.drop === "association") return associationUsageKey(change.id);
  return change.drop === "qos" ? qosUsageKey(change.name) : null;
}

/** What does not hold together, in sentences; none when all does. */
function policyProblems(policy: PolicyState): string[] {
  const problems = [...policy.associations.values()].flatMap((one) => associationProblems(policy, one));
  for (const { name, preempt } of policy.qos.values()) {
    for (const other of preempt) if (!policy.qos.has(other)) problems.push(`QOS ${name}: there is no QOS ${other}`);
  }
  for (const { name, defaultAccount } of policy.users.values()) {
    if (defaultAccount !== "" && !policy.accounts.has(defaultAccount)) {
      problems.push(`user ${name}: there is no account ${defaultAccount}`);
    }
  }
  return problems;
}

function associationProblems(policy: PolicyState, association: Association): string[] {
  const { account, user, parent, qos, defaultQos } = association;
  const problems: string[] = [];
  if (!policy.accounts.has(account)) problems.push(`there is no account ${account}`);
  if (user !== "" && !policy.users.has(user)) problems.push(`there is no user ${user}`);
  for (const name of [...(qos ?? []), ...(defaultQos === "" ? [] : [defaultQos])]) {
    if (!policy.qos.has(name)) problems.push(`there is no QOS ${name}`);
  }
  if (parent !== "" && !policy.accounts.has(parent)) problems.push(`there is no account ${parent}`);
  if (user === "" && parent !== "" && chainOf(policy, association).at(-1)?.parent !== "") {
    problems.push(`account ${account} would be below itself`);
  }
  return problems;
}
