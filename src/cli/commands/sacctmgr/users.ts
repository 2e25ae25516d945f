/** add, modify and delete user. */

import type { AdminLevel, Association, PolicyUser } from "../../../core/policy/records.ts";
import { byPrefix, isAccountName } from "../../../core/policy/words.ts";
import { unknownOptions } from "./accounts.ts";
import { removeCoordinators } from "./coordinators.ts";
import { type Draft, type Edit, plainAssociation, refuse } from "./draft.ts";
import { readAssociationWord, readPatches, readUsageReset, type Setting, usageResets } from "./patch.ts";
import { asks, readSelection, type Selection, selectAssociations } from "./select.ts";
import { listOf, type Spec, type Specs } from "./specs.ts";
import { addedLine, changedLine, nameLines, settingLines } from "./text.ts";

const LEVELS: readonly AdminLevel[] = ["None", "Operator", "Administrator"];

interface UserWords {
  readonly names: readonly string[];
  readonly accounts: readonly string[];
  readonly partitions: readonly string[];
  readonly defaultAccount: string | null;
  readonly adminLevel: AdminLevel | null;
  readonly rest: readonly Spec[];
  readonly problems: readonly string[];
}

const KEYS = ["Names", "Accounts", "Partitions", "DefaultAccount", "AdminLevel", "Clusters"] as const;

function readWords(specs: readonly Spec[]): UserWords {
  const lists: Record<string, string[]> = {};
  const rest: Spec[] = [];
  for (const spec of specs) {
    const key = spec.operator === "=" ? byPrefix(spec.key, KEYS, (name) => [name]) : undefined;
    if (key === undefined) rest.push(spec);
    else lists[key] = [...(lists[key] ?? []), ...listOf(spec.value)];
  }
  const level = lists.AdminLevel?.at(-1);
  const adminLevel = level === undefined ? null : (byPrefix(level, LEVELS, (name) => [name]) ?? null);
  const isBad = level !== undefined && adminLevel === null;
  return {
    names: lists.Names ?? [],
    accounts: (lists.Accounts ?? []).map((name) => name.toLowerCase()),
    partitions: lists.Partitions ?? [],
    defaultAccount: lists.DefaultAccount?.at(-1)?.toLowerCase() ?? null,
    ...{ adminLevel, rest },
    problems: isBad ? [` Bad AdminLevel '${level}'. Valid ones are ${LEVELS.join(", ")}`] : [],
  };
}

/** Adds users to accounts. */
export function addUsers(draft: Draft, { names, where, set }: Specs, cluster: string): Edit {
  const { policy } = draft;
  const words = readWords([...where, ...set]);
  const { patch, problems: bad, unknown } = readPatches(words.rest, (spec) => readAssociationWord(policy, spec));
  const wanted = [...new Set([...names, ...words.names])];
  const accounts = [...new Set(words.accounts.length > 0 ? words.accounts : defaultList(words))];
  const isWckey = ({ key }: Spec): boolean => /^wckeys?$/i.test(key);
  const problems = [...words.problems, ...bad, ...unknownOptions(unknown.filter((spec) => !isWckey(spec)))];
  if (unknown.some(isWckey)) problems.push(" WCKeys need no adding: a job may have any --wckey");
  if (wanted.length === 0) problems.push(" Need name of user to add.");
  else if (accounts.length === 0) problems.push(" Need name of account to add user to.");
  for (const name of wanted.filter((one) => !isAccountName(one))) problems.push(` Bad name of a user: '${name}'`);
  for (const name of new Set([...accounts, ...defaultList(words)])) {
    if (policy.accounts.has(name)) continue;
    problems.push(` This account '${name}' doesn't exist.`, "        Contact your admin to add this account.");
  }
  if (problems.length > 0) return refuse(...problems);
  const fresh = wanted.filter((name) => !policy.users.has(name));
  const lines: string[] = [];
  for (const user of wanted) {
    putUser(draft, user, words, accounts);
    for (const account of accounts) {
      for (const partition of words.partitions.length > 0 ? words.partitions : [""]) {
        const isThere = selectAssociations(policy, exactly(account, user, partition)).length > 0;
        if (isThere) continue;
        const plain = plainAssociation(draft.nextId(), account, user, "");
        draft.make({ put: "association", record: patch.apply({ ...plain, partition }) });
        lines.push(addedLine(cluster, account, user, partition));
      }
    }
  }
  if (lines.length === 0) return refuse(" Nothing new added.");
  return { text: addedText(fresh, lines, words, patch.settings), problems: [] };
}

function defaultList({ defaultAccount }: UserWords): string[] {
  return defaultAccount === null ? [] : [defaultAccount];
}

function putUser(draft: Draft, name: string, words: UserWords, accounts: readonly string[]): void {
  const known = draft.policy.users.get(name);
  const record: PolicyUser = {
    name,
    defaultAccount: words.defaultAccount ?? (known?.defaultAccount || (accounts[0] ?? "")),
    adminLevel: words.adminLevel ?? known?.adminLevel ?? "None",
  };
  draft.make({ put: "user", record });
}

function addedText(
  fresh: readonly string[],
  lines: readonly string[],
  words: UserWords,
  limits: readonly Setting[],
): string {
  const about: Setting[] = [];
  if (words.defaultAccount !== null) about.push(["Default Account", words.defaultAccount]);
  if (words.adminLevel !== null) about.push(["Admin Level", words.adminLevel]);
  return [
    fresh.length > 0 ? ` Adding User(s)\n${nameLines(fresh)}` : "",
    about.length > 0 ? ` Settings =\n${settingLines(about, 15)}` : "",
    ` Associations =\n${lines.join("")} Non Default Settings\n${settingLines(limits, 13)}`,
  ].join("");
}

function exactly(account: string, user: string, partition: string): Selection {
  const none = { names: [], parents: [], defaultAccounts: [], ids: [], clusters: [] };
  return { ...none, accounts: [account], users: [user], partitions: [partition] };
}

/** Changes users and their associations. */
export function modifyUsers(draft: Draft, { names, where, set }: Specs, cluster: string): Edit {
  const { selection, unknown: badWhere } = readSelection(names, where);
  const words = readWords(set);
  const resets = words.rest.map(readUsageReset);
  const rest = words.rest.filter((_, index) => resets[index] === null);
  const { patch, problems: bad, unknown } = readPatches(rest, (spec) => readAssociationWord(draft.policy, spec));
  const problems = [
    ...badWhere.flatMap(({ text }) => [` Unknown condition: ${text}`, " Use keyword 'set' to modify value"]),
    ...words.problems,
    ...resets.flatMap((reset) => (reset !== null && reset !== true ? [reset.problem] : [])),
    ...bad,
    ...unknownOptions(unknown),
    ...defaultList(words).flatMap((name) => (draft.policy.accounts.has(name) ? [] : [` Unknown account: ${name}`])),
    ...(set.length === 0 ? [" You didn't give me anything to set"] : []),
  ];
  if (problems.length > 0) return refuse(...problems);
  const { accounts, partitions } = selection;
  const users = selectedUsers(draft, selection);
  const associations = selectAssociations(draft.policy, selectionOf(accounts, users, partitions)).filter(
    ({ user }) => user !== "",
  );
  const about = changeUsers(draft, users, words);
  const hasLimits = rest.length > 0 || resets.includes(true);
  for (const association of hasLimits ? associations : []) {
    draft.make({ put: "association", record: patch.apply(association) });
  }
  if (resets.includes(true)) for (const change of usageResets(associations)) draft.make(change);
  const lines = hasLimits ? associations.map((association) => changedLine(cluster, association)).join("") : "";
  if (about === "" && lines === "") return refuse(" Nothing modified");
  return { text: about + (lines === "" ? "" : ` Modified user associations...\n${lines}`), problems: [] };
}

function changeUsers(draft: Draft, users: readonly PolicyUser[], words: UserWords): string {
  if (words.defaultAccount === null && words.adminLevel === null) return "";
  for (const user of users) {
    const defaultAccount = words.defaultAccount ?? user.defaultAccount;
    draft.make({ put: "user", record: { ...user, defaultAccount, adminLevel: words.adminLevel ?? user.adminLevel } });
  }
  return users.length === 0 ? "" : ` Modified users...\n${nameLines(users.map(({ name }) => name))}`;
}

function selectionOf(
  accounts: readonly string[],
  users: readonly PolicyUser[],
  partitions: readonly string[],
): Selection {
  const names = users.length === 0 ? ["\0"] : users.map(({ name }) => name);
  return { names: [], parents: [], defaultAccounts: [], ids: [], clusters: [], accounts, users: names, partitions };
}

/** Deletes users, or only their associations with the accounts that are named. */
export function deleteUsers(draft: Draft, { names, where }: Specs, cluster: string): Edit {
  const { selection, unknown } = readSelection(names, where);
  if (unknown.length > 0) return refuse(...unknown.map(({ text }) => ` Unknown condition: ${text}`));
  if (names.length === 0 && where.length === 0) return refuse(" No conditions given to remove, not executing.");
  const { policy } = draft;
  const users = selectedUsers(draft, selection);
  const associations = selectAssociations(policy, selectionOf(selection.accounts, users, selection.partitions));
  if (associations.length === 0) return refuse(" Nothing deleted");
  for (const { id } of associations) draft.make({ drop: "association", id });
  const isLeft = ({ name }: PolicyUser): boolean => [...policy.associations.values()].some(({ user }) => user === name);
  const gone = users.filter((user) => !isLeft(user));
  for (const { name } of gone) draft.make({ drop: "user", name });
  removeCoordinators(
    draft,
    gone.map(({ name }) => name),
    [],
  );
  for (const user of users.filter(isLeft)) keepDefault(draft, user);
  if (selection.accounts.length === 0 && selection.partitions.length === 0) {
    return { text: ` Deleting users...\n${nameLines(gone.map(({ name }) => name))}`, problems: [] };
  }
  const lines = associations.map((association: Association) => changedLine(cluster, association)).join("");
  const last =
    gone.length === 0 ? "" : ` Deleting users (No Associations)...\n${nameLines(gone.map(({ name }) => name))}`;
  return { text: ` Deleting user associations...\n${lines}${last}`, problems: [] };
}

/** A default account that a user has left is exchanged for one that is left. */
function keepDefault(draft: Draft, user: PolicyUser): void {
  const own = [...draft.policy.associations.values()].filter((association) => association.user === user.name);
  if (own.some(({ account }) => account === user.defaultAccount)) return;
  draft.make({ put: "user", record: { ...user, defaultAccount: own[0]?.account ?? "" } });
}

/** Users that a selection means. */
export function selectedUsers({ policy }: Pick<Draft, "policy">, selection: Selection): PolicyUser[] {
  const names = [...selection.names, ...selection.users];
  return [...policy.users.values()]
    .filter(({ name, defaultAccount }) => asks(names, name) && asks(selection.defaultAccounts, defaultAccount))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
