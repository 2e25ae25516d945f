/**
 * sstat: what the running steps of jobs used so far, as their nodes see it now. Without a step's name it is the first
 * one that srun made, or the batch script where there is none; --allsteps shows all.
 */

import { EXIT_OK } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { SSTAT_FIELDS, SSTAT_FORMAT, SSTAT_FORMAT_PIDS, type StatRow } from "../../view/accounting/stat-fields.ts";
import { chooseFields, headerText, lineText, namesText } from "../../view/accounting/table.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { criteriaOf, type JobTarget, jobFilter, optionReader, parseJobTarget, splitJobIds } from "../filters.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { fieldHint } from "../usage.ts";
import { readStyle, readUnits } from "./sacct/print.ts";

const OPTIONS: readonly Option[] = [
  { long: "allsteps", short: "a", argument: "none", help: "all steps of jobs that are named without one" },
  {
    long: "format",
    short: "o",
    argument: "required",
    metavar: "fields",
    help: "what to print, such as jobid,maxrss%12",
  },
  { long: "helpformat", short: "e", argument: "none", help: "print the names of all fields" },
  {
    long: "jobs",
    short: "j",
    argument: "required",
    metavar: "ids",
    help: "these jobs or steps, such as 12,12.0,13.batch",
  },
  { long: "noconvert", argument: "none", help: "print amounts in the units in which they are kept" },
  { long: "noheader", short: "n", argument: "none", help: "print no line of field names" },
  { long: "parsable", short: "p", argument: "none", help: "fields between bars, with a bar at the end" },
  { long: "parsable2", short: "P", argument: "none", help: "fields between bars" },
  { long: "pidformat", short: "i", argument: "none", help: "print the processes of each step" },
  { long: "verbose", short: "v", argument: "none", help: "no effect: errors say all there is to say" },
];

export const command: Command = {
  name: "sstat",
  summary: "Show what running steps use",
  synopsis: "[OPTIONS...] -j job[.step]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sstat -a -j 12 -o jobid,maxrss,avecpu,ntasks", "mgpu-sstat -i -j 12.batch"],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("sacct", OPTIONS, parsed, context);
  if (options.isGiven("helpformat")) {
    context.stdio.out(namesText(SSTAT_FIELDS));
    return 0;
  }
  const own = options.isGiven("pidformat") ? SSTAT_FORMAT_PIDS : SSTAT_FORMAT;
  const { fields, unknown } = chooseFields(options.last("format") ?? own, SSTAT_FIELDS, { hasAll: false });
  const problems = unknown.map((name) => `Invalid field requested: "${name}"`);
  const targets = readTargets([...(options.texts("jobs") ?? []), ...parsed.operands], problems);
  if (targets.length === 0 && problems.length === 0) problems.push("You didn't give me any jobs to stat.");
  if (problems.length > 0)
    throw new UserError(problems, unknown.length > 0 ? fieldHint(unknown, SSTAT_FIELDS) : undefined);
  const connected = await connectAsSlurm(context, context.program);
  if (connected === null) return 1;
  const style = readStyle(options);
  const units = readUnits(options, () => {});
  try {
    if (!options.isGiven("noheader")) context.stdio.out(headerText(fields, style));
    for (const target of targets) {
      for (const row of await rowsOf(connected.peer, target, options.isGiven("allsteps"), context)) {
        context.stdio.out(
          lineText(
            fields,
            fields.map((field) => field.text(row, units)),
            style,
          ),
        );
      }
    }
    return EXIT_OK.code;
  } finally {
    connected.peer.close();
  }
}

function readTargets(texts: readonly string[], problems: string[]): JobTarget[] {
  const words = splitJobIds(texts).filter((word) => word !== "");
  return words.flatMap((word) => {
    const target = parseJobTarget(word);
    if (target === undefined) problems.push(`Bad job/step specified: ${word}`);
    return target ?? [];
  });
}

interface Found {
  readonly id: number;
  readonly label: string;
}

/** The rows of what a word names; complaints go to stderr, as in Slurm, and the rest is shown. */
async function rowsOf(peer: Peer, target: JobTarget, isAll: boolean, context: CommandContext): Promise<StatRow[]> {
  const complain = (text: string): void => context.stdio.err(`${context.program}: error: ${text}\n`);
  const jobs = await runningJobs(peer, target);
  if (jobs.length === 0) complain(`couldn't get steps for job ${target.text.split(".")[0]}`);
  const rows: StatRow[] = [];
  for (const { id, label } of jobs) {
    const answer = await usageOf(peer, id);
    if (answer.silent.length > 0) complain(`no answer from ${answer.silent.join(",")}`);
    const steps = chosen(answer.steps, target, isAll);
    if (steps.length === 0) complain(`StepId=${label}.${target.step ?? 0} not found running.`);
    rows.push(...steps.map(({ stepId, parts }) => ({ id: `${label}.${stepId}`, isBatch: stepId === "batch", parts })));
  }
  return rows;
}

type Steps = Result<"step.usage">["steps"];

function chosen(steps: Steps, { step }: JobTarget, isAll: boolean): Steps {
  if (step !== null) return steps.filter(({ stepId }) => stepId === step);
  const batchFirst = [...steps].sort((a, b) => (a.stepId === "batch" ? -1 : b.stepId === "batch" ? 1 : 0));
  if (isAll) return batchFirst;
  const first = steps.find(({ stepId }) => stepId !== "batch") ?? steps[0];
  return first ? [first] : [];
}

async function usageOf(peer: Peer, jobId: number): Promise<Result<"step.usage">> {
  try {
    return await peer.call("step.usage", { jobId });
  } catch (error) {
    // It ended a moment ago.
    if (error instanceof RpcError && error.code === "INVALID_JOB") return { steps: [], silent: [] };
    throw error;
  }
}

async function runningJobs(peer: Peer, target: JobTarget): Promise<Found[]> {
  const found: Found[] = [];
  if (target.cannotExist) return found;
  const filter = jobFilter({ ...criteriaOf([target]), states: ["RUNNING", "SUSPENDED"] });
  await peer.stream("jobs.list", { filter, fields: ["id", "arrayJobId", "arrayTasks"] }, ({ rows }) => {
    for (const [id, arrayJobId, tasks] of rows) {
      found.push({ id: Number(id), label: arrayJobId === 0 ? String(id) : `${arrayJobId}_${tasks}` });
    }
  });
  return found;
}
