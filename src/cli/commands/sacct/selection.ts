/** Which jobs sacct is asked for: what the controller selects by, and what is looked at here. */

import { parseMoment } from "../../../core/begin-time.ts";
import { expand } from "../../../core/hostlist.ts";
import { parseTimeLimit } from "../../../core/time.ts";
import type { JobRow, Params } from "../../../protocol/procedures.ts";
import { formatDateLine } from "../../../view/date-line.ts";
import { parseJobStates } from "../../../view/job-states.ts";
import { moment } from "../../../view/record-text.ts";
import type { CommandContext } from "../../context.ts";
import {
  criteriaOf,
  type JobTarget,
  type OptionReader,
  parseJobTarget,
  splitJobIds,
  unknownUsers,
} from "../../filters.ts";
import { gidOf } from "../../groups.ts";

export type HistoryFilter = Params<"jobs.history">["filter"];

/** What is wanted. */
export interface Selection {
  readonly filter: HistoryFilter;
  /** Those of --jobs; empty for all. */
  readonly targets: readonly JobTarget[];
  /** What the controller's filter does not say. */
  readonly isWanted: (row: JobRow) => boolean;
  /** Those of --associations; `undefined` for all. */
  readonly associations: readonly string[] | undefined;
  /** Steps have rows of their own: no --allocations. */
  readonly hasSteps: boolean;
  /** Of --truncate. */
  readonly bounds: { readonly sinceMs: number | null; readonly untilMs: number | null };
  /** The window in words, for --verbose. */
  readonly window: string;
}

type Take = (problem: string) => void;

/** Reads the selecting options; tells every problem. */
export function readSelection(options: OptionReader, context: CommandContext, problem: Take): Selection {
  const targets = readTargets(options.texts("jobs") ?? [], problem);
  const states = readStates(options.list("state"), problem);
  const window = readWindow(options, context, targets.length > 0, states.length > 0, problem);
  const filter: HistoryFilter = {
    ids: [...criteriaOf(targets).ids],
    tasks: [...criteriaOf(targets).tasks],
    components: [...criteriaOf(targets).components],
    users: [...readUsers(options, context, targets.length > 0, problem)],
    groups: readGroups(options.list("group") ?? [], context, problem),
    states: [...states],
    names: [...(options.list("name") ?? [])],
    accounts: [...(options.list("accounts") ?? [])],
    partitions: [...(options.list("partition") ?? [])],
    nodes: readNodes(options.last("nodelist"), problem),
    qos: [...(options.list("qos") ?? [])],
    wckeys: [...(options.list("wckeys") ?? [])],
    since: window.since,
    until: window.until,
  };
  const isCut = options.isGiven("truncate");
  return {
    filter,
    targets,
    isWanted: readRest(options, problem),
    associations: options.list("associations"),
    hasSteps: !options.isGiven("allocations"),
    bounds: isCut ? { sinceMs: window.since, untilMs: window.until ?? context.clock.now() } : NO_BOUNDS,
    window: window.words,
  };
}

const NO_BOUNDS = { sinceMs: null, untilMs: null };

function readTargets(texts: readonly string[], problem: Take): JobTarget[] {
  const words = splitJobIds(texts).filter((word) => word !== "");
  return words.flatMap((word) => {
    const target = parseJobTarget(word);
    if (target === undefined) problem(`Bad job/step specified: ${word}`);
    return target === undefined ? [] : [target];
  });
}

function readStates(names: readonly string[] | undefined, problem: Take): readonly string[] {
  const wrong = (names ?? []).filter((name) => parseJobStates([name]).problems.length > 0);
  for (const name of wrong) problem(`unrecognized job state value '${name}'`);
  return wrong.length > 0 ? [] : parseJobStates(names ?? []).states;
}

interface Window {
  readonly since: number | null;
  readonly until: number | null;
  readonly words: string;
}

/** The manual's "Default time window". An end that is now is none: what comes meanwhile belongs to it. */
function readWindow(
  options: OptionReader,
  context: CommandContext,
  hasJobs: boolean,
  hasStates: boolean,
  problem: Take,
): Window {
  const nowMs = context.clock.now();
  const zone = (atMs: number): number => context.utcOffsetMinutes(atMs);
  const read = (name: string): number | null => {
    const text = options.last(name);
    if (text === undefined) return null;
    const parsed = parseMoment(text, nowMs, zone, "past");
    if ("value" in parsed) return parsed.value;
    problem(`Invalid time specification (pos=0): ${text}`);
    return null;
  };
  const [start, end] = [read("starttime"), read("endtime")];
  const midnight = parseMoment("midnight", nowMs, zone, "past");
  const ownStart = hasJobs ? null : hasStates || !("value" in midnight) ? nowMs : midnight.value;
  const since = start ?? ownStart;
  const until = end ?? (hasStates ? start : null);
  const time = { nowMs, utcOffset: zone };
  if (since !== null && since > (until ?? nowMs)) {
    const last = moment(until ?? nowMs, time);
    problem(`Start time (${moment(since, time)}) requested is after end time (${last}).`);
  }
  const words = `from ${since === null ? "Epoch 0" : formatDateLine(since, zone)} to ${formatDateLine(until ?? nowMs, zone)}`;
  // Ends are kept in milliseconds, moments of users are whole seconds.
  return { since, until: until === null ? null : until + 999, words };
}

function readUsers(options: OptionReader, context: CommandContext, hasJobs: boolean, problem: Take): readonly string[] {
  const users = options.list("user");
  if (users === undefined) {
    const isForAll = options.isGiven("allusers") || hasJobs || context.user.uid === 0;
    return isForAll ? [] : [String(context.user.uid)];
  }
  for (const name of unknownUsers(users, context)) problem(`Invalid user id: ${name}`);
  return users;
}

function readGroups(names: readonly string[], context: CommandContext, problem: Take): number[] {
  return names.flatMap((name) => {
    const gid = gidOf(name, context);
    if (gid === undefined) problem(`Invalid group id: ${name}`);
    return gid === undefined ? [] : [gid];
  });
}

function readNodes(text: string | undefined, problem: Take): string[] {
  if (text === undefined) return [];
  const nodes = expand(text);
  if (nodes === undefined) problem(`Invalid hostlist: ${text}`);
  return nodes ?? [];
}

const FLAGS = ["schedsubmit", "schedmain", "schedbackfill"];

/** Criteria that only few ask for. */
function readRest(options: OptionReader, problem: Take): (row: JobRow) => boolean {
  const tests: ((row: JobRow) => boolean)[] = [];
  const add = <T>(value: T | undefined, test: (value: T, row: JobRow) => boolean): void => {
    if (value !== undefined) tests.push((row) => test(value, row));
  };
  const range = (name: string, what: string): readonly [number, number] | undefined => {
    const text = options.last(name);
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text ?? "");
    if (text !== undefined && !match) problem(`Invalid numeric value "${text}" for requested ${what} range.`);
    return match ? [Number(match[1]), Number(match[2] ?? match[1])] : undefined;
  };
  add(range("nnodes", "node"), ([min, max], { nodes }) => nodes >= min && nodes <= max);
  add(range("ncpus", "cpu"), ([min, max], { cpus }) => cpus >= min && cpus <= max);
  const least = readLimit(options.last("timelimit-min"), problem);
  const most = readLimit(options.last("timelimit-max"), problem);
  add(least, (min, { limitS }) => (most === undefined ? limitS === min : limitS >= min && limitS <= most));
  add(options.list("constraints"), (all, { features }) =>
    all.every((one) => features.split(/[^\w.:-]+/).includes(one)),
  );
  add(options.list("reason"), (some, { reason }) => some.some((one) => one.toLowerCase() === reason.toLowerCase()));
  const flags = options.list("flags");
  for (const word of flags ?? []) if (!FLAGS.includes(word.toLowerCase())) problem(`Invalid job flag ${word}`);
  add(flags, (some, { startAt }) => startAt !== null && some.some((one) => one.toLowerCase() === "schedmain"));
  return (row) => tests.every((test) => test(row));
}

function readLimit(text: string | undefined, problem: Take): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseTimeLimit(text);
  if ("value" in parsed) return parsed.value;
  problem("Invalid time limit specification");
  return undefined;
}
