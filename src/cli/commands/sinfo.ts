/**
 * sinfo: partitions and nodes, as Slurm prints them. Nodes that look alike stand in one row.
 *
 * `--gpus` is mgpu's own: a row for each node with its GPUs.
 */

import type { NodeRow, PartitionRow } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { formatDateLine } from "../../view/date-line.ts";
import { groupNodes, type NodeColumn, type NodeGroup } from "../../view/node-groups.ts";
import { parseNodeOrder } from "../../view/node-sort.ts";
import { type FormatPlan, fitToRows, type Painter, renderHeader, renderRow } from "../../view/printf.ts";
import { type MomentText, momentText } from "../../view/time-format.ts";
import { clusterLine } from "../clusters.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type OptionReader, optionReader } from "../filters.ts";
import type { ParsedOptions } from "../option.ts";
import { isMachineForm } from "../output/machine-form.ts";
import { painterFor } from "../output/painter.ts";
import { tellOptions } from "../output/verbose.ts";
import { repeat } from "../repeat.ts";
import { didYouMean } from "../usage.ts";
import { type Layout, readLayout } from "./sinfo/layout.ts";
import { readNodeFilter, wantedPartitions } from "./sinfo/nodes.ts";
import { OPTIONS } from "./sinfo/options.ts";

export const command: Command = {
  name: "sinfo",
  summary: "Show partitions and nodes",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sinfo", "mgpu-sinfo --gpus", 'mgpu-sinfo -N -o "%N %t %C %G"'],
  run,
};

/** What one listing is made from. */
interface Listing {
  readonly options: OptionReader;
  readonly layout: Layout;
  readonly context: CommandContext;
  readonly partitions: readonly PartitionRow[];
  /** Those that are wanted. */
  readonly nodes: readonly NodeRow[];
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("sinfo", OPTIONS, parsed, context);
  // Slurm's sinfo overlooks words that are no options; a person is better told.
  if (parsed.operands.length > 0 && !isSlurmName(context.program)) {
    throw new UserError(parsed.operands.map((word) => `Unrecognized option: ${word}`));
  }
  const isWanted = readNodeFilter(options);
  let next: TimedLayout | null = layoutNow(options, context);
  const { layout } = next;
  const { unknown, known = [] } = layout.plan;
  for (const name of unknown) context.stdio.err(`${layout.complaint(name)}\n`);
  const hint = isSlurmName(context.program) ? undefined : didYouMean(unknown, known);
  if (hint !== undefined) context.stdio.err(`${context.program}: hint: ${hint}\n`);
  checkSort(options, layout, context);
  if (isMachineForm(options)) {
    const { listParsers } = await import("../output/machine-list.ts");
    if (listParsers(options, context)) return 0;
  }
  return repeat(options, context, async () => {
    const connected = await connectAsSlurm(
      context,
      options.isGiven("reservation") ? "slurm_load_reservations" : "slurm_load_partitions",
    );
    if (connected === null) return 1;
    const { peer } = connected;
    try {
      const line = await clusterLine(peer, options, context);
      if (options.isGiven("verbose")) tellOptions(OPTIONS, parsed, context);
      if (line !== "" && !isMachineForm(options)) context.stdio.out(line);
      const timed = next ?? layoutNow(options, context);
      next = null;
      return await list(peer, timed, options, isWanted, context);
    } finally {
      peer.close();
    }
  });
}

async function list(
  peer: Peer,
  { layout, nowMs, moment }: TimedLayout,
  options: OptionReader,
  isWanted: (node: NodeRow) => boolean,
  context: CommandContext,
): Promise<number> {
  if (options.isGiven("reservation")) {
    const { listReservations } = await import("./sinfo/reservations.ts");
    return listReservations(peer, options, context, { moment, heading: heading(options, nowMs, context) ?? "" });
  }
  const [{ nodes }, { partitions }] = await Promise.all([
    peer.call("nodes.list", {}),
    peer.call("partitions.list", {}),
  ]);
  const listing = {
    ...{ options, layout, context },
    partitions: wantedPartitions(partitions, options),
    nodes: nodes.filter(isWanted),
  };
  if (isMachineForm(options)) return printDocument(listing, peer);
  const paint = painterFor(context, { isOwnFormat: layout.isOwn });
  context.stdio.out(render(layout.plan, rowsOf(listing), heading(options, nowMs, context), paint));
  return 0;
}

interface TimedLayout {
  readonly layout: Layout;
  readonly nowMs: number;
  readonly moment: MomentText;
}

/** The table's layout, with times as they read now. */
function layoutNow(options: OptionReader, context: CommandContext): TimedLayout {
  const nowMs = context.clock.now();
  const format = context.environment.SLURM_TIME_FORMAT ?? "";
  const moment = momentText(format, nowMs, (atMs) => context.utcOffsetMinutes(atMs));
  return { layout: readLayout(options, moment, context.program), nowMs, moment };
}

/** Slurm overlooks letters that order nothing; a person is told. */
function checkSort(options: OptionReader, { columns }: Layout, { program }: CommandContext): void {
  const { unknown } = parseNodeOrder(options.last("sort") ?? "", columns, []);
  if (unknown.length === 0 || isSlurmName(program)) return;
  throw new UserError([...new Set(unknown)].map((letter) => `Invalid sort specification: ${letter}`));
}

function rowsOf({ options, layout, partitions, nodes }: Listing): NodeGroup[] {
  const { plan, columns, isPerNode } = layout;
  const all = groupNodes(
    partitions,
    nodes,
    plan.fields.map(({ column }) => column),
    { isPerNode, isExact: options.isGiven("exact") },
  );
  // Which partitions a node is in says nothing of its GPUs.
  const groups = options.isGiven("gpus") ? [...new Map(all.map((one) => [one.nodes[0]?.name, one])).values()] : all;
  const order = options.last("sort");
  if (order === undefined) return groups;
  const names = partitions.map(({ name }) => name);
  return groups.sort(parseNodeOrder(order, columns, names).compare);
}

/** Rows of nodes that are alike in everything that the document tells of a row as a whole. */
async function printDocument({ options, layout, context, partitions, nodes }: Listing, peer: Peer): Promise<number> {
  const { clusterName } = await peer.call("controller.status", {});
  const { openDocument } = await import("../output/machine-list.ts");
  const { sinfoJson } = await import("../../view/sinfo-json.ts");
  const split = [..."RTEGfbwcm"].flatMap((letter) => layout.columns[letter] ?? []);
  const groups = groupNodes(partitions, nodes, split, { isPerNode: layout.isPerNode, isExact: true });
  const byName = new Map(partitions.map((partition) => [partition.name, partition]));
  const records = groups.flatMap(({ partition, nodes: members }) => {
    const row = byName.get(partition.name);
    return row ? [sinfoJson(row, members, clusterName)] : [];
  });
  const document = openDocument("sinfo", options, context, clusterName);
  context.stdio.out(document.entries(records) + document.end({}));
  return 0;
}

function render(
  plan: FormatPlan<NodeColumn>,
  groups: readonly NodeGroup[],
  before: string | null,
  paint: Painter | undefined,
): string {
  const fitted = fitToRows(plan, groups);
  const header = before === null ? "" : `${before}${renderHeader(fitted)}\n`;
  return header + groups.map((group) => `${renderRow(fitted, group, paint)}\n`).join("");
}

/** What stands before the column names; `null` if not even those are wanted. */
function heading(options: OptionReader, nowMs: number, context: CommandContext): string | null {
  if (options.isGiven("noheader")) return null;
  const isDated = options.isGiven("long") || options.isGiven("iterate") || options.isGiven("verbose");
  return isDated ? `${formatDateLine(nowMs, (atMs) => context.utcOffsetMinutes(atMs))}\n` : "";
}
