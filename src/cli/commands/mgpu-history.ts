/** mgpu history: the queue as it stood at a time, or what ran between two times. */

import { parseMoment } from "../../core/begin-time.ts";
import { type HistoryRecord, historyFilter } from "../../core/history.ts";
import { fold } from "../../core/hostlist.ts";
import { isEnded, type Job } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { formatGpus, gpuThousandths } from "../../core/resources.ts";
import { formatDuration, formatTimestamp } from "../../core/time.ts";
import { printable } from "../../view/printf.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { ParsedOptions } from "../option.ts";
import { runCommand } from "../run.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Most lines that are printed: mgpu-sacct is made for more. */
const ROWS_MAX = 10_000;

export const command: Command = {
  name: "mgpu history",
  summary: "Show the queue as it stood at a time, or what ran between two times",
  synopsis: "[OPTIONS...] TIME [TIME]",
  options: [],
  operands: "permute",
  examples: ["mgpu history 00:00", "mgpu history now-2hours", "mgpu history 2026-11-21T08:00 2026-11-21T18:00"],
  run,
};

async function run({ operands }: ParsedOptions, context: CommandContext): Promise<number> {
  const [from, to, ...more] = operands;
  if (from === undefined || more.length > 0) {
    throw new UserError(
      "expected one time, or two",
      "such as 14:30, yesterday, now-2hours or 2026-11-21T08:00",
      EXIT_USAGE,
    );
  }
  const times = readTimes(to === undefined ? [from] : [from, to], context);
  if (to === undefined) {
    const { command: squeue } = await import("./squeue.ts");
    return runCommand(squeue, [`--at=${from}`], context);
  }
  const [since = 0, until = 0] = times;
  const { peer } = await context.connect({ start: false });
  try {
    const filter = historyFilter({ since, until, states: ["RUNNING"] });
    const records: HistoryRecord[] = [];
    await peer.stream("jobs.history", { filter, duplicates: true, steps: false }, (item) => {
      if (records.length <= ROWS_MAX) records.push(...item.records);
    });
    context.stdio.out(rangeTable(records.slice(0, ROWS_MAX), context));
    if (records.length > ROWS_MAX)
      context.stdio.err(`${context.program}: only the first ${ROWS_MAX}; mgpu-sacct lists all\n`);
    return 0;
  } finally {
    peer.close();
  }
}

/** @throws UserError with all that is wrong with them */
function readTimes(texts: readonly string[], { clock, utcOffsetMinutes }: CommandContext): number[] {
  const parsed = texts.map((text) => parseMoment(text, clock.now(), (atMs) => utcOffsetMinutes(atMs), "past"));
  const problems = parsed.flatMap((one) => ("problem" in one ? one.problem : []));
  const times = parsed.flatMap((one) => ("value" in one ? one.value : []));
  const [since = 0, until = Number.POSITIVE_INFINITY] = times;
  if (problems.length === 0 && since > until) problems.push("the first time is later than the second");
  if (problems.length === 0 && since > clock.now()) problems.push("the time is still to come");
  if (problems.length > 0) throw new UserError(problems, undefined, EXIT_USAGE);
  return times;
}

function rangeTable(records: readonly HistoryRecord[], context: CommandContext): string {
  const moment = (atMs: number): string => formatTimestamp(atMs, (at) => context.utcOffsetMinutes(at));
  const started = records.flatMap(({ job, state }) => {
    const startAt = job.state === "PENDING" ? null : job.startAt;
    return startAt === null ? [] : [{ job, state, startAt }];
  });
  started.sort((a, b) => a.startAt - b.startAt || a.job.id - b.job.id);
  const rows = started.map(({ job, state, startAt }) => [
    ...[jobLabel(job), job.spec.user.name, printable(job.spec.name), state, moment(startAt)],
    ...[endText(job, moment), formatDuration(((isEnded(job) ? job.endAt : context.clock.now()) - startAt) / 1000)],
    ...[formatGpus(gpuThousandths(job.allocation)), fold(job.allocation.map(({ node }) => node))],
  ]);
  return textTable(["JOB", "USER", "NAME", "STATE", "START", "END", "ELAPSED", "GPUS", "NODES"], rows);
}

function endText(job: Job, moment: (atMs: number) => string): string {
  return isEnded(job) ? moment(job.endAt) : "runs";
}
