/** The reports of sreport: titles, columns, rows and units, as Slurm has them. */

import type { Tres } from "../core/policy/records.ts";
import type { UsageReport } from "../core/policy/report.ts";
import { byPrefix } from "../core/policy/words.ts";
import type { AccountColumn } from "./account-table.ts";

/** One line of a report; amounts are TRES seconds. */
export interface ReportRow {
  readonly cluster: string;
  readonly account: string;
  readonly user: string;
  /** Accounts above this one. */
  readonly depth: number;
  readonly wckey: string;
  readonly tres: string;
  readonly used: number;
  /** What percentages are of. */
  readonly whole: number;
}

interface Report {
  readonly kind: "cluster" | "user";
  readonly title: string;
  readonly hasSeconds: boolean;
  readonly columns: string;
  /** The column before which the name of a TRES stands. */
  readonly first: string;
}

export type ReportName =
  | "AccountUtilizationByUser"
  | "UserUtilizationByAccount"
  | "UserUtilizationByWCKey"
  | "Utilization"
  | "WCKeyUtilizationByUser"
  | "TopUsage";

export const REPORTS: Readonly<Record<ReportName, Report>> = {
  AccountUtilizationByUser: {
    ...{ kind: "cluster", title: "Cluster/Account/User Utilization", hasSeconds: true },
    ...{ columns: "cluster,account,login,proper,used,energy", first: "used" },
  },
  UserUtilizationByAccount: {
    ...{ kind: "cluster", title: "Cluster/User/Account Utilization", hasSeconds: true },
    ...{ columns: "cluster,login,proper,account,used,energy", first: "used" },
  },
  UserUtilizationByWCKey: {
    ...{ kind: "cluster", title: "Cluster/User/WCKey Utilization", hasSeconds: true },
    ...{ columns: "cluster,login,proper,wckey,used", first: "used" },
  },
  WCKeyUtilizationByUser: {
    ...{ kind: "cluster", title: "Cluster/WCKey/User Utilization", hasSeconds: true },
    ...{ columns: "cluster,wckey,login,proper,used", first: "used" },
  },
  Utilization: {
    ...{ kind: "cluster", title: "Cluster Utilization", hasSeconds: false },
    ...{ columns: "cluster,allocated,down,plnddown,idle,planned,reported", first: "allocated" },
  },
  TopUsage: {
    ...{ kind: "user", title: "Top 10 Users", hasSeconds: true },
    ...{ columns: "cluster,login,proper,account,used,energy", first: "used" },
  },
};

const UNITS = ["Seconds", "Minutes", "Hours", "Percent", "SecPer", "MinPer", "HourPer"] as const;

export type ReportUnit = (typeof UNITS)[number];

const DIVISORS: Readonly<Record<ReportUnit, number>> = {
  ...{ Seconds: 1, Minutes: 60, Hours: 3600, Percent: 1, SecPer: 1, MinPer: 60, HourPer: 3600 },
};

/** A unit by any beginning of its name. */
export function readUnit(text: string): ReportUnit | undefined {
  return byPrefix(text, UNITS, (name) => [name]);
}

/** `Usage reported in CPU Minutes` */
export function unitHeading(unit: ReportUnit, hasTres: boolean): string {
  if (unit === "Percent") return "Usage reported in Percentage of Total";
  const what = hasTres ? "TRES" : "CPU";
  const word = { 1: "Seconds", 60: "Minutes", 3600: "Hours" }[DIVISORS[unit]] ?? "Minutes";
  return `Usage reported in ${what} ${word}${unit.endsWith("Per") ? "/Percentage of Total" : ""}`;
}

/** All columns, with amounts in a unit; `isTree` shows how accounts are below one another. */
export function reportColumns(unit: ReportUnit, isTree: boolean): Readonly<Record<string, AccountColumn<ReportRow>>> {
  const of = (header: string, width: number, text: (row: ReportRow) => string): AccountColumn<ReportRow> => ({
    header,
    width,
    text,
  });
  const amount = (seconds: number, whole: number): string => amountText(unit, seconds, whole);
  const width = unit.endsWith("Per") ? 18 : 8;
  const tree = { ...of("Account", 20, ({ account, depth }) => " ".repeat(depth) + account), isLeft: true };
  return {
    account: isTree ? tree : of("Account", 15, ({ account }) => account),
    allocated: of("Allocated", width, ({ used, whole }) => amount(used, whole)),
    cluster: of("Cluster", 9, ({ cluster }) => cluster),
    down: of("Down", width, ({ whole }) => amount(0, whole)),
    energy: of("Energy", width, ({ whole }) => amount(0, whole)),
    idle: of("Idle", width, ({ used, whole }) => amount(Math.max(0, whole - used), whole)),
    login: of("Login", 9, ({ user }) => user),
    planned: of("Planned", width, ({ whole }) => amount(0, whole)),
    plnddown: of("PLND Down", width, ({ whole }) => amount(0, whole)),
    proper: of("Proper Name", 15, ({ user }) => user),
    reported: of("Reported", width, ({ whole }) => amount(whole, whole)),
    tresname: of("TRES Name", 14, ({ tres }) => tres),
    used: of("Used", unit.endsWith("Per") ? 17 : width, ({ used, whole }) => amount(used, whole)),
    wckey: of("WCKey", 15, ({ wckey }) => wckey),
  };
}

/** `120`, `2.50%` or `120(2.50%)` of TRES seconds. */
export function amountText(unit: ReportUnit, seconds: number, whole: number): string {
  const percent = `${(whole > 0 ? (seconds / whole) * 100 : 0).toFixed(2)}%`;
  if (unit === "Percent") return percent;
  const count = String(Math.round(seconds / DIVISORS[unit]));
  return unit.endsWith("Per") ? `${count}(${percent})` : count;
}

/** The lines of a report, one for each TRES. */
export function reportRows(
  name: ReportName,
  report: UsageReport,
  tres: readonly string[],
  topCount: number,
): ReportRow[] {
  const row = (of: string, account: string, user: string, used: number, wckey = ""): ReportRow => {
    const whole = report.capacity[of] ?? 0;
    const depth = account === "" ? 0 : pathOf(report, account).length - 1;
    return { cluster: report.clusterName, account, user, wckey, tres: of, used, whole, depth };
  };
  const users = [...report.users.values()].sort((a, b) => compare(a.account, b.account) || compare(a.user, b.user));
  switch (name) {
    case "Utilization":
      return tres.map((of) => row(of, "", "", report.total[of] ?? 0));
    case "AccountUtilizationByUser":
      return accountsInOrder(report).flatMap((account) => [
        ...(account === "" ? [] : tres.map((of) => row(of, account, "", report.accounts.get(account)?.[of] ?? 0))),
        ...users
          .filter((one) => one.account === account)
          .flatMap(({ user, seconds }) => tres.map((of) => row(of, account, user, seconds[of] ?? 0))),
      ]);
    case "UserUtilizationByAccount":
      return mostFirst(users, tres).flatMap(({ user, account, seconds }) =>
        tres.map((of) => row(of, account, user, seconds[of] ?? 0)),
      );
    case "UserUtilizationByWCKey":
      return wckeyRows(report, tres, row).toSorted((a, b) => compare(a.user, b.user));
    case "WCKeyUtilizationByUser":
      return [...byWckey(report)].flatMap(([wckey, all]) => [
        ...tres.map((of) => row(of, "", "", sum(all.map(({ seconds }) => seconds[of] ?? 0)), wckey)),
        ...wckeyRows(report, tres, row).filter((one) => one.wckey === wckey),
      ]);
    case "TopUsage":
      return mostFirst(users, tres)
        .slice(0, topCount)
        .flatMap(({ user, account, seconds }) => tres.map((of) => row(of, account, user, seconds[of] ?? 0)));
  }
}

/** The sums of each wckey, in the order of their names. */
function byWckey({ wckeys }: UsageReport): [wckey: string, sums: { readonly seconds: Tres }[]][] {
  const found = new Map<string, { readonly seconds: Tres }[]>();
  for (const one of wckeys.values()) found.set(one.wckey, [...(found.get(one.wckey) ?? []), one]);
  return [...found].sort(([a], [b]) => compare(a, b));
}

function wckeyRows(
  { wckeys }: UsageReport,
  tres: readonly string[],
  row: (of: string, account: string, user: string, used: number, wckey: string) => ReportRow,
): ReportRow[] {
  const all = [...wckeys.values()].sort((a, b) => compare(a.wckey, b.wckey) || compare(a.user, b.user));
  return all.flatMap(({ wckey, user, seconds }) => tres.map((of) => row(of, "", user, seconds[of] ?? 0, wckey)));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}

type UserSum = UsageReport["users"] extends ReadonlyMap<string, infer U> ? U : never;

function mostFirst(users: readonly UserSum[], [first = "cpu"]: readonly string[]): UserSum[] {
  return [...users].sort((a, b) => (b.seconds[first] ?? 0) - (a.seconds[first] ?? 0));
}

/** The root, then each account before those below it; those that are in no tree, and none, last. */
function accountsInOrder(report: UsageReport): string[] {
  const path = (account: string): string => pathOf(report, account).join("\0");
  return [...[...report.accounts.keys()].sort((a, b) => compare(path(a), path(b))), ""];
}

/** An account with those above it, the topmost first. */
export function pathOf({ parentOf }: Pick<UsageReport, "parentOf">, account: string): string[] {
  const names = [account];
  for (let above = parentOf(account); above !== "" && !names.includes(above); above = parentOf(above))
    names.unshift(above);
  return names;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
