/** add, modify and delete account. */

import type { Account, Association } from "../../../core/policy/records.ts";
import { findAssociation } from "../../../core/policy/state.ts";
import { byPrefix, isAccountName } from "../../../core/policy/words.ts";
import { type Draft, type Edit, ensureRoot, plainAssociation, refuse } from "./draft.ts";
import { readAssociationWord, readPatches, readUsageReset, type Setting, usageResets } from "./patch.ts";
import { asks, readSelection, type Selection, selectAssociations } from "./select.ts";
import { listOf, type Spec, type Specs } from "./specs.ts";
import { addedLine, changedLine, nameLines, settingLines } from "./text.ts";

/** What the words of an account say beside limits. */
interface AccountWords {
  readonly names: string[];
  readonly description: string | null;
  readonly organization: string | null;
  readonly parent: string | null;
  readonly rest: readonly Spec[];
}

const KEYS = ["Names", "Description", "Organization", "Parent", "Clusters"] as const;

function readWords(specs: readonly Spec[]): AccountWords {
  const found = { names: [] as string[], description: null, organization: null, parent: null } as {
    names: string[];
    description: string | null;
    organization: string | null;
    parent: string | null;
  };
  const rest: Spec[] = [];
  for (const spec of specs) {
    const key = spec.operator === "=" ? byPrefix(spec.key, KEYS, (name) => [name]) : undefined;
    if (key === "Names") found.names.push(...listOf(spec.value));
    else if (key === "Description") found.description = spec.value;
    else if (key === "Organization") found.organization = spec.value;
    else if (key === "Parent") found.parent = spec.value.toLowerCase();
    else if (key !== "Clusters") rest.push(spec);
  }
  return { ...found, rest };
}

/** Adds accounts below a parent, the root unless said. */
export function addAccounts(draft: Draft, { names, where, set }: Specs, cluster: string): Edit {
  ensureRoot(draft);
  const { policy } = draft;
  const words = readWords([...where, ...set]);
  const { patch, problems, unknown } = readPatches(words.rest, (spec) => readAssociationWord(policy, spec));
  problems.push(...unknownOptions(unknown));
  const wanted = [...new Set([...names, ...words.names].map((name) => name.toLowerCase()))];
  if (wanted.length === 0) problems.push(" Need name of account to add.");
  for (const name of wanted.filter((one) => !isAccountName(one))) problems.push(` Bad name of an account: '${name}'`);
  const parent = words.parent ?? "root";
  if (!policy.accounts.has(parent)) {
    problems.push(` Parent account '${parent}' doesn't exist.`, "        Contact your admin to add this account.");
  }
  if (problems.length > 0) return refuse(...problems);
  const added = wanted.filter((name) => !policy.accounts.has(name));
  if (added.length === 0) return refuse(" Nothing new added.");
  for (const name of added) {
    const description = words.description ?? name;
    draft.make({
      put: "account",
      record: { name, description, organization: words.organization ?? parentName(parent, name) },
    });
    const record = patch.apply(plainAssociation(draft.nextId(), name, "", parent));
    draft.make({ put: "association", record });
  }
  const about: Setting[] = [
    ["Description", words.description ?? "Account Name"],
    ["Organization", words.organization ?? "Parent/Account Name"],
  ];
  const limits: Setting[] = words.parent === null ? [...patch.settings] : [...patch.settings, ["Parent", parent]];
  const text = [
    ` Adding Account(s)\n${nameLines(added)} Settings\n${settingLines(about, 15)} Associations\n`,
    ...added.map((name) => addedLine(cluster, name, "")),
    limits.length > 0 ? ` Settings\n${settingLines(limits, 13)}` : "",
  ].join("");
  return { text, problems: [] };
}

/** An account's organization is its parent's name, or its own below the root: Slurm's choice. */
function parentName(parent: string, name: string): string {
  return parent === "root" ? name : parent;
}

/** Changes accounts and their associations. */
export function modifyAccounts(draft: Draft, { names, where, set }: Specs, cluster: string): Edit {
  const { selection, unknown: badWhere } = readSelection(names, where);
  const problems = badWhere.flatMap(({ text }) => [
    ` Unknown condition: ${text}`,
    " Use keyword 'set' to modify value",
  ]);
  const words = readWords(set);
  const resets = words.rest.map(readUsageReset);
  for (const reset of resets) if (reset !== null && reset !== true) problems.push(reset.problem);
  const rest = words.rest.filter((_, index) => resets[index] === null);
  const { patch, problems: bad, unknown } = readPatches(rest, (spec) => readAssociationWord(draft.policy, spec));
  problems.push(...bad, ...unknownOptions(unknown));
  if (set.length === 0) problems.push(" You didn't give me anything to set");
  if (problems.length > 0) return refuse(...problems);
  const wanted = selectedAccounts(draft, selection);
  const associations = wanted.flatMap(({ name }) => findAssociation(draft.policy, name, "", "") ?? []);
  const about = changeRecords(draft, wanted, words);
  const hasLimits = rest.length > 0 || words.parent !== null || resets.includes(true);
  const limits = hasLimits ? changeAssociations(draft, associations, words.parent, patch.apply, cluster) : "";
  if (resets.includes(true)) for (const change of usageResets(associations)) draft.make(change);
  if (about === "" && limits === "") return refuse(" Nothing modified");
  return { text: about + limits, problems: [] };
}

function changeRecords(draft: Draft, wanted: readonly Account[], words: AccountWords): string {
  if (words.description === null && words.organization === null) return "";
  for (const account of wanted) {
    const description = words.description ?? account.description;
    const organization = words.organization ?? account.organization;
    draft.make({ put: "account", record: { ...account, description, organization } });
  }
  return wanted.length === 0 ? "" : ` Modified accounts...\n${nameLines(wanted.map(({ name }) => name))}`;
}

function changeAssociations(
  draft: Draft,
  associations: readonly Association[],
  parent: string | null,
  apply: (record: Association) => Association,
  cluster: string,
): string {
  const lines = associations.map((association) => {
    const moved = parent === null || association.account === "root" ? association : { ...association, parent };
    draft.make({ put: "association", record: apply(moved) });
    return changedLine(cluster, association);
  });
  return lines.length === 0 ? "" : ` Modified account associations...\n${lines.join("")}`;
}

/** Deletes accounts with all that is below them. */
export function deleteAccounts(draft: Draft, { names, where }: Specs): Edit {
  const { selection, unknown } = readSelection(names, where);
  if (unknown.length > 0) return refuse(...unknown.map(({ text }) => ` Unknown condition: ${text}`));
  if (names.length === 0 && where.length === 0) return refuse(" No conditions given to remove, not executing.");
  const wanted = selectedAccounts(draft, selection).map(({ name }) => name);
  if (wanted.length === 0) return refuse(" Nothing deleted");
  if (wanted.includes("root")) return refuse(" You are not allowed to remove the root account");
  const { policy } = draft;
  const parents = [...policy.associations.values()].filter(({ user, parent, account }) => {
    return user === "" && wanted.includes(parent) && !wanted.includes(account);
  });
  if (parents.length > 0) {
    const list = parents.map(({ account }) => account).join(",");
    return refuse(` Error with request: accounts are below these: ${list}`);
  }
  for (const association of [...policy.associations.values()].filter(({ account }) => wanted.includes(account))) {
    draft.make({ drop: "association", id: association.id });
  }
  for (const name of wanted) draft.make({ drop: "account", name });
  for (const user of [...policy.users.values()].filter((one) => wanted.includes(one.defaultAccount))) {
    const left = [...policy.associations.values()].find((association) => association.user === user.name);
    draft.make({ put: "user", record: { ...user, defaultAccount: left?.account ?? "" } });
  }
  return { text: ` Deleting accounts...\n${nameLines(wanted)}`, problems: [] };
}

/** Accounts that a selection means. */
export function selectedAccounts({ policy }: Pick<Draft, "policy">, selection: Selection): Account[] {
  const names = [...selection.names, ...selection.accounts].map((name) => name.toLowerCase());
  const byParent = selection.parents.length === 0 ? null : selectAssociations(policy, { ...selection, accounts: [] });
  return [...policy.accounts.values()]
    .filter(({ name }) => asks(names, name) && (byParent?.some(({ account }) => account === name) ?? true))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Slurm's words for `key=value` that nobody knows. */
export function unknownOptions(unknown: readonly Spec[]): string[] {
  return unknown.flatMap(({ text }) => [` Unknown option: ${text}`, " Use keyword 'where' to modify condition"]);
}
