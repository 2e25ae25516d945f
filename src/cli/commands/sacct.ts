/**
 * sacct: jobs and steps of the past and the present, as Slurm's accounting prints them.
 *
 * Records come in the order in which jobs ended, those that are not over last. Their texts are made as they come, and
 * put in the order of the jobs' numbers as long as they are few; of more, they leave as they come: memory stays flat.
 */

import type { HistoryRecord } from "../../core/history.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { SACCT_FIELDS, SACCT_FORMAT, SACCT_FORMAT_BRIEF, SACCT_FORMAT_LONG } from "../../view/accounting/fields.ts";
import { chooseFields, namesText } from "../../view/accounting/table.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type OptionReader, optionReader } from "../filters.ts";
import type { ParsedOptions } from "../option.ts";
import { fieldHint } from "../usage.ts";
import { SACCT_OPTIONS } from "./sacct/options.ts";
import { type AcctPrinter, readPolicyIds, readTable, readUnits } from "./sacct/print.ts";
import { readSelection, type Selection } from "./sacct/selection.ts";

export const command: Command = {
  name: "sacct",
  summary: "Show jobs and steps of the past and the present, and what they used",
  synopsis: "[OPTIONS...]",
  options: SACCT_OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-sacct",
    "mgpu-sacct -j 12 -o jobid,state,elapsed,totalcpu,maxrss,reqmem",
    "mgpu-sacct -S now-7days -s FAILED,TIMEOUT -E now -X",
    "mgpu-sacct -P -n -j 12.batch -o state,exitcode",
  ],
  run,
};

/** What is put in order: so many texts, and characters in all of them. */
const SORTED_MAX = 20_000;
const SORTED_CHARACTERS_MAX = 4_000_000;

/** Texts that leave together: some ten thousand characters, of which few copies lie about. */
const PIECES_A_WRITE = 50;

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  if (parsed.operands.length > 0) {
    throw new UserError(["Unknown arguments:", ...parsed.operands.map((word) => ` ${word}`)]);
  }
  const options = optionReader("sacct", SACCT_OPTIONS, parsed, context);
  if (options.isGiven("helpformat")) {
    context.stdio.out(namesText(SACCT_FIELDS));
    return 0;
  }
  if (options.isGiven("json") || options.isGiven("yaml")) {
    const { listParsers } = await import("../output/machine-list.ts");
    if (listParsers(options, context)) return 0;
  }
  const problems = SACCT_OPTIONS.flatMap(({ long, refused }) => (refused && options.isGiven(long) ? [refused] : []));
  const selection = readSelection(options, context, (problem) => problems.push(problem));
  const units = readUnits(options, (problem) => problems.push(problem));
  const { fields, unknown } = chooseFields(readFormat(options), SACCT_FIELDS);
  problems.push(...unknown.map((name) => `Invalid field requested: "${name}"`));
  const isFileWanted = options.isGiven("batch-script") || options.isGiven("env-vars");
  if (isFileWanted && selection.targets.length === 0) problems.push(NO_JOBS);
  if (problems.length > 0)
    throw new UserError(problems, unknown.length > 0 ? fieldHint(unknown, SACCT_FIELDS) : undefined);
  if (options.isGiven("verbose"))
    context.stdio.err(`${context.program}: Jobs Eligible in the time window ${selection.window}\n`);
  const connected = await connectAsSlurm(context, context.program);
  if (connected === null) return 1;
  const { peer } = connected;
  try {
    await checkClusters(peer, options.last("clusters"));
    if (isFileWanted) {
      const { printFiles } = await import("./sacct/files.ts");
      return await printFiles(peer, context, selection, options.isGiven("env-vars"));
    }
    const { clusterName } = await peer.call("controller.status", {});
    const { associations } = selection;
    const isNeeded = associations !== undefined || fields.some(({ name }) => name === "AssocID" || name === "QOSRAW");
    const ids = await readPolicyIds(peer, isNeeded);
    const printer = await readPrinter(options, context, { fields, units, clusterName, ...ids });
    const isWanted = (row: JobRow): boolean =>
      selection.isWanted(row) && (associations === undefined || associations.includes(String(ids.associationId(row))));
    await stream(peer, options, { ...selection, isWanted }, printer, context);
    return 0;
  } finally {
    peer.close();
  }
}
const NO_JOBS = "When requesting job scripts you must also request specific jobs with the '-j' option.";

function readFormat(options: OptionReader): string {
  if (options.isTyped("format")) return (options.texts("format") ?? []).join(",");
  if (options.isGiven("long")) return SACCT_FORMAT_LONG;
  return options.isGiven("brief") ? SACCT_FORMAT_BRIEF : (options.last("format") ?? SACCT_FORMAT);
}

async function readPrinter(
  options: OptionReader,
  context: CommandContext,
  table: Parameters<typeof readTable>[2],
): Promise<AcctPrinter> {
  if (!options.isGiven("json") && !options.isGiven("yaml")) return readTable(options, context, table);
  const { documentPrinter } = await import("./sacct/document.ts");
  return documentPrinter(options, context, table.clusterName);
}

/** Prints records as they come, or in order where there are not too many. */
async function stream(
  peer: Peer,
  options: OptionReader,
  selection: Selection,
  printer: AcctPrinter,
  { stdio }: CommandContext,
): Promise<void> {
  let kept: Kept[] | null = [];
  let characters = 0;
  const print = (pieces: readonly string[]): void => {
    for (let at = 0; at < pieces.length; at += PIECES_A_WRITE) {
      stdio.out(printer.join(pieces.slice(at, at + PIECES_A_WRITE)));
    }
  };
  const steps = !options.isGiven("allocations");
  const params = { filter: selection.filter, duplicates: options.isGiven("duplicates"), steps };
  const { damaged } = await peer.stream("jobs.history", params, ({ records }) => {
    if (kept === null) return print(records.flatMap((record) => printer.pieces(record, selection)));
    for (const record of records) {
      const key = sortKey(record);
      for (const text of printer.pieces(record, selection)) {
        kept.push({ key, text });
        characters += text.length;
      }
    }
    if (kept.length <= SORTED_MAX && characters <= SORTED_CHARACTERS_MAX) return;
    print(kept.map(({ text }) => text));
    kept = null;
  });
  if (kept) print(kept.sort(byKey).map(({ text }) => text));
  const rest = printer.end();
  if (rest !== "") stdio.out(rest);
  if (damaged > 0) stdio.err(`sacct: warning: ${damaged} lines of the accounting files can't be read\n`);
}

/** A record's text, which waits for its place. */
interface Kept {
  readonly key: readonly number[];
  readonly text: string;
}

/** Tasks of an array and components stand together; earlier starts come first. */
function sortKey(record: HistoryRecord): number[] {
  const { array, id, submitAt, attempt } = record.job;
  return [base(record), array?.tasks[0]?.first ?? 0, id, submitAt, attempt];
}

function byKey({ key: a }: Kept, { key: b }: Kept): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function base({ job }: HistoryRecord): number {
  return job.array?.jobId ?? job.id - (job.spec.het?.offset ?? 0);
}
