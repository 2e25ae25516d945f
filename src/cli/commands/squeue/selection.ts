/** Which jobs and steps squeue is asked for. */

import { expand } from "../../../core/hostlist.ts";
import type { JobFilter, JobRow } from "../../../protocol/procedures.ts";
import { LIVE_STATES, parseJobStates, shownTest } from "../../../view/job-states.ts";
import type { StepRow } from "../../../view/step-row.ts";
import { isSlurmName } from "../../connect.ts";
import { type CommandContext, UserError } from "../../context.ts";
import {
  criteriaOf,
  type JobTarget,
  jobFilter,
  type OptionReader,
  parseJobTarget,
  splitJobIds,
  unknownUsers,
} from "../../filters.ts";
import type { ParsedOptions } from "../../option.ts";

/** What was asked for. */
export interface Selection {
  /** `null` if nothing can match: only jobs were named that can't exist. */
  readonly filter: JobFilter | null;
  /** What {@link Selection.isShown} looks at. */
  readonly fields: readonly ("state" | "uid")[];
  /** Whether a job of the filter is to be shown: what the controller can't tell apart. */
  isShown(row: Pick<JobRow, "state" | "uid">): boolean;
  /** The same in data: only these states, all if empty; none of this user's. */
  readonly shown: { readonly states: readonly string[]; readonly notUid: number | null };
  /** Set if one single job was named. */
  readonly single: JobTarget | null;
  /** Nodes that must exist, by --nodelist. */
  readonly nodes: readonly string[];
  /** Whether a step is to be shown; `null` where jobs are listed. */
  readonly steps: ((row: StepRow) => boolean) | null;
}

/**
 * Reads the selection. Under Slurm's names an unknown user is told of and nobody's, as in Slurm.
 * @throws UserError with everything that is wrong
 */
export function readSelection(options: OptionReader, parsed: ParsedOptions, context: CommandContext): Selection {
  const problems: string[] = [];
  const users = readUsers(options, context, problems);
  const targets = readTargets(parsed, problems, isSlurmName(context.program));
  const isSteps = options.isGiven("steps");
  const stateNames = options.list("states") ?? (options.isGiven("start") ? ["PENDING"] : undefined);
  const choice = stateNames ? parseJobStates(stateNames) : { states: LIVE_STATES, problems: [] };
  problems.push(...choice.problems);
  const nodes = readNodes(options, context, problems);
  if (problems.length > 0) throw new UserError(inSlurmsManner(problems, context));
  const named = isSteps ? [...targets.jobs, ...targets.steps] : targets.jobs;
  const criteria = {
    ...criteriaOf(named),
    users,
    // A job that starts or ends between two looks still has steps.
    states: isSteps ? ["RUNNING", "SUSPENDED", "COMPLETING"] : choice.states,
    names: isSteps ? [] : (options.list("name") ?? []),
    partitions: options.list("partition") ?? [],
    accounts: options.list("account") ?? [],
    qos: options.list("qos") ?? [],
    reservations: options.list("reservation") ?? [],
    licenses: options.list("licenses") ?? [],
    nodes,
  };
  const shown = { states: choice.states, notUid: options.isGiven("notme") ? context.user.uid : null };
  return {
    filter: targets.isGiven && named.length === 0 ? null : jobFilter(criteria),
    fields: shown.notUid === null ? ["state"] : ["state", "uid"],
    isShown: shownTest(shown),
    shown,
    single: !isSteps && targets.jobs.length === 1 ? (targets.jobs[0] ?? null) : null,
    nodes,
    steps: isSteps ? stepTest(targets, options) : null,
  };
}

/** Slurm's messages of states end with a line feed of their own, and so with an empty line. */
function inSlurmsManner(problems: readonly string[], { program }: CommandContext): readonly string[] {
  if (!isSlurmName(program)) return problems;
  return problems.map((text) => (text.startsWith("Valid job states include") ? `${text}\n` : text));
}

function readUsers(options: OptionReader, context: CommandContext, problems: string[]): readonly string[] {
  if (options.isGiven("me")) return [String(context.user.uid)];
  const users = options.list("user") ?? [];
  const unknown = unknownUsers(users, context).map((name) => `Invalid user: ${name}`);
  if (!isSlurmName(context.program)) problems.push(...unknown);
  else for (const text of unknown) context.stdio.err(`${context.program}: error: ${text}\n\n`);
  return users;
}

/** Node names; `localhost` is this machine. */
function readNodes(options: OptionReader, { hostname }: CommandContext, problems: string[]): readonly string[] {
  const texts = options.texts("nodelist");
  if (texts === undefined) return [];
  const names = expand(texts.join(","));
  if (names !== undefined) return names.map((name) => (name === "localhost" ? hostname : name));
  problems.push(`Invalid node name ${texts.join(",")}`);
  return [];
}

/** Jobs and steps that were named. */
interface Targets {
  readonly isGiven: boolean;
  readonly jobs: readonly JobTarget[];
  readonly steps: readonly JobTarget[];
}

/**
 * What --jobs and --steps name. Their values are optional, so getopt takes only attached ones: for each `-j` and `-s`
 * without, the next operand is the list, as in Slurm.
 */
function readTargets({ values, operands }: ParsedOptions, problems: string[], isSlurm: boolean): Targets {
  const left = [...operands];
  const listOf = (long: string): string[] | undefined => {
    const texts = values.get(long);
    if (texts === undefined) return undefined;
    const lists = texts.flatMap((text) => text || (left.shift() ?? []));
    return lists.length === 0 ? undefined : splitJobIds(lists).filter((word) => word !== "");
  };
  const read = (words: readonly string[], complaint: (word: string) => string, needs = /^/): JobTarget[] =>
    words.flatMap((word) => {
      const target = needs.test(word) ? parseJobTarget(word) : undefined;
      if (target === undefined) problems.push(complaint(word));
      return target ?? [];
    });
  // Those come first which were typed first.
  const [jobs, steps] = ["jobs", "steps"].map(listOf);
  problems.push(...left.map((word) => `Unrecognized option: ${word}`));
  return {
    isGiven: jobs !== undefined || steps !== undefined,
    jobs: read(jobs ?? [], (word) => `Invalid job id: ${word}`),
    // Slurm takes no job for its steps.
    steps: isSlurm
      ? read(steps ?? [], (word) => `Invalid job_step id: ${word}.??`, /\./)
      : read(steps ?? [], (word) => `Invalid job_step id: ${word}`),
  };
}

/** Whether a step is one of those named, or no step was. */
function stepTest({ jobs, steps }: Targets, options: OptionReader): (row: StepRow) => boolean {
  const names = options.list("name");
  const wanted = (row: StepRow): boolean =>
    steps.length === 0 ||
    jobs.some(({ jobId }) => isOf(jobId, row)) ||
    steps.some(({ jobId, step }) => isOf(jobId, row) && (step === null || String(step) === row.stepId));
  return (row) => wanted(row) && (names === undefined || names.includes(row.name));
}

function isOf(jobId: number, row: StepRow): boolean {
  return row.jobId === jobId || (row.arrayJobId > 0 && row.arrayJobId === jobId);
}
