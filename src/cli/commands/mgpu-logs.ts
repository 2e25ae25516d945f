/** mgpu logs JOB...: what jobs print, from the files to which it goes, now or as it comes. */

import { parseCount } from "../../core/parse.ts";
import type { Peer } from "../../rpc/types.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type JobTarget, parseJobTarget, splitJobIds } from "../filters.ts";
import { lastValue } from "../getopt.ts";
import { createDisplay, follow, type LogOptions, type Seen } from "../logs/follow.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { loadRecords } from "../records.ts";
import { EXIT_USAGE } from "../usage.ts";

/** What a shell reports of a program that Ctrl-C ended: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const OPTIONS: readonly Option[] = [
  { long: "follow", short: "f", argument: "none", help: "go on with what comes, until the jobs end" },
  {
    ...{ long: "tail", short: "n", argument: "required", metavar: "lines" },
    help: "only the last lines of each file, and with --follow what comes after them",
  },
  { long: "head", argument: "required", metavar: "lines", help: "only the first lines of each file" },
  { long: "stdout", argument: "none", help: "leave out what goes to a file of its own for stderr" },
  { long: "stderr", argument: "none", help: "only what goes to stderr" },
];

export const command: Command = {
  name: "mgpu logs",
  summary: "Show the output of jobs that run or have ended; lines are labelled where they come from several files",
  synopsis: "[OPTIONS...] JOB[.STEP]...",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu logs 12", "mgpu logs -f -n 20 12", "mgpu logs --stderr 12_3 14.0"],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const { targets, ...asked } = readWords(parsed);
  const { peer } = await context.connect({ start: false });
  try {
    let exitCode = 0;
    const hosts = await hostsOf(peer);
    const groups = await Promise.all(targets.map(async (target) => ({ target, seen: await seenOf(peer, target) })));
    const unknown = groups.filter(({ seen }) => seen.length === 0).map(({ target }) => target.text);
    for (const text of unknown) {
      exitCode = 1;
      context.stdio.err(`${context.program}: error: Invalid job id specified: ${text}\n`);
    }
    const known = groups.filter(({ seen }) => seen.length > 0);
    const namesJobs = known.reduce((sum, { seen }) => sum + seen.length, 0) > 1 || known.some(isWholeArray);
    for (const steps of groupBySteps(known)) {
      const options = { ...asked, namesJobs, step: steps.step, targets: steps.targets };
      const code = parsed.values.has("follow")
        ? await followAll(context, peer, options, steps.seen, hosts)
        : await showAll(context, peer, options, steps.seen, hosts);
      exitCode = Math.max(exitCode, code);
    }
    return exitCode;
  } finally {
    peer.close();
  }
}

/** @throws UserError with every problem of the words */
function readWords(parsed: ParsedOptions): Pick<LogOptions, "targets" | "part" | "stdout" | "stderr"> {
  const problems: string[] = [];
  const lines = (long: string): number | null => {
    const text = lastValue(parsed, long);
    if (text === undefined) return null;
    const count = parseCount(text, 0);
    if ("value" in count) return count.value;
    problems.push(`${long === "tail" ? "-n, --tail" : `--${long}`}: ${count.problem}`);
    return null;
  };
  const part = { head: lines("head"), tail: lines("tail") };
  const has = (long: string): boolean => parsed.values.has(long);
  if (has("head") && has("tail")) problems.push("--head and --tail exclude each other");
  if (has("head") && has("follow")) problems.push("--head and --follow exclude each other");
  const texts = splitJobIds(parsed.operands).filter((text) => text !== "");
  if (texts.length === 0) problems.push("which job?");
  const targets = texts.flatMap((text) => {
    const target = parseJobTarget(text);
    if (!target) problems.push(`Invalid job id: ${text}`);
    return target ?? [];
  });
  if (problems.length > 0) throw new UserError(problems, "a job is named as 12, 12_3 or 12.0 (a step)", EXIT_USAGE);
  return { targets, part, stdout: has("stdout") || !has("stderr"), stderr: has("stderr") || !has("stdout") };
}

async function seenOf(peer: Peer, target: JobTarget): Promise<Seen[]> {
  const { records } = await loadRecords(peer, target);
  return records.map(({ job, reason, reasonText }) => ({ job, waiting: `${reason}: ${reasonText}` }));
}

async function hostsOf(peer: Peer): Promise<Map<string, string>> {
  const { nodes } = await peer.call("nodes.list", {});
  return new Map(nodes.map(({ name, inventory }) => [name, inventory.hostname.split(".")[0] ?? name]));
}

interface Group {
  readonly target: JobTarget;
  readonly seen: readonly Seen[];
}

/** More tasks of it may start. */
function isWholeArray({ target, seen }: Group): boolean {
  return target.tasks === null && seen.some(({ job }) => job.array !== null && job.array.jobId === target.jobId);
}

/** Targets that ask for the same step are shown together: as a rule all of them. */
function groupBySteps(groups: readonly Group[]) {
  const steps = [...new Set(groups.map(({ target }) => target.step))];
  return steps.map((step) => {
    const same = groups.filter(({ target }) => target.step === step);
    return { step, targets: same.map(({ target }) => target), seen: same.flatMap(({ seen }) => seen) };
  });
}

async function showAll(
  context: CommandContext,
  peer: Peer,
  options: LogOptions,
  seen: readonly Seen[],
  hosts: ReadonlyMap<string, string>,
): Promise<number> {
  const display = createDisplay(context, () => peer, options, hosts);
  await display.show(seen, false);
  display.end();
  return display.hasFailed() ? 1 : 0;
}

async function followAll(
  context: CommandContext,
  peer: Peer,
  options: LogOptions,
  seen: readonly Seen[],
  hosts: ReadonlyMap<string, string>,
): Promise<number> {
  const stop = new AbortController();
  const deafen = context.session.onSignal("SIGINT", () => stop.abort());
  try {
    const display = await follow(context, peer, options, seen, hosts, stop.signal);
    if (stop.signal.aborted) return EXIT_INTERRUPTED;
    return display.hasFailed() ? 1 : 0;
  } finally {
    deafen();
  }
}
