/** What sreport is asked for: the report, the time, and what is counted. */

import { parseMoment } from "../../../core/begin-time.ts";
import { byPrefix } from "../../../core/policy/words.ts";
import { SIZE_GROUPING, SIZE_REPORTS, type SizeReportName } from "../../../view/job-size-report.ts";
import { REPORTS, type ReportName } from "../../../view/usage-report.ts";
import { type CommandContext, UserError } from "../../context.ts";
import { didYouMean } from "../../usage.ts";

export type AnyReport =
  | { readonly kind: "usage"; readonly name: ReportName }
  | { readonly kind: "sizes"; readonly name: SizeReportName }
  | { readonly kind: "reservations" };

export interface Request {
  readonly report: AnyReport;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  /** No start was named: yesterday is meant. */
  readonly isYesterday: boolean;
  readonly accounts: readonly string[];
  readonly users: readonly string[];
  readonly wckeys: readonly string[];
  readonly format: readonly string[] | null;
  readonly topCount: number;
  readonly grouping: readonly number[];
  readonly isCount: boolean;
  readonly isFlat: boolean;
  readonly isTree: boolean;
}

const DAY_MS = 86_400_000;

const KEYS = [
  ...["Accounts", "Clusters", "End", "Format", "Grouping", "Nodes", "Partitions", "Start", "TopCount", "Users"],
  "Wckeys",
] as const;

/** Words without a value. `group` of user top is no word of ours: there each account is a line of its own. */
const WORDS = ["where", "set", "tree", "withdeleted", "PrintJobCount", "FlatView"] as const;

const DIGITS = /^\d{1,6}$/;

/** Reads the words after the options. @throws UserError with all that is wrong */
export function readRequest(words: readonly string[], context: CommandContext): Request {
  const pairs = words.filter((word) => word.includes("="));
  const bare = words.filter((word) => !word.includes("="));
  const [kind = "", ...rest] = bare;
  const { report, left } = findReport(kind, rest[0] ?? "", rest.slice(1));
  const problems: string[] = [];
  const given = new Set<string>();
  for (const word of left) {
    const known = byPrefix(word, WORDS, (one) => [one]);
    if (known === undefined) problems.push(` Unknown condition: ${word}`);
    else given.add(known);
  }
  const values = readPairs(pairs, problems);
  const top = values.get("TopCount") ?? "10";
  if (!DIGITS.test(top)) problems.push(`Invalid value for TopCount (${top})`);
  const times = readTimes(values, context, problems);
  const grouping = readGrouping(values.get("Grouping"), problems);
  if (problems.length > 0) throw new UserError(problems);
  const list = (key: string): string[] => (values.get(key) ?? "").split(",").filter((one) => one !== "");
  return {
    ...{ report, ...times, grouping, topCount: Number(top) },
    ...{ accounts: list("Accounts").map((one) => one.toLowerCase()), users: list("Users"), wckeys: list("Wckeys") },
    format: values.has("Format") ? list("Format") : null,
    ...{ isCount: given.has("PrintJobCount"), isFlat: given.has("FlatView"), isTree: given.has("tree") },
  };
}

function readPairs(pairs: readonly string[], problems: string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const key = byPrefix(pair.slice(0, pair.indexOf("=")), KEYS, (one) => [one]);
    if (key === "Nodes" || key === "Partitions")
      problems.push(`${key}=: mgpu-sacct selects by these, sreport does not`);
    else if (key === undefined) problems.push(` Unknown condition: ${pair}`);
    else values.set(key, pair.slice(pair.indexOf("=") + 1));
  }
  return values;
}

function readTimes(
  values: ReadonlyMap<string, string>,
  context: CommandContext,
  problems: string[],
): Pick<Request, "since" | "until" | "isYesterday"> {
  const now = context.clock.now();
  const midnight = midnightBefore(now, context);
  const time = (text: string | undefined, usually: number): number => {
    if (text === undefined) return usually;
    const parsed = parseMoment(text, now, (at) => context.utcOffsetMinutes(at), "past");
    if ("value" in parsed) return parsed.value;
    problems.push(`Invalid time specification (pos=0): ${text}`);
    return usually;
  };
  const since = time(values.get("Start"), midnight - DAY_MS);
  const end = time(values.get("End"), values.has("Start") && since >= midnight ? now : midnight);
  // Nothing is used in the future, and nothing could have been.
  const until = Math.min(end, now);
  if (until <= since && problems.length === 0) {
    problems.push(since >= now ? "start time is still to come" : "start time is not before end time");
  }
  return { since, until, isYesterday: !values.has("Start") };
}

function readGrouping(text: string | undefined, problems: string[]): readonly number[] {
  if (text === undefined) return SIZE_GROUPING;
  const parts = text.split(",");
  const numbers = parts.map(Number);
  const isGood =
    parts.every((part) => DIGITS.test(part)) &&
    numbers.every((one, at) => one > (at === 0 ? 0 : (numbers[at - 1] ?? 0)));
  if (!isGood) problems.push(`Invalid value for Grouping (${text}): numbers of CPUs, the lowest first, as in 2,8,64`);
  return numbers;
}

function midnightBefore(now: number, context: CommandContext): number {
  const offsetMs = context.utcOffsetMinutes(now) * 60_000;
  return Math.floor((now + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
}

/** Slurm's names, and its words for those that are none. */
const VALID: Readonly<Record<string, string>> = {
  cluster:
    'Valid cluster reports are, "AccountUtilizationByUser", "UserUtilizationByAccount", ' +
    '"UserUtilizationByWckey", "Utilization", and "WCKeyUtilizationByUser"',
  job: 'Valid job reports are, "SizesByAccount, SizesByAccountAndWcKey, and  SizesByWckey"',
  reservation: 'Valid reservation reports are, "Utilization"',
  user: 'Valid user reports are, "TopUsage"',
};

const KINDS = ["cluster", "job", "reservation", "user"] as const;

function findReport(
  kind: string,
  name: string,
  left: readonly string[],
): { readonly report: AnyReport; readonly left: readonly string[] } {
  if (kind === "") {
    throw new UserError(
      "which report?",
      "such as: mgpu-sreport cluster AccountUtilizationByUser, user TopUsage, job SizesByAccount, reservation utilization",
    );
  }
  const found = byPrefix(kind, KINDS, (one) => [one]);
  if (found === undefined) throw new UserError(`invalid keyword: ${kind}`, didYouMean([kind], KINDS));
  const report = reportOf(found, name);
  if (report !== undefined) return { report, left };
  throw new UserError(`Not valid report ${name}`, VALID[found]);
}

function reportOf(kind: "cluster" | "job" | "reservation" | "user", name: string): AnyReport | undefined {
  if (kind === "reservation") {
    return byPrefix(name, ["Utilization"], (one) => [one]) === undefined ? undefined : { kind: "reservations" };
  }
  if (kind === "job") {
    const sizes = byPrefix(name, Object.keys(SIZE_REPORTS) as SizeReportName[], (one) => [one]);
    return sizes && { kind: "sizes", name: sizes };
  }
  const names = (Object.keys(REPORTS) as ReportName[]).filter((one) => REPORTS[one].kind === kind);
  const usage = byPrefix(name, names, (one) => [one]);
  return usage && { kind: "usage", name: usage };
}
