/** A working copy of accounts and QoS on which one command of sacctmgr makes its changes. */

import type { Association, PolicyChange, StoredPolicy } from "../../../core/policy/records.ts";
import { changePolicy, type PolicyState, policyFrom } from "../../../core/policy/state.ts";

export interface Draft {
  readonly policy: PolicyState;
  readonly changes: readonly PolicyChange[];
  /** Makes a change to the copy, and notes it. */
  make(change: PolicyChange): void;
  nextId(): number;
}

/** A copy of what the controller has. */
export function createDraft(stored: StoredPolicy): Draft {
  const policy = policyFrom(stored);
  const changes: PolicyChange[] = [];
  return {
    policy,
    changes,
    make(change) {
      changes.push(change);
      changePolicy(policy, change);
    },
    nextId: () => policy.nextId,
  };
}

/** An association without limits. */
export function plainAssociation(id: number, account: string, user: string, parent: string): Association {
  return {
    ...{ id, account, user, partition: "", parent, shares: 1, limits: {} },
    ...{ qos: null, defaultQos: "" },
  };
}

/** Makes the root of the tree of accounts, and the QoS that every cluster of Slurm begins with, if they are not there. */
export function ensureRoot(draft: Draft): void {
  ensureNormal(draft);
  if (draft.policy.accounts.has("root")) return;
  const record = { name: "root", description: "default root account", organization: "root" };
  draft.make({ put: "account", record });
  const root = plainAssociation(draft.nextId(), "root", "", "");
  draft.make({ put: "association", record: { ...root, qos: ["normal"] } });
}

/** Makes the QoS `normal`, if it is not there. */
export function ensureNormal(draft: Draft): void {
  if (draft.policy.qos.has("normal")) return;
  draft.make({ put: "qos", record: plainQos(draft.nextId(), "normal") });
}

/** A QoS without limits. */
export function plainQos(id: number, name: string): Extract<PolicyChange, { put: "qos" }>["record"] {
  return {
    ...{ id, name, description: name === "normal" ? "Normal QOS default" : name, priority: 0, flags: [] },
    ...{ graceTimeS: 0, preempt: [], preemptMode: "cluster", usageFactor: 1, limits: {} },
  };
}

/** What a command came to: lines for the user, and the exit code where it went wrong. */
export interface Edit {
  /** Printed before the question whether to go on. */
  readonly text: string;
  /** Printed to stderr: nothing is changed then. */
  readonly problems: readonly string[];
}

/** Nothing to do, or not possible: Slurm's words. */
export function refuse(...problems: string[]): Edit {
  return { text: "", problems };
}
