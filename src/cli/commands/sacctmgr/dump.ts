/**
 * dump and load: accounts, users and their limits as a text, in the form of Slurm's "flat file" (manual page of sacctmgr):
 * `Account - 'vision':Description='computer vision':Fairshare=3`, below a line `Parent - 'root'`. QoS are not in it.
 */

import type { Association, StoredPolicy } from "../../../core/policy/records.ts";
import { chainOf, findAssociation, type PolicyState, policyFrom } from "../../../core/policy/state.ts";
import { inTreeOrder } from "../../../core/policy/tree.ts";
import { POLICY_COLUMNS, type PolicyRow } from "../../../view/policy-columns.ts";
import { addAccounts, modifyAccounts } from "./accounts.ts";
import { addCoordinators } from "./coordinators.ts";
import { type Draft, type Edit, ensureRoot, refuse } from "./draft.ts";
import { readSpecs } from "./specs.ts";
import { addUsers, modifyUsers } from "./users.ts";

/** Limits as add and modify understand them. */
const LIMITS: readonly (readonly [word: string, column: string])[] = [
  ...([
    ["Fairshare", "fairshare"],
    ["GrpJobs", "grpjobs"],
    ["GrpSubmitJobs", "grpsubmitjobs"],
  ] as const),
  ...([
    ["GrpTRES", "grptres"],
    ["GrpTRESMins", "grptresmins"],
    ["GrpTRESRunMins", "grptresrunmins"],
  ] as const),
  ...([
    ["GrpWall", "grpwall"],
    ["MaxJobs", "maxjobs"],
    ["MaxSubmitJobs", "maxsubmitjobs"],
  ] as const),
  ...([
    ["MaxTRES", "maxtres"],
    ["MaxTRESMins", "maxtresmins"],
    ["MaxTRESPerNode", "maxtrespernode"],
  ] as const),
  ...([
    ["MaxWall", "maxwall"],
    ["DefaultQOS", "defaultqos"],
  ] as const),
];

const HEAD = `# To edit this file start with a cluster line for the new cluster
# Cluster - 'cluster_name':Fairshare=1
# Followed by accounts, each below the line of its parent (root is there by default)
# Parent - 'root'
# Account - 'cs':Description='Computer Science':Organization='lab':Fairshare=399:MaxJobs=4
# and users below the line of their account
# Parent - 'cs'
# User - 'ada':DefaultAccount='cs':AdminLevel='None':Fairshare=1
# QOS are not in this file: those that it names must be there.
`;

/** All accounts and users as text that load reads. */
export function dumpText(stored: StoredPolicy, cluster: string): string {
  const policy = policyFrom(stored);
  const root = findAssociation(policy, "root", "", "");
  const lines = [line("Cluster", cluster, root ? limitWords(policy, root) : [])];
  let parent = "";
  for (const association of inTreeOrder(policy)) {
    const { account, user } = association;
    if (user === "" && association.parent === "") continue;
    const above = user === "" ? association.parent : account;
    if (above !== parent) lines.push(line("Parent", above, []));
    parent = above;
    lines.push(user === "" ? accountLine(policy, association) : userLine(policy, association));
  }
  return `${HEAD}${lines.join("")}`;
}

function accountLine(policy: PolicyState, association: Association): string {
  const { description = "", organization = "" } = policy.accounts.get(association.account) ?? {};
  const about = [`Description=${quoted(description)}`, `Organization=${quoted(organization)}`];
  return line("Account", association.account, [...about, ...limitWords(policy, association)]);
}

function userLine(policy: PolicyState, association: Association): string {
  const { defaultAccount = "", adminLevel = "None" } = policy.users.get(association.user) ?? {};
  const own = [...policy.accounts.values()].flatMap(({ name, coordinators = [] }) =>
    coordinators.includes(association.user) ? [name] : [],
  );
  return line("User", association.user, [
    ...(defaultAccount === "" ? [] : [`DefaultAccount=${quoted(defaultAccount)}`]),
    `AdminLevel=${quoted(adminLevel)}`,
    ...(association.partition === "" ? [] : [`Partition=${quoted(association.partition)}`]),
    ...(own.length === 0 ? [] : [`Coordinator=${quoted(own.join(","))}`]),
    ...limitWords(policy, association),
  ]);
}

function limitWords(policy: PolicyState, association: Association): string[] {
  const row: PolicyRow = {
    ...{ cluster: "", account: null, user: null, association, depth: chainOf(policy, association).length },
    ...{ qos: association.qos, coordinators: [] },
  };
  const words = LIMITS.flatMap(([word, column]) => {
    const text = POLICY_COLUMNS[column]?.text(row) ?? "";
    return text === "" ? [] : [`${word}=${/^[\w.+-]+$/.test(text) ? text : quoted(text)}`];
  });
  return association.qos === null ? words : [...words, `QOS=${quoted(association.qos.join(","))}`];
}

function line(kind: string, name: string, words: readonly string[]): string {
  return `${[`${kind} - ${quoted(name)}`, ...words].join(":")}\n`;
}

/** Quotes within would end the text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "")}'`;
}

/** Makes what a file says: what is there already is changed to it, and nothing is removed. */
export function loadText(draft: Draft, text: string, cluster: string): Edit {
  ensureRoot(draft);
  const problems: string[] = [];
  const said: string[] = [];
  const take = (number: number, edit: Edit): void => {
    const isNews = edit.problems.filter((one) => !/^ Nothing (new added|modified)/.test(one));
    problems.push(...isNews.map((one) => `line ${number}: ${one.trim()}`));
    if (edit.text !== "") said.push(edit.text);
  };
  const coordinators: (readonly [number: number, words: string[]])[] = [];
  let parent = "root";
  for (const [at, row] of text.split("\n").entries()) {
    if (row.trim() === "" || row.startsWith("#")) continue;
    const read = readLine(row);
    if (read === null) problems.push(`line ${at + 1}: expected Kind - 'name':Key=Value..., got: ${row.slice(0, 60)}`);
    else if (read.kind === "Parent") parent = read.name.toLowerCase();
    else if (read.kind === "User") {
      const own = read.words.find(({ key }) => /^coordinator/i.test(key));
      if (own) coordinators.push([at + 1, [`accounts=${own.value}`, `names=${read.name}`]]);
      take(at + 1, putUser(draft, read, parent, cluster));
    } else take(at + 1, putAccount(draft, read, parent, cluster));
  }
  for (const [number, words] of coordinators) take(number, addCoordinators(draft, readSpecs(words)));
  if (problems.length > 0) return refuse(...problems);
  return draft.changes.length === 0 ? refuse(" Nothing new added.") : { text: said.join(""), problems: [] };
}

interface Line {
  readonly kind: string;
  readonly name: string;
  readonly words: readonly { readonly key: string; readonly value: string }[];
}

function putAccount(draft: Draft, { kind, name, words }: Line, parent: string, cluster: string): Edit {
  const known = kind === "Cluster" ? "root" : name.toLowerCase();
  if (kind === "Cluster" && name !== cluster) {
    return refuse(`the file is of cluster '${name}', this one is '${cluster}': change its Cluster line`);
  }
  const given = words.map(({ key, value }) => `${key}=${value}`);
  if (draft.policy.accounts.has(known)) {
    return given.length === 0 ? refuse() : modifyAccounts(draft, readSpecs([known, "set", ...given]), cluster);
  }
  return addAccounts(draft, readSpecs([known, `Parent=${parent}`, ...given]), cluster);
}

function putUser(draft: Draft, { name, words }: Line, account: string, cluster: string): Edit {
  const given = words.filter(({ key }) => !/^coordinator/i.test(key)).map(({ key, value }) => `${key}=${value}`);
  const partition = words.find(({ key }) => /^partitions?$/i.test(key));
  const isThere = [...draft.policy.associations.values()].some((one) => {
    return one.user === name && one.account === account && one.partition === (partition?.value ?? "");
  });
  // A default account may be one that comes later in the file: the user's own is right until then.
  const usable = given.filter((one) => {
    const [, wish] = /^DefaultAccount=(.*)$/i.exec(one) ?? [];
    return wish === undefined || draft.policy.accounts.has(wish.toLowerCase());
  });
  if (!isThere) return addUsers(draft, readSpecs([name, `Account=${account}`, ...usable]), cluster);
  const where = [`name=${name}`, `account=${account}`, ...(partition ? [`partition=${partition.value}`] : [])];
  const set = usable.filter((one) => !/^partitions?=/i.test(one));
  return set.length === 0 ? refuse() : modifyUsers(draft, readSpecs(["where", ...where, "set", ...set]), cluster);
}

/** `Kind - 'name':Key='value':Key=value`; `null` for anything else. */
function readLine(text: string): Line | null {
  const [, kind = "", rest = ""] = /^\s*(Cluster|Parent|Account|User|Project)\s*-\s*(.+?)\s*$/i.exec(text) ?? [];
  if (kind === "") return null;
  const parts = rest.match(/(?:[^:'"]|'[^']*'|"[^"]*")+/g) ?? [];
  const plain = (part: string): string => part.replace(/'([^']*)'|"([^"]*)"/g, "$1$2");
  const [name = "", ...words] = parts.map(plain);
  if (name === "" || words.some((word) => !word.includes("="))) return null;
  const pairs = words.map((word) => ({
    key: word.slice(0, word.indexOf("=")),
    value: word.slice(word.indexOf("=") + 1),
  }));
  const capital = kind.charAt(0).toUpperCase() + kind.slice(1).toLowerCase();
  return { kind: capital === "Project" ? "Account" : capital, name, words: pairs };
}
