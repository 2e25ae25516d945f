/** sreport: who used how much, from the records of jobs. */

import { parseMoment } from "../../core/begin-time.ts";
import { createUsageReport, type ParentOf } from "../../core/policy/report.ts";
import { byPrefix } from "../../core/policy/words.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { Peer } from "../../rpc/types.ts";
import { accountTable, columnsOf, type TableStyle } from "../../view/account-table.ts";
import { REPORTS, type ReportName, readUnit, reportColumns, reportRows, unitHeading } from "../../view/usage-report.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";

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
  summary: "Report usage: of the cluster, of accounts and users, of the users with most",
  synopsis: "[OPTIONS...] cluster|user|job REPORT [start=TIME] [end=TIME] [KEY=VALUE...]",
  options: OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-sreport cluster AccountUtilizationByUser start=2026-11-01 -t hours -T gres/gpu",
    "mgpu-sreport user top start=2026-11-01",
    "mgpu-sreport cluster utilization",
  ],
  run,
};

const DAY_MS = 86_400_000;

const KEYS = ["Accounts", "Clusters", "End", "Format", "Grouping", "Start", "TopCount", "Users"] as const;

interface Request {
  readonly report: ReportName;
  readonly since: number;
  readonly until: number;
  readonly accounts: readonly string[];
  readonly users: readonly string[];
  readonly format: readonly string[] | null;
  readonly topCount: number;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const request = readRequest(parsed.operands, context);
  const unit = readUnit(parsed.values.get("time")?.at(-1) ?? "minutes");
  if (unit === undefined) throw new UserError(`unknown time format ${parsed.values.get("time")?.at(-1)}`);
  const tres = parsed.values.get("tres")?.flatMap((text) => text.toLowerCase().split(",")) ?? null;
  const bad = tres?.filter((name) => !/^(cpu|mem|node|billing|gres\/gpu(:[\w.-]+)?)$/.test(name)) ?? [];
  if (bad.length > 0) throw new UserError(`No TRES known by type ${bad.join(",")}`, "such as cpu, mem, node, gres/gpu");
  const found = columnsOf(request.format ?? usual(request, tres !== null), reportColumns(unit));
  if ("unknown" in found) throw new UserError(` Unknown field '${found.unknown}'`);
  const connected = await connectAsSlurm(context, "sreport: error");
  if (connected === null) return 1;
  try {
    await checkClusters(connected.peer, parsed.values.get("cluster")?.at(-1));
    const usage = await collect(connected.peer, request);
    const style: TableStyle = isGiven("parsable2") ? "parsable2" : isGiven("parsable") ? "parsable" : "table";
    const rows = reportRows(request.report, usage, tres ?? ["cpu"], request.topCount);
    const hasHeader = !isGiven("noheader");
    const heading = hasHeader ? headingOf(request, unitHeading(unit, tres !== null), context) : "";
    context.stdio.out(heading + accountTable(found.columns, rows, { style, hasHeader }));
    return 0;
  } finally {
    connected.peer.close();
  }
}

function usual({ report }: Request, hasTres: boolean): string[] {
  const columns = REPORTS[report].columns.split(",");
  return hasTres
    ? columns.flatMap((name) => (name === "energy" ? [] : name === REPORTS[report].first ? ["tresname", name] : [name]))
    : columns;
}

/** Streams the records of the time asked for, and keeps sums only. */
async function collect(peer: Peer, { since, until, accounts, users }: Request) {
  const { policy, clusterName } = await peer.call("policy.list", {});
  const { nodes } = await peer.call("nodes.list", {});
  const parents = new Map(
    policy.associations.flatMap((one) => (one.user === "" ? [[one.account, one.parent] as const] : [])),
  );
  const parentOf: ParentOf = (account) => parents.get(account) ?? "";
  const report = createUsageReport({ clusterName, since, until, nodes, parentOf });
  const none = { ids: [], groups: [], states: ["RUNNING"], names: [], partitions: [], nodes: [], qos: [], wckeys: [] };
  const filter = { ...none, accounts: [...accounts], users: [...users], since, until };
  await peer.stream("jobs.history", { filter, duplicates: true, steps: false }, ({ records }) => {
    for (const { job } of records) report.add(job);
  });
  return report;
}

function headingOf({ report, since, until }: Request, units: string, context: CommandContext): string {
  const at = (ms: number): string => formatTimestamp(ms, (one) => context.utcOffsetMinutes(one));
  const { title, hasSeconds } = REPORTS[report];
  const seconds = hasSeconds ? ` (${Math.round((until - since) / 1000)} secs)` : "";
  const rule = `${"-".repeat(80)}\n`;
  return `${rule}${title} ${at(since)} - ${at(until - 1000)}${seconds}\n${units}\n${rule}`;
}

function readRequest(words: readonly string[], context: CommandContext): Request {
  const pairs = words.filter((word) => word.includes("="));
  const [kind = "", name = ""] = words.filter(
    (word) => !word.includes("=") && !/^(where|set|tree|withdeleted)$/i.test(word),
  );
  const report = findReport(kind, name);
  const values: Partial<Record<(typeof KEYS)[number], string>> = {};
  const problems: string[] = [];
  for (const pair of pairs) {
    const key = byPrefix(pair.slice(0, pair.indexOf("=")), KEYS, (one) => [one]);
    if (key === undefined || key === "Grouping") problems.push(` Unknown condition: ${pair}`);
    else values[key] = pair.slice(pair.indexOf("=") + 1);
  }
  const now = context.clock.now();
  const midnight = midnightBefore(now, context);
  const time = (text: string | undefined, usually: number): number => {
    if (text === undefined) return usually;
    const parsed = parseMoment(text, now, (at) => context.utcOffsetMinutes(at), "past");
    if ("value" in parsed) return parsed.value;
    problems.push(`Invalid time specification (pos=0): ${text}`);
    return usually;
  };
  const since = time(values.Start, midnight - DAY_MS);
  const until = time(values.End, values.Start === undefined ? midnight : Math.max(midnight, since));
  if (until <= since && problems.length === 0) problems.push("start time is not before end time");
  const top = values.TopCount ?? "10";
  if (!/^\d{1,6}$/.test(top)) problems.push(`Invalid value for TopCount (${top})`);
  if (problems.length > 0) throw new UserError(problems);
  const list = (text: string | undefined): string[] => (text ?? "").split(",").filter((one) => one !== "");
  return {
    ...{ report, since, until, accounts: list(values.Accounts), users: list(values.Users), topCount: Number(top) },
    format: values.Format === undefined ? null : list(values.Format),
  };
}

function midnightBefore(now: number, context: CommandContext): number {
  const offsetMs = context.utcOffsetMinutes(now) * 60_000;
  return Math.floor((now + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
}

function findReport(kind: string, name: string): ReportName {
  const kinds = ["cluster", "job", "reservation", "user"] as const;
  const found = byPrefix(kind, kinds, (one) => [one]);
  if (found === undefined) throw new UserError(`invalid keyword: ${kind}`);
  const entries = Object.entries(REPORTS).filter(([, one]) => one.kind === found);
  const report = byPrefix(name, entries, ([key, one]) => [key, ...one.names]);
  if (report) return report[0] as ReportName;
  const names = entries.map(([key]) => `"${key}"`).join(", ");
  const hint = names === "" ? "mgpu reports of clusters, users and jobs" : `Valid ${found} reports are, ${names}`;
  throw new UserError(`Not valid report ${name}`, hint);
}
