/** sreport job: how much CPU time went to jobs of which size, as Slurm's three reports of sizes have it. */

import type { SizeSums, UsageReport } from "../core/policy/report.ts";
import type { AccountColumn } from "./account-table.ts";
import { amountText, pathOf, type ReportUnit } from "./usage-report.ts";

/** CPUs from which ranges begin unless others are asked for. */
export const SIZE_GROUPING: readonly number[] = [50, 250, 500, 1000];

interface SizeReport {
  readonly title: string;
  /** The column that says whose jobs they are. */
  readonly header: string;
  readonly width: number;
}

export type SizeReportName = "SizesByAccount" | "SizesByAccountAndWcKey" | "SizesByWckey";

export const SIZE_REPORTS: Readonly<Record<SizeReportName, SizeReport>> = {
  SizesByAccount: { title: "Job Sizes", header: "Account", width: 9 },
  SizesByAccountAndWcKey: { title: "Job Sizes", header: "Account", width: 20 },
  SizesByWckey: { title: "Job Sizes by Wckey", header: "Wckey", width: 9 },
};

export interface SizeRow {
  readonly cluster: string;
  readonly name: string;
  /** CPU seconds, or jobs, of each range. */
  readonly amounts: readonly number[];
  /** Part of all rows together. */
  readonly share: number;
}

interface SizeChoice {
  readonly name: SizeReportName;
  readonly grouping: readonly number[];
  /** Jobs are counted, not their time. */
  readonly isCount: boolean;
  /** Each account by itself: else those below another one are part of it. */
  readonly isFlat: boolean;
  /** Accounts that were named; empty for those below the root. */
  readonly accounts: readonly string[];
}

/** The rows, in the order of their names. */
export function sizeRows(report: UsageReport, choice: SizeChoice): SizeRow[] {
  const sums = new Map<string, number[]>();
  for (const one of report.sizes.values()) {
    const name = nameOf(one, report, choice);
    if (name === null) continue;
    const before = sums.get(name);
    sums.set(
      name,
      (choice.isCount ? one.jobs : one.seconds).map((amount, at) => amount + (before?.[at] ?? 0)),
    );
  }
  const total = (amounts: readonly number[]): number => amounts.reduce((all, one) => all + one, 0);
  const whole = total([...sums.values()].map(total));
  return [...sums]
    .map(([name, amounts]) => ({ cluster: report.clusterName, name, amounts, share: total(amounts) / (whole || 1) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Whose row a sum belongs to; `null` for none. */
function nameOf({ account, wckey }: SizeSums, report: UsageReport, choice: SizeChoice): string | null {
  if (choice.name !== "SizesByAccount" && wckey === "") return null;
  if (choice.name === "SizesByWckey") return wckey;
  const path = pathOf(report, account);
  const named = choice.accounts.length > 0 ? path.find((one) => choice.accounts.includes(one)) : undefined;
  if (choice.accounts.length > 0 && named === undefined) return null;
  const shown = choice.isFlat ? account : (named ?? path[1] ?? account);
  return choice.name === "SizesByAccount" ? shown : `${shown}:${wckey}`;
}

/** Cluster, name, a column for each range, and the part of the whole. */
export function sizeColumns(choice: SizeChoice, unit: ReportUnit): AccountColumn<SizeRow>[] {
  const { grouping, isCount } = choice;
  const { header, width } = SIZE_REPORTS[choice.name];
  const text = (amount: number, row: SizeRow): string =>
    isCount
      ? String(amount)
      : amountText(
          unit,
          amount,
          row.amounts.reduce((all, one) => all + one, 0),
        );
  const ranges = [...grouping, null].map((to, at): AccountColumn<SizeRow> => {
    const from = grouping[at - 1] ?? 0;
    const words = to === null ? `>= ${from} CPUs` : `${from}-${to - 1} CPUs`;
    return { header: words, width: 13, text: (row) => text(row.amounts[at] ?? 0, row) };
  });
  return [
    { header: "Cluster", width: 9, text: ({ cluster }) => cluster },
    { header, width, isLeft: width > 9, text: ({ name }) => name },
    ...ranges,
    { header: "% of cluster", width: 12, text: ({ share }) => `${(100 * share).toFixed(2)}%` },
  ];
}
