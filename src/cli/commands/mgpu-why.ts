/** mgpu why JOB...: why a job waits and what would start it, since when it runs, or how it ended. */

import { firstTask } from "../../core/array-spec.ts";
import type { Explanation } from "../../core/explanation.ts";
import { isEnded, type Job } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { outputsOf } from "../../core/outputs.ts";
import type { Peer } from "../../rpc/types.ts";
import type { JobEntry } from "../../view/job-record.ts";
import { toJobRow } from "../../view/job-row.ts";
import { printable } from "../../view/printf.ts";
import type { RecordTime } from "../../view/record-text.ts";
import { startedLines } from "../../view/why-started.ts";
import { componentText, waitingText } from "../../view/why-waiting.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type JobTarget, parseJobTarget, splitJobIds } from "../filters.ts";
import type { ParsedOptions } from "../option.ts";
import { loadRecords } from "../records.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Records of one array that are told of one by one. */
const RECORDS_TOLD_MAX = 20;

export const command: Command = {
  name: "mgpu why",
  summary: "Say why a job waits and what would start it now, since when it runs, or how it ended",
  synopsis: "[OPTIONS...] JOB...",
  options: [{ long: "json", argument: "none", help: "print JSON" }],
  operands: "permute",
  examples: ["mgpu why 12", "mgpu why 12_3 14", "mgpu why --json 12"],
  run,
};

/** What was found of one job. */
interface Answer {
  readonly entry: JobEntry;
  /** Of a waiting job. */
  readonly explanation: Explanation | null;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const targets = readTargets(parsed.operands);
  const { peer } = await context.connect({ start: false });
  try {
    const answers: Answer[] = [];
    const unknown: string[] = [];
    let nowMs = context.clock.now();
    for (const target of targets) {
      const found = await answersFor(peer, target);
      if (found.answers.length === 0) unknown.push(target.text);
      answers.push(...found.answers);
      nowMs = found.nowMs;
    }
    const time = { nowMs, utcOffset: (atMs: number) => context.utcOffsetMinutes(atMs) };
    context.stdio.out(parsed.values.has("json") ? jsonText(answers) : answersText(answers, time));
    if (unknown.length > 0) throw unknownJobs(unknown);
    return 0;
  } finally {
    peer.close();
  }
}

/** @throws UserError for words that name no job */
function readTargets(words: readonly string[]): JobTarget[] {
  const texts = splitJobIds(words).filter((text) => text !== "");
  if (texts.length === 0) throw new UserError("which job?", "mgpu why JOB; mgpu-squeue lists the jobs", EXIT_USAGE);
  const targets = texts.map((text) => parseJobTarget(text));
  const wrong = texts.filter((_, at) => targets[at] === undefined || targets[at]?.step !== null);
  if (wrong.length > 0) {
    throw new UserError(
      wrong.map((text) => `Invalid job id: ${text}`),
      "a job is named as 12, 12_3 or 12+1",
      EXIT_USAGE,
    );
  }
  return targets.flatMap((target) => target ?? []);
}

async function answersFor(peer: Peer, target: JobTarget): Promise<{ answers: Answer[]; nowMs: number }> {
  const { records, nowMs } = await loadRecords(peer, target);
  const answers: Answer[] = [];
  for (const { job, partition, reason, reasonText } of records) {
    const entry = { job, row: toJobRow(job, { partition, reason, reasonText }) };
    const isWaiting = job.state === "PENDING" && answers.length < RECORDS_TOLD_MAX;
    answers.push({ entry, explanation: isWaiting ? await explain(peer, job, target) : null });
  }
  return { answers, nowMs };
}

/** One task of a record that holds several is asked about by itself. */
async function explain(peer: Peer, job: Job, { jobId, tasks }: JobTarget): Promise<Explanation | null> {
  const params = tasks ? { jobId, taskId: firstTask(tasks) ?? null } : { jobId: job.id, taskId: null };
  return (await peer.call("job.explain", params)).explanation;
}

function unknownJobs(texts: readonly string[]): UserError {
  return new UserError(
    texts.map((text) => `Invalid job id specified: ${text}`),
    "neither the queue nor accounting knows such a job; mgpu-squeue and mgpu-sacct list those that they know",
  );
}

function answersText(answers: readonly Answer[], time: RecordTime): string {
  const told = answers.slice(0, RECORDS_TOLD_MAX).flatMap((answer) => {
    // Components start together: the first one's answer is the whole job's.
    if (isFollower(answer, answers)) return [];
    const followers = answers.filter((other) => isFollower(other, answers) && isOneJob(answer, other));
    const more = followers.map(({ explanation }) => (explanation ? componentText(explanation, time) : ""));
    const together =
      followers.length === 0
        ? ""
        : `  Its ${followers.length + 1} components start together, or none does; the others:\n`;
    return [`${answerText(answer, time)}${together}${more.join("")}`];
  });
  if (answers.length > RECORDS_TOLD_MAX) told.push(`and ${answers.length - RECORDS_TOLD_MAX} more\n`);
  return told.join("\n");
}

/** A component that waits, whose first one is told of too. */
function isFollower(answer: Answer, answers: readonly Answer[]): boolean {
  const { job } = answer.entry;
  if (!answer.explanation || (job.spec.het?.offset ?? 0) === 0) return false;
  return answers.some(
    (other) => other.explanation && other.entry.job.spec.het?.offset === 0 && isOneJob(other, answer),
  );
}

function isOneJob({ entry: { job: a } }: Answer, { entry: { job: b } }: Answer): boolean {
  return a.id - (a.spec.het?.offset ?? 0) === b.id - (b.spec.het?.offset ?? 0);
}

function answerText({ entry: { job, row }, explanation }: Answer, time: RecordTime): string {
  const label = explanation?.label ?? jobLabel(job);
  const name = `Job ${label} (${printable(row.name)}, ${row.user})`;
  if (explanation) return `${name} waits: ${explanation.reason}\n${waitingText(explanation, time)}`;
  if (job.state === "PENDING") return `${name} waits: ${row.reason}\n  ${row.reasonText}\n`;
  const [first = "", ...rest] = startedLines(job, row, label, time);
  return `${name} ${first}\n${rest.map((line) => `  ${line}\n`).join("")}`;
}

function jsonText(answers: readonly Answer[]): string {
  const jobs = answers.map(({ entry: { job, row }, explanation }) => ({
    ...{ jobId: job.id, label: explanation?.label ?? jobLabel(job), name: row.name, user: row.user },
    ...{ state: row.state, reason: row.reason, reasonText: row.reasonText },
    ...{ submitAt: row.submitAt, startAt: row.startAt, endAt: row.endAt, nodeList: row.nodeList },
    exit: isEnded(job) ? job.exit : null,
    cause: row.cause,
    outputs: outputsOf(job),
    explanation,
  }));
  return `${JSON.stringify({ jobs }, null, 2)}\n`;
}
