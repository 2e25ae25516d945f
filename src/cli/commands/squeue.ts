/**
 * squeue: the jobs in the queue, as Slurm prints them.
 *
 * Rows are printed as they arrive, in the controller's order: by job id, which is the order in which equal jobs
 * start. Under Slurm's own name, or with --sort, they are sorted first, by default as Slurm does (`P,t,-p`).
 * An unknown or forgotten job asked for alone is an error, among several it is left out, as in Slurm.
 */

import { configPlaces } from "../../config/config-places.ts";
import { parseMoment } from "../../core/begin-time.ts";
import type { ListForm } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import type { JobField } from "../../view/job-columns.ts";
import { toRow } from "../../view/job-table.ts";
import { clusterLine } from "../clusters.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter, type OptionReader, optionReader } from "../filters.ts";
import { lastValue } from "../getopt.ts";
import { listingView } from "../listing-view.ts";
import type { ParsedOptions } from "../option.ts";
import { expandingPrinter, type JobPrinter } from "../output/job-list.ts";
import { isMachineForm } from "../output/machine-form.ts";
import { tellOptions } from "../output/verbose.ts";
import { repeat } from "../repeat.ts";
import { documentForm, tableForm } from "./squeue/form.ts";
import { OPTIONS } from "./squeue/options.ts";
import { readSelection, type Selection } from "./squeue/selection.ts";
import { complain, jobTable } from "./squeue/tables.ts";

const UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified\n";

export const command: Command = {
  name: "squeue",
  summary: "Show the jobs in the queue",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-squeue --me", 'mgpu-squeue -t all -o "%i %j %T %r"', "mgpu-squeue -j 12,13 --json"],
  run,
};

/** All that one listing needs. */
interface Listing {
  readonly options: OptionReader;
  readonly selection: Selection;
  readonly context: CommandContext;
  readonly peer: Peer;
  readonly clusterName: string;
}

async function run(parsed: ParsedOptions, now: CommandContext): Promise<number> {
  const context = contextAt(parsed, now);
  const options = optionReader("squeue", OPTIONS, parsed, context);
  refuse(parsed);
  if (opensTui(parsed, context)) {
    const code = await context.openTui({ isDemo: false, isReadOnly: false, isAscii: false });
    // On leaving it the plain table stays on the screen.
    if (code !== 0) return code;
  }
  const selection = readSelection(options, parsed, context);
  const at = readAt(parsed, selection, now);
  if (isMachineForm(options)) {
    const { listParsers } = await import("../output/machine-list.ts");
    if (listParsers(options, context)) return 0;
  }
  await checkTable(options, selection, context);
  return repeat(options, context, async () => {
    const connected = await connectAsSlurm(
      context,
      selection.steps ? "slurm_get_job_steps error" : "slurm_load_jobs error",
    );
    if (connected === null) return 1;
    const peer = at === null ? connected.peer : (await import("../past.ts")).peerAt(connected.peer, at);
    try {
      const line = await clusterLine(peer, options, context);
      await checkNodes(peer, selection.nodes);
      if (options.isGiven("verbose")) tellOptions(OPTIONS, parsed, context);
      if (line !== "" && !isMachineForm(options)) context.stdio.out(line);
      const listing = { options, selection, context, peer, clusterName: await clusterNameOf(peer, options) };
      if (selection.steps === null) return await listJobs(listing);
      const { listSteps } = await import("./squeue/steps.ts");
      return await listSteps(listing, selection.steps);
    } finally {
      peer.close();
    }
  });
}

/** Under our own name, on a terminal, with nothing said of what is wanted; or because it is wanted. */
function opensTui({ values, operands }: ParsedOptions, context: CommandContext): boolean {
  const { program, stdio, environment } = context;
  const isTerminal = stdio.stdinIsTerminal && stdio.stdoutIsTerminal && environment.TERM !== "dumb";
  if (values.has("interactive")) {
    if (values.size > 1 || operands.length > 0) throw new UserError("--interactive takes no other options");
    if (!isTerminal) throw new UserError("--interactive needs a terminal", "without it the table is printed");
    return true;
  }
  if (isSlurmName(program) || !isTerminal || values.size > 0 || operands.length > 0) return false;
  if (environment.MGPU_TUI) return environment.MGPU_TUI !== "never";
  return configured(context) !== "never";
}

/** `tui.squeue` of the configuration; one that can't be read is told of by whoever needs it. */
function configured({ environment, files, loadConfig }: CommandContext): string {
  const isThere = configPlaces(environment).some((path) => {
    try {
      return files.stat(path).isFile;
    } catch {
      return false;
    }
  });
  const found = isThere ? loadConfig() : null;
  return found === null || "problems" in found ? "" : (found.file.texts.MGPU_TUI ?? "");
}

/** The moment of --at; `null` for now. @throws UserError for what is no moment of the past */
function readAt(parsed: ParsedOptions, { steps }: Pick<Selection, "steps">, context: CommandContext): number | null {
  const text = lastValue(parsed, "at");
  if (text === undefined) return null;
  if (steps !== null) throw new UserError("--at shows jobs, not steps");
  if (parsed.values.has("iterate")) throw new UserError("--at shows one moment: it can't be repeated with --iterate");
  return momentOf(text, context);
}

function momentOf(text: string, { clock, utcOffsetMinutes }: CommandContext): number {
  const parsed = parseMoment(text, clock.now(), (atMs) => utcOffsetMinutes(atMs), "past");
  if ("problem" in parsed) throw new UserError(`--at: ${parsed.problem}`);
  if (parsed.value > clock.now())
    throw new UserError(`--at: ${text} is still to come`, "--start tells of expected starts");
  return parsed.value;
}

/** With --at all that is counted from now is counted from then. */
function contextAt(parsed: ParsedOptions, context: CommandContext): CommandContext {
  const text = lastValue(parsed, "at");
  if (text === undefined) return context;
  const at = momentOf(text, context);
  const { clock } = context;
  return {
    ...context,
    clock: { now: () => at, monotonic: () => clock.monotonic(), after: (ms, act) => clock.after(ms, act) },
  };
}

function refuse({ values }: ParsedOptions): void {
  for (const { long, refused } of OPTIONS) {
    if (refused !== undefined && values.has(long)) throw new UserError(`--${long} is not there: ${refused}`);
  }
}

/** Says what is wrong with the format before anything is asked of the controller. */
async function checkTable(options: OptionReader, selection: Selection, context: CommandContext): Promise<void> {
  // Nothing is wrong with our own.
  if (!["format", "Format", "sort"].some((long) => options.isGiven(long))) return;
  const view = listingView(context, { isUnconverted: false, clusterName: () => "" });
  if (selection.steps === null) return complain(jobTable(options, view, context).plan, "job", context);
  const { stepTable } = await import("./squeue/tables.ts");
  complain(stepTable(options, view, context).plan, "job step", context);
}

/** Asks for the cluster's name only where it may be printed. */
async function clusterNameOf(peer: Peer, options: OptionReader): Promise<string> {
  if (!isMachineForm(options) && !/cluster/i.test(options.last("Format") ?? "")) return "";
  return (await peer.call("controller.status", {})).clusterName;
}

/** Prints the selected jobs; the exit code. */
async function listJobs(listing: Listing): Promise<number> {
  const { options, selection, context, peer } = listing;
  const { printer: plain, form } = await printerFor(listing);
  const printer = options.isGiven("array") ? expandingPrinter(plain) : plain;
  const fields: JobField[] = [...new Set<JobField>([...selection.fields, ...printer.fields])];
  const { filter, isShown, single } = selection;
  let isFound = false;
  if (filter !== null) {
    await peer.stream("jobs.list", { filter, fields, ...(form ? { form } : {}) }, ({ rows, text: written }) => {
      if (written !== undefined) {
        const before = printer.before();
        if (before !== "") context.stdio.out(before);
        return context.stdio.out(written);
      }
      isFound ||= rows.length > 0;
      const text = printer.rows(rows.map((values) => toRow(fields, values)).filter(isShown));
      if (text !== "") context.stdio.out(text);
    });
  }
  if (single !== null && !isFound && !(await isKnown(peer, single.jobId))) {
    context.stdio.err(UNKNOWN_JOB);
    return 1;
  }
  const rest = printer.end();
  if (rest !== "") context.stdio.out(rest);
  return 0;
}

/** What prints the rows, and how the controller may write them in its place. */
async function printerFor({
  options,
  context,
  clusterName,
  selection,
}: Listing): Promise<{ readonly printer: JobPrinter; readonly form: ListForm | undefined }> {
  const view = listingView(context, { isUnconverted: options.isGiven("noconvert"), clusterName: () => clusterName });
  if (!isMachineForm(options)) {
    const table = jobTable(options, view, context);
    return { printer: table.printer, form: tableForm(table, selection, options, context, view) };
  }
  const { jobDocument } = await import("../output/machine-list.ts");
  const printer = jobDocument(options, context, clusterName);
  const { separator } = printer;
  return { printer, form: separator === null ? undefined : documentForm(separator, selection, options, context, view) };
}

async function isKnown(peer: Peer, jobId: number): Promise<boolean> {
  let found = false;
  if (!Number.isSafeInteger(jobId)) return false;
  await peer.stream("jobs.list", { filter: jobFilter({ ids: [jobId] }), fields: ["id"] }, ({ rows }) => {
    found ||= rows.length > 0;
  });
  return found;
}

/** @throws UserError for nodes that no one knows */
async function checkNodes(peer: Peer, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { nodes } = await peer.call("nodes.list", {});
  const known = new Set(nodes.flatMap(({ name, inventory }) => [name, inventory.hostname]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new UserError(unknown.map((name) => `Invalid node name ${name}`));
}
