/**
 * What the commands that look at jobs and steer them have in common: where an option's texts come from, lists, and
 * job ids as users write them.
 */

import { parseStepIdSpec, type TaskSet } from "../core/array-spec.ts";
import type { JobFilter } from "../protocol/procedures.ts";
import type { CommandContext } from "./context.ts";
import type { Option, ParsedOptions, VariableOwner } from "./option.ts";

/** Reads options of one command: the command line first, then the option's variable. */
export interface OptionReader {
  /** Each text that was given, or `undefined`. */
  texts(long: string): readonly string[] | undefined;
  /** The last text that was given, or `undefined`. */
  last(long: string): string | undefined;
  isGiven(long: string): boolean;
  /** Whether it stands on the command line itself. */
  isTyped(long: string): boolean;
  /** Members of a comma-separated list; `undefined` if it was not given. */
  list(long: string): readonly string[] | undefined;
}

/** A reader for the options in `options`. A flag's variable counts whatever its value, as Slurm's do. */
export function optionReader(
  owner: VariableOwner,
  options: readonly Option[],
  parsed: ParsedOptions,
  { environment }: Pick<CommandContext, "environment">,
): OptionReader {
  const texts = (long: string): readonly string[] | undefined => {
    const typed = parsed.values.get(long);
    if (typed !== undefined) return typed;
    const variable = options.find((option) => option.long === long)?.variables?.[owner];
    const text = variable === undefined ? undefined : environment[variable];
    return text === undefined || text === "" ? undefined : [text];
  };
  return {
    texts,
    last: (long) => texts(long)?.at(-1),
    isGiven: (long) => texts(long) !== undefined,
    isTyped: (long) => parsed.values.has(long),
    list: (long) => {
      const given = texts(long);
      return given === undefined ? undefined : splitLists(given);
    },
  };
}

/**
 * Members of comma-separated lists. An empty list has the empty name as its only member, which nothing has: whoever
 * writes `-u "$WHO"` with an empty variable wants nobody's jobs, not everybody's.
 */
function splitLists(texts: readonly string[]): string[] {
  const members = texts.flatMap((text) => text.split(",")).filter((member) => member !== "");
  return members.length > 0 ? members : [""];
}

/** A filter that selects all jobs, with some criteria replaced. */
export function jobFilter(
  criteria: {
    readonly [K in keyof JobFilter]?: readonly NonNullable<JobFilter[K]>[number][];
  },
): JobFilter {
  const { ids = [], users = [], states = [], names = [], partitions = [], ...further } = criteria;
  const all = { ids: [...ids], users: [...users], states: [...states], names: [...names], partitions: [...partitions] };
  const given = Object.entries(further).filter(([, list]) => list !== undefined && list.length > 0);
  return { ...all, ...Object.fromEntries(given.map(([key, list]) => [key, [...(list ?? [])]])) };
}

/** Those names in a list of users that nobody has; numbers are uids, known or not. */
export function unknownUsers(
  names: readonly string[],
  { user, files }: Pick<CommandContext, "user" | "files">,
): string[] {
  return names.filter((name) => name !== "" && !/^\d+$/.test(name) && name !== user.name && !files.isUser(name));
}

/** A job, tasks of an array, or a step of either. */
export interface JobTarget {
  /** As the user wrote it. */
  readonly text: string;
  readonly jobId: number;
  /** Of an array: these tasks only; `null` for the job or all tasks of the array. */
  readonly tasks: TaskSet | null;
  /** Of a heterogeneous job: the position of this component, whose own number `jobId` is; absent for all of it. */
  readonly het?: number;
  /** `null` for the job itself. */
  readonly step: number | "batch" | "extern" | "interactive" | null;
  /** A number in it is beyond all that jobs and steps can have. */
  readonly cannotExist: boolean;
}

/** Digits beyond those that the grammar of ids reads: Slurm takes any number, and one that large names nothing. */
const TOO_LONG = /^([1-9]\d{14})\d+|(\.\d{9})\d+$/g;

/** Members of lists of job ids: a comma within the brackets of array tasks separates tasks, not jobs. */
export function splitJobIds(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(/,(?![^[]*\])/));
}

/** Reads `12`, `12.0`, `12_3`, `12_[1-3]`, `12_3.batch` or `12+1`; `undefined` for anything else. */
export function parseJobTarget(text: string): JobTarget | undefined {
  const short = text.replace(TOO_LONG, "$1$2");
  const parsed = parseStepIdSpec(short);
  if ("problem" in parsed) return undefined;
  const { jobId, tasks, het, step } = parsed.value;
  // The components of a heterogeneous job have numbers in a row.
  const target = { text, jobId: jobId + (het ?? 0), tasks, step, cannotExist: short !== text };
  return het === null ? target : { ...target, het };
}

/** The criteria by which a filter finds some targets, whatever their steps. */
export function criteriaOf(targets: readonly Pick<JobTarget, "jobId" | "tasks" | "het">[]): {
  readonly ids: readonly number[];
  readonly tasks: NonNullable<JobFilter["tasks"]>;
  readonly components: NonNullable<JobFilter["components"]>;
} {
  return {
    ids: targets.filter(({ tasks, het }) => tasks === null && het === undefined).map(({ jobId }) => jobId),
    tasks: targets.flatMap(({ jobId, tasks }) => (tasks === null ? [] : [{ jobId, tasks }])),
    components: targets.flatMap(({ jobId, het }) => (het === undefined ? [] : [{ jobId: jobId - het, offset: het }])),
  };
}
