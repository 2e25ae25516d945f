/** Which records the words of a command mean. */

import type { Association } from "../../../core/policy/records.ts";
import { chainOf, type PolicyState } from "../../../core/policy/state.ts";
import { inTreeOrder } from "../../../core/policy/tree.ts";
import { byPrefix } from "../../../core/policy/words.ts";
import { listOf, type Spec } from "./specs.ts";

/** What is asked for; empty lists ask for all. */
export interface Selection {
  readonly names: readonly string[];
  readonly accounts: readonly string[];
  readonly users: readonly string[];
  readonly partitions: readonly string[];
  readonly parents: readonly string[];
  readonly defaultAccounts: readonly string[];
  readonly ids: readonly string[];
  /** Only records of this cluster are there; another name selects none. */
  readonly clusters: readonly string[];
}

const KEYS: Readonly<Record<keyof Selection, readonly string[]>> = {
  names: ["Names", "Name"],
  accounts: ["Accounts", "Acct"],
  users: ["Users"],
  partitions: ["Partitions"],
  parents: ["Parent"],
  defaultAccounts: ["DefaultAccount"],
  ids: ["IDs"],
  clusters: ["Clusters"],
};

/** Reads conditions. Names of accounts and QoS are small letters, as in Slurm. */
export function readSelection(
  names: readonly string[],
  where: readonly Spec[],
): { readonly selection: Selection; readonly unknown: Spec[] } {
  const found: Record<keyof Selection, string[]> = {
    ...{ names: [...names], accounts: [], users: [], partitions: [], parents: [], defaultAccounts: [], ids: [] },
    clusters: [],
  };
  const unknown: Spec[] = [];
  for (const spec of where) {
    const entry = byPrefix(spec.key, Object.entries(KEYS), ([, words]) => words);
    if (!entry || spec.operator !== "=") unknown.push(spec);
    else found[entry[0] as keyof Selection].push(...listOf(spec.value));
  }
  const lower = (list: string[]): string[] => list.map((one) => one.toLowerCase());
  const selection = { ...found, accounts: lower(found.accounts), parents: lower(found.parents) };
  return { selection, unknown };
}

/** Whether a list asks for a value: an empty one asks for all. */
export function asks(list: readonly string[], value: string): boolean {
  return list.length === 0 || list.includes(value);
}

/** Associations that are asked for, in the order of the tree: an account, its users, the accounts below it. */
export function selectAssociations(policy: PolicyState, selection: Selection, withSub = false): Association[] {
  const { accounts, users, partitions, parents, ids } = selection;
  return inTreeOrder(policy).filter((association) => {
    const { account, user, partition, parent, id } = association;
    const isAccount =
      asks(accounts, account) ||
      (withSub && chainOf(policy, association).some((one) => accounts.includes(one.account)));
    return (
      isAccount &&
      asks(users, user) &&
      asks(partitions, partition) &&
      (parents.length === 0 || (user === "" && parents.includes(parent))) &&
      asks(ids, String(id))
    );
  });
}
