/** sreport: who used how much, from the records of jobs. */

import { createUsageReport, type ParentOf, type UsageReport } from "../../core/policy/report.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { Peer } from "../../rpc/types.ts";
import { type AccountColumn, accountTable, columnsOf, type TableStyle } from "../../view/account-table.ts";
import { SIZE_REPORTS, sizeColumns, sizeRows } from "../../view/job-size-report.ts";
import { reservationColumns, reservationRows } from "../../view/reservation-report.ts";
import { REPORTS, type ReportUnit, readUnit, reportColumns, reportRows, unitHeading } from "../../view/usage-report.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { type Request, readRequest } from "./sreport/request.ts";

const flag = (long: string, short: string, help: string): Option => ({ long, short, argument: "none", help });

const OPTIONS: readonly Option[] = [
  flag("all_clusters", "a", "no effect: there is one cluster"),
  { long: "cluster", short: "M", argument: "required", metavar: "name", help: "this cluster's name: there is one" },
  flag("noheader", "n", "print no heading and no line of column names"),
  flag("parsable", "p", "print columns with | between them and at the end"),
  flag("parsable2", "P", "print columns with | between them"),
  flag("quiet", "Q", "no effect: nothing but errors is said"),
  {
    long: "time",
    short: "t",
    argument: "required",
    metavar: "unit",
    help: "seconds, minutes, hours, percent, secper ...",
  },
  {
    long: "tres",
    short: "T",
    argument: "required",
    metavar: "names",
    help: "what to count: cpu, mem, node, gres/gpu ...",
  },
  flag("verbose", "v", "no effect: errors say all there is to say"),
];

export const command: Command = {
  name: "sreport",
  summary: "Report usage: of the cluster, accounts, users, wckeys and reservations, and by the sizes of jobs",
  synopsis: "[OPTIONS...] cluster|user|job|reservation REPORT [start=TIME] [end=TIME] [KEY=VALUE...]",
  options: OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-sreport cluster AccountUtilizationByUser start=2026-11-01 -t hours -T gres/gpu",
    "mgpu-sreport user top start=2026-11-01",
    "mgpu-sreport cluster utilization start=today",
    "mgpu-sreport job SizesByAccount start=now-7days Grouping=2,8,64",
  ],
  run,
};

/** What the command line says beside the report itself. */
interface Display {
  readonly unit: ReportUnit;
  /** As typed; `null` for CPUs alone. */
  readonly tres: readonly string[] | null;
}

/** A report that was worked out. */
interface Made {
  readonly title: string;
  readonly units: string;
  readonly text: (options: Parameters<typeof accountTable>[2]) => string;
  readonly isEmpty: boolean;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const request = readRequest(parsed.operands, context);
  const display = readDisplay(parsed);
  const make = makerOf(request, display, context);
  const connected = await connectAsSlurm(context, "sreport: error");
  if (connected === null) return 1;
  const { stdio } = context;
  try {
    await checkClusters(connected.peer, parsed.values.get("cluster")?.at(-1));
    const made = await make(connected.peer);
    const style: TableStyle = isGiven("parsable2") ? "parsable2" : isGiven("parsable") ? "parsable" : "table";
    const hasHeader = !isGiven("noheader");
    stdio.out((hasHeader ? headingOf(request, made, context) : "") + made.text({ style, hasHeader }));
    if (made.isEmpty && request.isYesterday && stdio.stdoutIsTerminal) stdio.err(`${context.program}: ${TODAY}\n`);
    return 0;
  } finally {
    connected.peer.close();
  }
}

const TODAY = 'hint: this is yesterday, as without start= in Slurm; "start=today" is today until now';

function readDisplay(parsed: ParsedOptions): Display {
  const word = parsed.values.get("time")?.at(-1) ?? "minutes";
  const unit = readUnit(word);
  if (unit === undefined) throw new UserError(`unknown time format ${word}`);
  const tres = parsed.values.get("tres")?.flatMap((text) => text.toLowerCase().split(",")) ?? null;
  const bad = tres?.filter((name) => !/^(cpu|mem|node|billing|gres\/gpu(:[\w.-]+)?)$/.test(name)) ?? [];
  if (bad.length > 0) throw new UserError("No valid TRES given", `no ${bad.join(",")}: cpu, mem, node, gres/gpu ...`);
  return { unit, tres };
}

/** What works the report out; its columns are looked at before anybody is asked. */
function makerOf(request: Request, display: Display, context: CommandContext): (peer: Peer) => Promise<Made> {
  switch (request.report.kind) {
    case "usage":
      return usageMaker(request, request.report.name, display);
    case "sizes":
      return sizesMaker(request, request.report.name, display);
    case "reservations":
      return reservationsMaker(request, display, context);
  }
}

function chosen<R>(
  format: readonly string[],
  known: Readonly<Record<string, AccountColumn<R>>>,
): readonly AccountColumn<R>[] {
  const found = columnsOf(format, known);
  if ("unknown" in found) throw new UserError(` Unknown field '${found.unknown}'`);
  return found.columns;
}

function usageMaker(
  request: Request,
  name: keyof typeof REPORTS,
  { unit, tres }: Display,
): (peer: Peer) => Promise<Made> {
  const report = REPORTS[name];
  const usual = report.columns.split(",").flatMap((column) => {
    if (tres === null) return [column];
    return column === "energy" ? [] : column === report.first ? ["tresname", column] : [column];
  });
  const columns = chosen(request.format ?? usual, reportColumns(unit, request.isTree));
  return async (peer) => {
    const { usage } = await collect(peer, request);
    const rows = reportRows(name, usage, tres ?? ["cpu"], request.topCount);
    const seconds = report.hasSeconds ? secondsText(request) : "";
    const title = name === "TopUsage" ? `Top ${request.topCount} Users` : report.title;
    return {
      ...{ title: `${title} ${PERIOD}${seconds}`, units: unitHeading(unit, tres !== null), isEmpty: rows.length === 0 },
      text: (options) => accountTable(columns, rows, options),
    };
  };
}

function sizesMaker(
  request: Request,
  name: keyof typeof SIZE_REPORTS,
  { unit, tres }: Display,
): (peer: Peer) => Promise<Made> {
  if (tres !== null) throw new UserError("sizes of jobs are their CPUs: leave --tres out");
  const columns = sizeColumns({ ...request, name }, unit);
  const [cluster, who] = columns;
  const names = { ...(cluster ? { cluster } : {}), ...(who ? { account: who, wckey: who } : {}) };
  const shown = request.format === null ? columns : [...chosen(request.format, names), ...columns.slice(2)];
  const timed = unit === "Percent" ? "Percentage of Total" : unitHeading(unit, false).replace(/^.* CPU /, "");
  return async (peer) => {
    const { usage } = await collect(peer, request);
    const rows = sizeRows(usage, { ...request, name });
    return {
      title: `${SIZE_REPORTS[name].title} ${PERIOD}${secondsText(request)}`,
      units: request.isCount ? "Units are in number of jobs ran" : `Time reported in ${timed}`,
      isEmpty: rows.length === 0,
      text: (options) => accountTable(shown, rows, options),
    };
  };
}

function reservationsMaker(
  request: Request,
  { unit, tres }: Display,
  context: CommandContext,
): (peer: Peer) => Promise<Made> {
  const known = reservationColumns(unit, (atMs) => momentText(atMs, context));
  const columns = chosen(request.format ?? Object.keys(known), known);
  return async (peer) => {
    const { usage, nodes } = await collect(peer, request);
    const { reservations } = await peer.call("reservations.list", {});
    const rows = reservationRows(usage, reservations, nodes, { ...request, tres: tres ?? ["cpu"] });
    return {
      ...{ title: `Reservation Utilization ${PERIOD}`, units: unitHeading(unit, true), isEmpty: rows.length === 0 },
      text: (options) => accountTable(columns, rows, options),
    };
  };
}

/** Streams the records of the time asked for, and keeps sums only. */
async function collect(peer: Peer, request: Request) {
  const { since, until, accounts, users, wckeys, grouping } = request;
  const { policy, clusterName } = await peer.call("policy.list", {});
  const { nodes } = await peer.call("nodes.list", {});
  const parents = new Map(
    policy.associations.flatMap((one) => (one.user === "" ? [[one.account, one.parent] as const] : [])),
  );
  const parentOf: ParentOf = (account) => parents.get(account) ?? "";
  const usage: UsageReport = createUsageReport({ clusterName, since, until, nodes, parentOf, grouping });
  const isSizes = request.report.kind === "sizes";
  const none = { ids: [], groups: [], states: ["RUNNING"], names: [], partitions: [], nodes: [], qos: [] };
  // Of sizes, a named account has all below it.
  const named = isSizes ? [] : [...accounts];
  const filter = { ...none, accounts: named, users: [...users], wckeys: [...wckeys], since, until };
  await peer.stream("jobs.history", { filter, duplicates: true, steps: false }, ({ records }) => {
    for (const { job } of records) usage.add(job);
  });
  return { usage, nodes };
}

/** Where the time stands in a title. */
const PERIOD = "%period";

function secondsText({ since, until }: Request): string {
  return ` (${Math.round((until - since) / 1000)} secs)`;
}

function momentText(atMs: number, context: CommandContext): string {
  return formatTimestamp(atMs, (one) => context.utcOffsetMinutes(one));
}

function headingOf({ since, until }: Request, { title, units }: Made, context: CommandContext): string {
  const rule = `${"-".repeat(80)}\n`;
  const period = `${momentText(since, context)} - ${momentText(until - 1000, context)}`;
  return `${rule}${title.replace(PERIOD, period)}\n${units}\n${rule}`;
}
