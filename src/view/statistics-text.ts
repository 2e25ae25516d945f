/** sdiag's page, in Slurm's layout. */

import type { Result } from "../protocol/procedures.ts";

/** How calls are ordered. */
export type CallOrder = "count" | "name" | "total" | "mean";

type Statistics = Result<"statistics">;
type Calls = Statistics["methods"][number];

const RULE = "*******************************************************\n";

/** @param dateOf a moment as the C library writes it */
export function statisticsText(statistics: Statistics, order: CallOrder, dateOf: (atMs: number) => string): string {
  const { now, since } = statistics;
  const at = (ms: number): string => `${dateOf(ms)} (${Math.floor(ms / 1000)})`;
  return [
    RULE,
    `sdiag output at ${at(now)}\n`,
    `Data since      ${at(since)}\n`,
    RULE,
    "Server thread count:  1\nAgent queue size:     0\nAgent count:          0\nAgent thread count:   0\n",
    "DBD Agent queue size: 0\n\n",
    jobsText(statistics, at(now)),
    passesText(statistics),
    backfillText(),
    callsText(statistics, order),
  ].join("");
}

function jobsText({ jobs }: Statistics, now: string): string {
  return [
    `Jobs submitted: ${jobs.submitted}\nJobs started:   ${jobs.started}\nJobs completed: ${jobs.completed}\n`,
    `Jobs canceled:  ${jobs.canceled}\nJobs failed:    ${jobs.failed}\n\n`,
    `Job states ts:  ${now}\nJobs pending:   ${jobs.pending}\nJobs running:   ${jobs.running}\n\n`,
  ].join("");
}

function passesText({ passes, now, since }: Statistics): string {
  const minutes = (now - since) / 60_000;
  const lines = [
    ["Last cycle:   ", passes.last],
    ["Max cycle:    ", passes.max],
    ["Total cycles: ", passes.cycles],
    ["Mean cycle:   ", mean(passes.total, passes.cycles)],
    ["Mean depth cycle:  ", mean(passes.starts, passes.cycles)],
    ["Cycles per minute: ", minutes < 1 ? 0 : Math.floor(passes.cycles / minutes)],
    ["Last queue length: ", passes.lastQueue],
  ];
  return `Main schedule statistics (microseconds):\n${lines.map(([label, value]) => `\t${label}${value}\n`).join("")}\n`;
}

/** Jobs are started in one kind of pass: none of them is a backfill by itself. */
function backfillText(): string {
  const lines = [
    "Total backfilled jobs (since last slurm start): 0",
    "Total backfilled jobs (since last stats cycle start): 0",
    "Total backfilled heterogeneous job components: 0",
    "Total cycles: 0",
    "Last cycle when: N/A",
    "Last cycle: 0",
    "Max cycle:  0",
    "Last depth cycle: 0",
    "Last depth cycle (try sched): 0",
    "Last queue length: 0",
    "Last table size: 0",
  ];
  return `Backfilling stats\n${lines.map((line) => `\t${line}\n`).join("")}\n`;
}

function callsText({ methods, users }: Statistics, order: CallOrder): string {
  const times = ({ count, microseconds }: Omit<Calls, "name">): string =>
    `count:${String(count).padEnd(6)} ave_time:${String(mean(microseconds, count)).padEnd(6)} total_time:${microseconds}\n`;
  const byMethod = sorted(methods, order).map((call) => `\t${call.name.padEnd(40)}(    0) ${times(call)}`);
  const byUser = sorted(users, order).map(
    (user) => `\t${user.name.padEnd(16)}(${String(user.uid).padStart(8)}) ${times(user)}`,
  );
  return [
    `Remote Procedure Call statistics by message type\n${byMethod.join("")}\n`,
    `Remote Procedure Call statistics by user\n${byUser.join("")}\n`,
    "Pending RPC statistics\n\tNo pending RPCs\n",
  ].join("");
}

function sorted<C extends Calls>(calls: readonly C[], order: CallOrder): C[] {
  const value = ({ count, microseconds }: C): number => {
    if (order === "count") return count;
    return order === "total" ? microseconds : mean(microseconds, count);
  };
  const byName = (a: C, b: C): number => (a.name < b.name ? -1 : 1);
  return [...calls].sort((a, b) => (order === "name" ? 0 : value(b) - value(a)) || byName(a, b));
}

function mean(total: number, count: number): number {
  return count === 0 ? 0 : Math.floor(total / count);
}
