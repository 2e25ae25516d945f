/**
 * sinfo: partitions and nodes, as Slurm prints them. Nodes that look alike stand in one row.
 *
 * `--gpus` is mgpu's own: a row for each node with its GPUs.
 */

import { expand } from "../../core/hostlist.ts";
import type { Partition } from "../../core/partition.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import { formatDateLine } from "../../view/date-line.ts";
import {
  GPU_COLUMNS,
  GPU_FORMAT,
  SINFO_COLUMNS,
  SINFO_FORMAT,
  SINFO_FORMAT_LONG,
  SINFO_FORMAT_NODE,
  SINFO_FORMAT_NODE_LONG,
  SINFO_FORMAT_SUMMARY,
} from "../../view/node-columns.ts";
import { groupNodes, type NodeColumn, type NodeGroup } from "../../view/node-groups.ts";
import { nodeStateNames, parseNodeStates } from "../../view/node-states.ts";
import { type FormatPlan, fitToRows, parseFormat, renderHeader, renderRow } from "../../view/printf.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type OptionReader, optionReader } from "../filters.ts";
import type { Option, ParsedOptions } from "../option.ts";

const OPTIONS: readonly Option[] = [
  {
    long: "all",
    short: "a",
    argument: "none",
    help: "show hidden partitions too",
    variables: { sinfo: "SINFO_ALL" },
  },
  { long: "exact", short: "e", argument: "none", help: "nodes with different CPUs or memory get rows of their own" },
  {
    long: "format",
    short: "o",
    argument: "required",
    metavar: "format",
    help: 'what to print: %[.][width]letter and text between, for instance "%N %t %G"',
    variables: { sinfo: "SINFO_FORMAT" },
  },
  { long: "gpus", argument: "none", help: "a row for each node with its GPUs: granted, type, and which are free" },
  { long: "long", short: "l", argument: "none", help: "print more of each partition, or with -N of each node" },
  { long: "Node", short: "N", argument: "none", help: "a row for each node and partition" },
  { long: "nodes", short: "n", argument: "required", metavar: "nodes", help: "only these nodes, such as n[1-4],login" },
  { long: "noheader", short: "h", argument: "none", help: "print no line of column names" },
  {
    long: "partition",
    short: "p",
    argument: "required",
    metavar: "partitions",
    help: "only these partitions",
    variables: { sinfo: "SINFO_PARTITION" },
  },
  {
    long: "states",
    short: "t",
    argument: "required",
    metavar: "states",
    help: "only nodes in these states, such as idle,mix; down&drain for both at once",
  },
  { long: "summarize", short: "s", argument: "none", help: "a row for each partition with its nodes counted by state" },
];

export const command: Command = {
  name: "sinfo",
  summary: "Show partitions and nodes",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sinfo", "mgpu-sinfo --gpus", 'mgpu-sinfo -N -o "%N %t %C %G"'],
  run,
};

/** How the table looks. */
interface Layout {
  readonly format: string;
  readonly columns: Readonly<Record<string, NodeColumn>>;
  readonly isPerNode: boolean;
  readonly isLong: boolean;
  /** Whether the format is ours and may ask for columns that grow. */
  readonly isOwn: boolean;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("sinfo", OPTIONS, parsed, context);
  // Slurm's sinfo overlooks words that are no options; a person is better told.
  if (parsed.operands.length > 0 && !isSlurmName(context.program)) {
    throw new UserError(parsed.operands.map((word) => `Unrecognized option: ${word}`));
  }
  const isWanted = readNodeFilter(options);
  const layout = readLayout(options);
  const plan = parseFormat(layout.format, layout.columns, { mayGrow: layout.isOwn });
  for (const letter of plan.unknown) context.stdio.err(`Invalid node format specification: ${letter}\n`);
  const connected = await connectAsSlurm(context, "slurm_load_partitions");
  if (connected === null) return 1;
  try {
    const { nodes, now } = await connected.peer.call("nodes.list", {});
    const { partitions: all } = await connected.peer.call("partitions.list", {});
    const partitions = wantedPartitions(all, options.list("partition"), options.isGiven("all"));
    const groups = groupNodes(
      partitions,
      nodes.filter(isWanted),
      plan.fields.map(({ column }) => column),
      { isPerNode: layout.isPerNode, isExact: options.isGiven("exact") },
    );
    context.stdio.out(render(plan, groups, readHeading(options, layout, now, context)));
    return 0;
  } finally {
    connected.peer.close();
  }
}

function render(plan: FormatPlan<NodeColumn>, groups: readonly NodeGroup[], heading: string | null): string {
  const fitted = fitToRows(plan, groups);
  const header = heading === null ? "" : `${heading}${renderHeader(fitted)}\n`;
  return header + groups.map((group) => `${renderRow(fitted, group)}\n`).join("");
}

/** What stands before the column names; `null` if not even those are wanted. */
function readHeading(options: OptionReader, { isLong }: Layout, nowMs: number, context: CommandContext): string | null {
  if (options.isGiven("noheader")) return null;
  return isLong ? `${formatDateLine(nowMs, (atMs) => context.utcOffsetMinutes(atMs))}\n` : "";
}

function readLayout(options: OptionReader): Layout {
  const isPerNode = options.isGiven("Node");
  const isLong = options.isGiven("long");
  if (options.isGiven("gpus")) {
    if (options.isTyped("format")) throw new UserError("--gpus has a format of its own; leave out --format");
    return { format: GPU_FORMAT, columns: GPU_COLUMNS, isPerNode: true, isLong, isOwn: true };
  }
  if (options.isTyped("format") && isLong) {
    throw new UserError("Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.");
  }
  const own = ownFormat(isPerNode, isLong, options.isGiven("summarize"));
  // The variable replaces the usual formats, but not the ones that -N and -s ask for, as in Slurm.
  const isOwn = !options.isTyped("format") && (isPerNode || options.isGiven("summarize") || !options.isGiven("format"));
  const format = isOwn ? own : (options.last("format") ?? own);
  return { format, columns: SINFO_COLUMNS, isPerNode, isLong, isOwn };
}

function ownFormat(isPerNode: boolean, isLong: boolean, isSummary: boolean): string {
  if (isSummary) return SINFO_FORMAT_SUMMARY;
  if (isPerNode) return isLong ? SINFO_FORMAT_NODE_LONG : SINFO_FORMAT_NODE;
  return isLong ? SINFO_FORMAT_LONG : SINFO_FORMAT;
}

function readNodeFilter(options: OptionReader): (node: NodeRow) => boolean {
  const states = parseNodeStates(options.list("states") ?? ["all"]);
  const texts = options.texts("nodes");
  const names = texts === undefined ? undefined : expand(texts.join(","));
  const problems: string[] = [];
  if ("wrong" in states) {
    problems.push(`Bad state string: "${states.wrong}"`, `valid states: ${nodeStateNames().join(",")}`);
  }
  if (texts !== undefined && names === undefined) problems.push(`Invalid node list: ${texts.join(",")}`);
  if (problems.length > 0 || "wrong" in states) throw new UserError(problems);
  const wanted = names === undefined ? undefined : new Set(names);
  return (node) =>
    states.matches(node) && (wanted === undefined || wanted.has(node.name) || wanted.has(node.inventory.hostname));
}

/** The partitions that were named; or all but the hidden ones. */
function wantedPartitions<P extends Pick<Partition, "name" | "isHidden">>(
  all: readonly P[],
  wanted: readonly string[] | undefined,
  isAll: boolean,
): P[] {
  return all.filter(({ name, isHidden }) => wanted?.includes(name) ?? (isAll || !isHidden));
}
