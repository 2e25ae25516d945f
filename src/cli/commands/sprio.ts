/** sprio: what the priorities of waiting jobs are made of. */

import type { PriorityConfig } from "../../core/policy/records.ts";
import type { Item } from "../../protocol/procedures.ts";
import { type Column, parseFormat, renderHeader, renderRow } from "../../view/printf.ts";
import { type Priority, SPRIO_COLUMNS, sprioFormat, weightsRow } from "../../view/priority-columns.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter, unknownUsers } from "../filters.ts";
import type { Option, ParsedOptions } from "../option.ts";

const flag = (long: string, help: string, short?: string): Option => {
  return short === undefined ? { long, argument: "none", help } : { long, short, argument: "none", help };
};
const list = (long: string, short: string, metavar: string, help: string): Option => {
  return { long, short, argument: "required", metavar, help };
};

const OPTIONS: readonly Option[] = [
  flag("federation", "no effect: there are no federations of clusters"),
  list("jobs", "j", "ids", "only these jobs"),
  flag("local", "no effect: there is one cluster"),
  flag("long", "print all parts, with nice values and TRES", "l"),
  list("cluster", "M", "name", "this cluster's name: there is one"),
  flag("noheader", "print no line of column names", "h"),
  flag("norm", "print factors from 0 to 1 instead of what they add up to", "n"),
  list("format", "o", "format", 'what to print, for instance "%i %Y %F"'),
  list("partition", "p", "names", "only jobs of these partitions"),
  flag("sibling", "no effect: there are no federations of clusters"),
  list("sort", "S", "letters", "order by these columns, each with - before it for the highest first"),
  list("user", "u", "names", "only jobs of these users"),
  flag("verbose", "no effect: errors say all there is to say", "v"),
  flag("weights", "print the weights instead of jobs", "w"),
];

export const command: Command = {
  name: "sprio",
  summary: "Show what the priorities of waiting jobs are made of",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sprio -l", "mgpu-sprio -w", 'mgpu-sprio -S -Y -o "%i %u %Y %F"'],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const lists = (long: string): string[] | undefined =>
    parsed.values.get(long)?.flatMap((text) => text.split(",").filter((one) => one !== ""));
  const first = parsed.operands[0];
  if (first !== undefined) throw new UserError(`Unrecognized option: ${first}`);
  const ids = lists("jobs")?.map(readId);
  const format = parsed.values.get("format")?.at(-1) ?? sprioFormat(isGiven("long"), isGiven("norm"), isGiven("user"));
  const plan = parseFormat(format, SPRIO_COLUMNS);
  const order = readOrder(parsed.values.get("sort")?.at(-1) ?? "i");
  for (const letter of plan.unknown) complain(context, `Invalid job format specification: ${letter}`);
  const connected = await connectAsSlurm(context, "Couldn't get priority factors from controller");
  if (connected === null) return 1;
  try {
    await checkClusters(connected.peer, parsed.values.get("cluster")?.at(-1));
    const users = lists("user");
    const unknown = unknownUsers(users ?? [], context);
    for (const name of unknown) complain(context, `Invalid user: ${name}`);
    const known = users?.filter((name) => !unknown.includes(name));
    const filter = jobFilter({ ids: ids ?? [], users: known ?? [], partitions: lists("partition") ?? [] });
    const rows: Item<"priorities.list">["rows"] = [];
    const { clusterName, config } = await connected.peer.stream("priorities.list", { filter }, (item) => {
      rows.push(...item.rows);
    });
    const isNobody = known !== undefined && known.length === 0;
    const jobs = isNobody ? [] : rows.map((row): Priority => ({ ...row, cluster: clusterName }));
    if (isAskedInVain(jobs, ids) && !isGiven("weights")) {
      context.stdio.out("Unable to find jobs matching user/id(s) specified\n");
      return 0;
    }
    const shown: readonly Priority[] = isGiven("weights") ? [weights(config, clusterName)] : jobs.sort(order);
    const header = isGiven("noheader") ? "" : `${renderHeader(plan)}\n`;
    context.stdio.out(header + shown.map((row) => `${renderRow(plan, row)}\n`).join(""));
    return 0;
  } finally {
    connected.peer.close();
  }
}

function isAskedInVain(jobs: readonly Priority[], ids: readonly number[] | undefined): boolean {
  return ids !== undefined && jobs.length === 0;
}

function weights(config: PriorityConfig, cluster: string): Priority {
  return weightsRow(config, cluster);
}

function readId(text: string): number {
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) throw new UserError(`Invalid job id: ${text}`);
  return Number(text);
}

/** An order by columns' letters: `-Y,i`. Numbers are compared as numbers. */
function readOrder(text: string): (a: Priority, b: Priority) => number {
  const keys: { readonly column: Column<Priority>; readonly sign: number }[] = [];
  for (const [, sign = "", letter = ""] of text.matchAll(/([+-]?)([^,+-])/gu)) {
    const column = Object.hasOwn(SPRIO_COLUMNS, letter) ? SPRIO_COLUMNS[letter] : undefined;
    if (!column) throw new UserError(`Invalid sort specification: ${letter}`);
    keys.push({ column, sign: sign === "-" ? -1 : 1 });
  }
  return (a, b) => {
    for (const { column, sign } of keys) {
      const order = compare(column.text(a), column.text(b));
      if (order !== 0) return sign * order;
    }
    return a.id - b.id;
  };
}

function compare(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (!Number.isNaN(difference)) return difference;
  return a < b ? -1 : a > b ? 1 : 0;
}

function complain({ program, stdio }: CommandContext, text: string): void {
  stdio.err(`${program}: error: ${text}\n`);
}
