/** list and show. */

import type { Association, StoredPolicy } from "../../../core/policy/records.ts";
import {
  allowedQos,
  chainOf,
  coordinatorsOf,
  findAssociation,
  type PolicyState,
  policyFrom,
} from "../../../core/policy/state.ts";
import { byPrefix } from "../../../core/policy/words.ts";
import { type AccountColumn, accountTable, columnsOf, type TableStyle } from "../../../view/account-table.ts";
import {
  CLUSTER_COLUMNS,
  POLICY_COLUMNS,
  POLICY_FORMATS,
  type PolicyRow,
  QOS_COLUMNS,
  TREE_ACCOUNT,
  TRES_COLUMNS,
  type TresRow,
} from "../../../view/policy-columns.ts";
import { selectedAccounts } from "./accounts.ts";
import { selectedQos } from "./qos.ts";
import { asks, readSelection, type Selection, selectAssociations } from "./select.ts";
import { listOf, readSpecs, type Spec } from "./specs.ts";
import { selectedUsers } from "./users.ts";

export interface ListOptions {
  readonly style: TableStyle;
  readonly hasHeader: boolean;
  readonly withAssoc: boolean;
}

/** What a list is made of. */
export interface Listed {
  readonly stored: StoredPolicy;
  readonly cluster: string;
  /** TRES that the cluster's nodes have. */
  readonly tres: readonly TresRow[];
}

/** A list as text, or Slurm's words for what is wrong with the request. */
export type ListResult = { readonly text: string } | { readonly problems: readonly string[] };

interface Request {
  readonly selection: Selection;
  readonly format: readonly string[] | null;
  readonly flags: ReadonlySet<string>;
  readonly options: ListOptions;
  readonly policy: PolicyState;
  readonly listed: Listed;
}

/** Words without a value that change how a list looks. */
const FLAGS = [
  "Tree",
  "WithAssoc",
  "WithCoord",
  "WithDeleted",
  "WithSubAccounts",
  "WOPInfo",
  "WOPLimits",
  "OnlyDefaults",
];

const LISTS: Readonly<Record<string, (request: Request) => ListResult>> = {
  account: listAccounts,
  association: listAssociations,
  cluster: listClusters,
  qos: (request) => table(request, QOS_COLUMNS, POLICY_FORMATS.qos, selectedQos(request, request.selection)),
  tres: (request) => table(request, TRES_COLUMNS, "type,name,id", request.listed.tres),
  user: listUsers,
};

/** Lists one kind of records. */
export function list(entity: string, words: readonly string[], listed: Listed, options: ListOptions): ListResult {
  const flags = new Set<string>();
  const rest = words.filter((word) => {
    const flag = byPrefix(word, FLAGS, (name) => [name]);
    if (flag === undefined || word.length < 3) return true;
    flags.add(flag);
    return false;
  });
  const specs = readSpecs(rest);
  const isFormat = ({ key }: Spec): boolean => /^format?$/i.test(key) || "format".startsWith(key.toLowerCase());
  const formats = [...specs.where, ...specs.set].filter(isFormat);
  const { selection, unknown } = readSelection(
    specs.names,
    specs.where.filter((spec) => !isFormat(spec)),
  );
  if (unknown.length > 0) {
    return {
      problems: unknown.flatMap(({ text }) => [` Unknown condition: ${text}`, " Use keyword 'set' to modify value"]),
    };
  }
  const format = formats.length === 0 ? null : formats.flatMap(({ value }) => listOf(value));
  const isOther = selection.clusters.length > 0 && !selection.clusters.includes(listed.cluster);
  const policy = policyFrom(isOther ? undefined : listed.stored);
  const make = LISTS[entity];
  if (!make) return { problems: [`${entity}: not known`] };
  return make({ selection, format, flags, options, policy, listed });
}

function listAccounts(request: Request): ListResult {
  const { policy, options, flags, selection } = request;
  const accounts = selectedAccounts(request, selection);
  if (!options.withAssoc && !flags.has("WithAssoc")) {
    const rows = accounts.map((account) => {
      return { ...plainRow(request), account, coordinators: coordinatorsOf(policy, account.name) };
    });
    return table(request, POLICY_COLUMNS, withCoordinators(request, POLICY_FORMATS.account), rows);
  }
  const rows = accounts.flatMap((account) =>
    selectAssociations(policy, { ...selection, names: [], accounts: [account.name] }).map((one) => rowOf(request, one)),
  );
  return table(request, POLICY_COLUMNS, POLICY_FORMATS.accountWithAssoc, rows);
}

function listUsers(request: Request): ListResult {
  const { policy, options, flags, selection } = request;
  const users = selectedUsers(request, selection);
  if (!options.withAssoc && !flags.has("WithAssoc")) {
    const isIn = (name: string): boolean =>
      selection.accounts.length === 0 ||
      [...policy.associations.values()].some(({ user, account }) => user === name && asks(selection.accounts, account));
    const own = (name: string): string[] =>
      [...policy.accounts.keys()].filter((account) => coordinatorsOf(policy, account).includes(name)).sort();
    const rows = users
      .filter(({ name }) => isIn(name))
      .map((user) => ({ ...plainRow(request), user, coordinators: own(user.name) }));
    return table(request, POLICY_COLUMNS, withCoordinators(request, POLICY_FORMATS.user), rows);
  }
  const rows = users.flatMap((user) =>
    selectAssociations(policy, { ...selection, names: [], users: [user.name] }).map((one) => rowOf(request, one)),
  );
  return table(request, POLICY_COLUMNS, POLICY_FORMATS.userWithAssoc, rows);
}

function withCoordinators({ flags }: Request, format: string): string {
  return flags.has("WithCoord") ? `${format},coordinators` : format;
}

function listAssociations(request: Request): ListResult {
  const { policy, selection, flags } = request;
  const found = selectAssociations(policy, selection, flags.has("WithSubAccounts"));
  const rows = found.map((association) => rowOf(request, association));
  const isTree = flags.has("Tree");
  const columns = isTree ? { ...POLICY_COLUMNS, account: TREE_ACCOUNT } : POLICY_COLUMNS;
  return table(request, columns, POLICY_FORMATS.association, rows);
}

function listClusters(request: Request): ListResult {
  const { policy, listed } = request;
  if (!asks(request.selection.names, listed.cluster))
    return table(request, CLUSTER_COLUMNS, POLICY_FORMATS.cluster, []);
  const root = findAssociation(policy, "root", "", "");
  const row = root ? rowOf(request, root) : plainRow(request);
  return table(request, CLUSTER_COLUMNS, POLICY_FORMATS.cluster, [row]);
}

function plainRow({ listed }: Request): PolicyRow {
  return {
    cluster: listed.cluster,
    account: null,
    user: null,
    association: null,
    depth: 0,
    qos: null,
    coordinators: [],
  };
}

function rowOf({ policy, listed }: Request, association: Association): PolicyRow {
  const chain = chainOf(policy, association);
  return {
    cluster: listed.cluster,
    account: policy.accounts.get(association.account) ?? null,
    user: policy.users.get(association.user) ?? null,
    association,
    depth: chain.length - 1,
    qos: allowedQos(chain),
    coordinators: coordinatorsOf(policy, association.account),
  };
}

function table<R>(
  { format, options }: Request,
  known: Readonly<Record<string, AccountColumn<R>>>,
  usual: string,
  rows: readonly R[],
): ListResult {
  const found = columnsOf(format ?? usual.split(","), known);
  if ("unknown" in found) return { problems: [`Unknown field '${found.unknown}'`] };
  return { text: accountTable(found.columns, rows, options) };
}
