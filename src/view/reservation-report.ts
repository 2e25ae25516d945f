/** sreport reservation utilization: what the jobs of each reservation used of its nodes. */

import { type CapacityNode, capacityOf, type UsageReport } from "../core/policy/report.ts";
import type { AccountColumn } from "./account-table.ts";
import { amountText, type ReportUnit } from "./usage-report.ts";

/** As far as the report needs it; times in milliseconds since 1970. */
interface Reserved {
  readonly name: string;
  readonly startAt: number;
  readonly endAt: number;
  readonly nodes: readonly string[];
}

/** One line; amounts are TRES seconds within the time reported on. */
export interface ReservationUse extends Reserved {
  readonly cluster: string;
  readonly tres: string;
  readonly used: number;
  readonly whole: number;
}

/** A line for each reservation that overlaps the time, and TRES. */
export function reservationRows(
  report: UsageReport,
  reservations: readonly Reserved[],
  nodes: readonly (CapacityNode & { readonly name: string })[],
  { since, until, tres }: { readonly since: number; readonly until: number; readonly tres: readonly string[] },
): ReservationUse[] {
  return reservations.flatMap((one) => {
    const overlapMs = Math.min(one.endAt, until) - Math.max(one.startAt, since);
    if (overlapMs <= 0) return [];
    const whole = capacityOf(
      nodes.filter(({ name }) => one.nodes.includes(name)),
      overlapMs / 1000,
    );
    const used = report.reservations.get(one.name) ?? {};
    return tres.map((of) => {
      return { ...one, cluster: report.clusterName, tres: of, used: used[of] ?? 0, whole: whole[of] ?? 0 };
    });
  });
}

/** The columns, by their names in format=. @param moment writes a time */
export function reservationColumns(
  unit: ReportUnit,
  moment: (atMs: number) => string,
): Readonly<Record<string, AccountColumn<ReservationUse>>> {
  const amount = (seconds: number, whole: number): string => amountText(unit, seconds, whole);
  return {
    cluster: { header: "Cluster", width: 9, text: ({ cluster }) => cluster },
    name: { header: "Name", width: 9, text: ({ name }) => name },
    start: { header: "Start", width: 19, text: ({ startAt }) => moment(startAt) },
    end: { header: "End", width: 19, text: ({ endAt }) => moment(endAt) },
    tresname: { header: "TRES Name", width: 14, text: ({ tres }) => tres },
    allocated: { header: "Allocated", width: 20, text: ({ used, whole }) => amount(used, whole) },
    idle: { header: "Idle", width: 20, text: ({ used, whole }) => amount(Math.max(0, whole - used), whole) },
  };
}
