/** add and delete coordinator: users who see to the users of an account. */

import { byPrefix } from "../../../core/policy/words.ts";
import { type Draft, type Edit, refuse } from "./draft.ts";
import { listOf, type Specs } from "./specs.ts";
import { nameLines } from "./text.ts";

interface Words {
  readonly accounts: readonly string[];
  readonly names: readonly string[];
  readonly problems: readonly string[];
}

const KEYS = ["Accounts", "Acct", "Names", "Users", "Clusters"] as const;

function readWords({ names, where, set }: Specs): Words {
  const accounts: string[] = [];
  const users = [...names];
  const problems: string[] = [];
  for (const { key, operator, value, text } of [...where, ...set]) {
    const known = operator === "=" ? byPrefix(key, KEYS, (name) => [name]) : undefined;
    if (known === undefined) problems.push(` Unknown condition: ${text}`);
    else if (known.startsWith("Acc")) accounts.push(...listOf(value).map((name) => name.toLowerCase()));
    else if (known !== "Clusters") users.push(...listOf(value));
  }
  return { accounts: [...new Set(accounts)], names: [...new Set(users)], problems };
}

/** Adds users to the coordinators of accounts. */
export function addCoordinators(draft: Draft, specs: Specs): Edit {
  const { policy } = draft;
  const { accounts, names, problems } = readWords(specs);
  const missing = [
    ...problems,
    ...(names.length === 0 ? [" You need to specify a list of users to add as coordinators"] : []),
    ...(accounts.length === 0 ? [" You need to specify a list of accounts to coordinate"] : []),
    ...names.filter((name) => !policy.users.has(name)).map((name) => ` There is no user '${name}': add the user first`),
    ...accounts.filter((name) => !policy.accounts.has(name)).map((name) => ` This account '${name}' doesn't exist.`),
  ];
  if (missing.length > 0) return refuse(...missing);
  let isNew = false;
  for (const name of accounts) {
    const account = policy.accounts.get(name);
    if (!account) continue;
    const before = account.coordinators ?? [];
    const added = names.filter((user) => !before.includes(user));
    if (added.length === 0) continue;
    isNew = true;
    draft.make({ put: "account", record: { ...account, coordinators: [...before, ...added].sort() } });
  }
  if (!isNew) return refuse(" Nothing new added.");
  const text = ` Adding Coordinator User(s)\n${nameLines(names)} To Account(s) and all sub-accounts\n`;
  return { text: text + nameLines(accounts), problems: [] };
}

/** Removes users from the coordinators of accounts; of all where none is named. */
export function deleteCoordinators(draft: Draft, specs: Specs): Edit {
  const { accounts, names, problems } = readWords(specs);
  if (problems.length > 0) return refuse(...problems);
  if (accounts.length === 0 && names.length === 0) {
    return refuse(" You need to specify a user list or account list to delete coordinators");
  }
  const gone = removeCoordinators(draft, names, accounts);
  if (gone.length === 0) return refuse(" Nothing removed");
  const users = names.length > 0 ? ` Removing Coordinators with user name\n${nameLines(names)}` : "";
  const from = accounts.length > 0 ? ` From Account(s)\n${nameLines(accounts)}` : " From all accounts\n";
  const lines = gone.map(({ user, account }) => `  U = ${user.padEnd(9)} A = ${account.padEnd(10)}\n`);
  return { text: `${users}${from} Removed Coordinators (sub accounts not listed)...\n${lines.join("")}`, problems: [] };
}

/** Takes these users out of the lists of these accounts; empty lists mean all. Tells who was removed where. */
export function removeCoordinators(
  draft: Draft,
  names: readonly string[],
  accounts: readonly string[],
): { readonly user: string; readonly account: string }[] {
  return [...draft.policy.accounts.values()].flatMap((account) => {
    if (accounts.length > 0 && !accounts.includes(account.name)) return [];
    const before = account.coordinators ?? [];
    const gone = before.filter((user) => names.length === 0 || names.includes(user));
    if (gone.length === 0) return [];
    const coordinators = before.filter((user) => !gone.includes(user));
    draft.make({
      put: "account",
      record: { ...account, coordinators: coordinators.length > 0 ? coordinators : undefined },
    });
    return gone.map((user) => ({ user, account: account.name }));
  });
}
