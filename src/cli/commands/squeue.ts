/**
 * squeue: the jobs in the queue, as Slurm prints them.
 *
 * Rows are printed as they arrive, in the controller's order: by job id, which is the order in which equal jobs
 * start. Under Slurm's own name, or with --sort, they are sorted first, by default as Slurm does (`P,t,-p`).
 * An unknown or forgotten job asked for alone is an error, among several it is left out, as in Slurm.
 */

import type { JobFilter, JobRow } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { formatDateLine } from "../../view/date-line.ts";
import {
  expandAll,
  type JobColumn,
  type JobField,
  jobColumns,
  SQUEUE_FORMAT,
  SQUEUE_FORMAT_LONG,
} from "../../view/job-columns.ts";
import { LIVE_STATES, parseJobStates } from "../../view/job-states.ts";
import { parseFormat } from "../../view/printf.ts";
import { parseSort, type SortKey } from "../../view/sort.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import {
  criteriaOf,
  type JobTarget,
  jobFilter,
  type OptionReader,
  optionReader,
  parseJobTarget,
  splitJobIds,
  unknownUsers,
} from "../filters.ts";

import type { Option, ParsedOptions } from "../option.ts";
import {
  expandingPrinter,
  headerLine,
  type JobPrinter,
  jsonPrinter,
  sortingPrinter,
  tablePrinter,
} from "../output/job-list.ts";

const OPTIONS: readonly Option[] = [
  {
    long: "all",
    short: "a",
    argument: "none",
    help: "show jobs of all partitions; no partition of mgpu is hidden, so this changes nothing",
    variables: { squeue: "SQUEUE_ALL" },
  },
  {
    long: "array",
    short: "r",
    argument: "none",
    help: "one line for each task of an array; tasks that wait together have one line if not given",
    variables: { squeue: "SQUEUE_ARRAY" },
  },
  {
    long: "format",
    short: "o",
    argument: "required",
    metavar: "format",
    help: 'what to print: %[.][width]letter and text between, for instance "%.18i %j %T"',
    variables: { squeue: "SQUEUE_FORMAT" },
  },
  { long: "jobs", short: "j", argument: "optional", metavar: "ids", help: "only these jobs; separate ids by commas" },
  { long: "json", argument: "none", help: "print JSON in the shape of Slurm 23.11" },
  { long: "long", short: "l", argument: "none", help: "print long state names and time limits too" },
  { long: "me", argument: "none", help: "only my own jobs" },
  {
    long: "name",
    short: "n",
    argument: "required",
    metavar: "names",
    help: "only jobs with these names",
    variables: { squeue: "SQUEUE_NAMES" },
  },
  { long: "noheader", short: "h", argument: "none", help: "print no line of column names" },
  {
    long: "partition",
    short: "p",
    argument: "required",
    metavar: "partitions",
    help: "only jobs in these partitions",
    variables: { squeue: "SQUEUE_PARTITION" },
  },
  {
    long: "sort",
    short: "S",
    argument: "required",
    metavar: "letters",
    help: "order by these letters of --format, each with - for descending order; by job id if not given",
    variables: { squeue: "SQUEUE_SORT" },
  },
  {
    long: "states",
    short: "t",
    argument: "required",
    metavar: "states",
    help: "only jobs in these states, by long or short name, or all; jobs that are not over if not given",
    variables: { squeue: "SQUEUE_STATES" },
  },
  {
    long: "user",
    aliases: ["users"],
    short: "u",
    argument: "required",
    metavar: "users",
    help: "only jobs of these users, by name or number",
    variables: { squeue: "SQUEUE_USERS" },
  },
];

const DEFAULT_SORT = "P,t,-p";
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

/** Which jobs were asked for. */
interface Selection {
  /** `null` if nothing can match: only jobs were named that can't exist. */
  readonly filter: JobFilter | null;
  /** Long state names; `null` for all. */
  readonly states: ReadonlySet<string> | null;
  /** Set if one single job was named. */
  readonly single: JobTarget | null;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("squeue", OPTIONS, parsed, context);
  const selection = readSelection(options, parsed, context);
  const table = readTable(options, context);
  const connected = await connectAsSlurm(context, "slurm_load_jobs error");
  if (connected === null) return 1;
  const { peer } = connected;
  try {
    const plain = options.isGiven("json") ? await jsonFor(peer, context) : table;
    const printer = options.isGiven("array") ? expandingPrinter(plain) : plain;
    return await list(peer, selection, printer, context);
  } finally {
    peer.close();
  }
}

/** Prints the selected jobs; the exit code. */
async function list(
  peer: Peer,
  { filter, states, single }: Selection,
  printer: JobPrinter,
  { stdio }: CommandContext,
): Promise<number> {
  const fields: JobField[] = [...new Set<JobField>(["state", ...printer.fields])];
  let isFound = false;
  if (filter !== null) {
    await peer.stream("jobs.list", { filter, fields }, ({ rows }) => {
      isFound ||= rows.length > 0;
      const chosen = rows.map((values) => toRow(fields, values)).filter(({ state }) => !states || states.has(state));
      const text = printer.rows(chosen);
      if (text !== "") stdio.out(text);
    });
  }
  if (single !== null && !isFound && !(await isKnown(peer, single.jobId))) {
    stdio.err(UNKNOWN_JOB);
    return 1;
  }
  const rest = printer.end();
  if (rest !== "") stdio.out(rest);
  return 0;
}

/** The row with the asked fields; nobody reads the others, whose absence the columns' types guarantee. */
function toRow(fields: readonly JobField[], values: readonly unknown[]): JobRow {
  const row: Record<string, unknown> = {};
  for (const [index, field] of fields.entries()) row[field] = values[index];
  return row as JobRow;
}

async function isKnown(peer: Peer, jobId: number): Promise<boolean> {
  let found = false;
  if (!Number.isSafeInteger(jobId)) return false;
  await peer.stream("jobs.list", { filter: jobFilter({ ids: [jobId] }), fields: ["id"] }, ({ rows }) => {
    found ||= rows.length > 0;
  });
  return found;
}

function readSelection(options: OptionReader, parsed: ParsedOptions, context: CommandContext): Selection {
  const problems: string[] = [];
  const users = options.isGiven("me") ? [String(context.user.uid)] : (options.list("user") ?? []);
  problems.push(...unknownUsers(users, context).map((name) => `Invalid user: ${name}`));
  const targets = readTargets(parsed, problems);
  const stateNames = options.list("states");
  const choice = stateNames ? parseJobStates(stateNames) : { states: LIVE_STATES, problems: [] };
  problems.push(...choice.problems);
  if (problems.length > 0) throw new UserError(problems);
  const criteria = {
    ...criteriaOf(targets ?? []),
    users,
    states: choice.states,
    names: options.list("name") ?? [],
    partitions: options.list("partition") ?? [],
  };
  return {
    filter: targets?.length === 0 ? null : jobFilter(criteria),
    states: choice.states.length > 0 ? new Set(choice.states) : null,
    single: targets?.length === 1 ? (targets[0] ?? null) : null,
  };
}

/**
 * The jobs named by --jobs; `undefined` if none were. Its value is optional, so getopt takes only an attached one:
 * for each `-j` without, the next operand is the list, as in Slurm.
 */
function readTargets(parsed: ParsedOptions, problems: string[]): JobTarget[] | undefined {
  const texts = parsed.values.get("jobs") ?? [];
  const attached = texts.filter((text) => text !== "");
  const detached = parsed.operands.slice(0, texts.length - attached.length);
  const extra = parsed.operands.slice(detached.length);
  problems.push(...extra.map((word) => `Unrecognized option: ${word}`));
  if (attached.length + detached.length === 0) return undefined;
  const targets: JobTarget[] = [];
  for (const word of splitJobIds([...attached, ...detached])) {
    const target = parseJobTarget(word);
    if (target) targets.push(target);
    else if (word !== "") problems.push(`Invalid job id: ${word}`);
  }
  return targets;
}

function readTable(options: OptionReader, context: CommandContext): JobPrinter {
  const { clock, stdio, program } = context;
  const utcOffset = (atMs: number): number => context.utcOffsetMinutes(atMs);
  const nowMs = clock.now();
  const columns = jobColumns({ nowMs, utcOffset });
  const isLong = options.isGiven("long");
  const plan = parseFormat(expandAll(readFormat(options, isLong), columns), columns);
  // Slurm prints what it can't read as it stands, and goes on.
  for (const letter of plan.unknown) stdio.err(`${program}: error: Invalid job format specification: ${letter}\n`);
  const date = isLong ? `${formatDateLine(nowMs, utcOffset)}\n` : "";
  const printer = tablePrinter(plan, options.isGiven("noheader") ? "" : date + headerLine(plan));
  const keys = readSort(options.last("sort") ?? (isSlurmName(program) ? DEFAULT_SORT : ""), columns);
  return keys.length > 0 ? sortingPrinter(printer, keys) : printer;
}

function readFormat(options: OptionReader, isLong: boolean): string {
  if (!isLong) return options.last("format") ?? SQUEUE_FORMAT;
  // A format of the environment gives way to -l, a typed one contradicts it.
  if (options.isTyped("format")) {
    throw new UserError("Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.");
  }
  return SQUEUE_FORMAT_LONG;
}

function readSort(text: string, columns: Readonly<Record<string, JobColumn>>): readonly SortKey<JobColumn>[] {
  const { keys, unknown } = parseSort(text, columns);
  if (unknown.length > 0)
    throw new UserError([...new Set(unknown)].map((letter) => `Invalid sort specification: ${letter}`));
  return keys;
}

async function jsonFor(peer: Peer, { user }: CommandContext): Promise<JobPrinter> {
  const { clusterName } = await peer.call("controller.status", {});
  return jsonPrinter({ clusterName, user: user.name });
}
