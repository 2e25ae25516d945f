/** How sinfo's table looks: its format, its columns, and whether nodes stand one by one. */

import { expandAll } from "../../../view/job-columns.ts";
import {
  GPU_COLUMNS,
  GPU_FORMAT,
  SINFO_FORMAT,
  SINFO_FORMAT_LONG,
  SINFO_FORMAT_NODE,
  SINFO_FORMAT_NODE_LONG,
  SINFO_FORMAT_REASONS,
  SINFO_FORMAT_REASONS_LONG,
  SINFO_FORMAT_SUMMARY,
  sinfoColumns,
  sinfoFields,
} from "../../../view/node-columns.ts";
import type { NodeColumn } from "../../../view/node-groups.ts";
import { type FormatPlan, parseFieldList, parseFormat } from "../../../view/printf.ts";
import type { MomentText } from "../../../view/time-format.ts";
import { UserError } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";

export interface Layout {
  readonly plan: FormatPlan<NodeColumn>;
  /** By letter: for --sort. */
  readonly columns: Readonly<Record<string, NodeColumn>>;
  readonly isPerNode: boolean;
  /** Whether nobody asked for a format. */
  readonly isOwn: boolean;
  /** What is said of a name that is no column. */
  complaint(name: string): string;
}

const EXCLUSIVE = "Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.";

/** @throws UserError for options that exclude each other */
export function readLayout(options: OptionReader, moment: MomentText, program: string): Layout {
  const columns = sinfoColumns(moment);
  const isPerNode = options.isGiven("Node");
  const [letters, fields] = [options.isTyped("format"), options.isTyped("Format")];
  const letterComplaint = (letter: string): string => `Invalid node format specification: ${letter}`;
  if (options.isGiven("gpus")) {
    if (letters || fields) throw new UserError("--gpus has a format of its own; leave out --format");
    const plan = parseFormat(GPU_FORMAT, GPU_COLUMNS, { mayGrow: true });
    return { plan, columns: GPU_COLUMNS, isPerNode: true, isOwn: true, complaint: letterComplaint };
  }
  if ((letters || fields) && options.isGiven("long")) throw new UserError(EXCLUSIVE);
  if (fields) {
    // As in Slurm, of both forms this one holds.
    const text = options.last("Format") ?? "";
    const complaint = (name: string): string => `${program}: error: Invalid job format specification: ${name}`;
    const isAll = text.toLowerCase() === "all";
    const plan = isAll ? parseFormat(expandAll("%all", columns), columns) : parseFieldList(text, sinfoFields(moment));
    return { plan, columns, isPerNode, isOwn: false, complaint };
  }
  // The variable replaces the usual formats, but not the ones that -N, -s and -R ask for, as in Slurm.
  const hasOwn = isPerNode || options.isGiven("summarize") || options.isGiven("list-reasons");
  const isOwn = !letters && (hasOwn || !options.isGiven("format"));
  const text = isOwn ? ownFormat(options) : (options.last("format") ?? "");
  const plan = parseFormat(expandAll(text, columns), columns, { mayGrow: isOwn });
  return { plan, columns, isPerNode, isOwn, complaint: letterComplaint };
}

function ownFormat(options: OptionReader): string {
  const isLong = options.isGiven("long");
  if (options.isGiven("list-reasons")) return isLong ? SINFO_FORMAT_REASONS_LONG : SINFO_FORMAT_REASONS;
  if (options.isGiven("summarize")) return SINFO_FORMAT_SUMMARY;
  if (options.isGiven("Node")) return isLong ? SINFO_FORMAT_NODE_LONG : SINFO_FORMAT_NODE;
  return isLong ? SINFO_FORMAT_LONG : SINFO_FORMAT;
}
