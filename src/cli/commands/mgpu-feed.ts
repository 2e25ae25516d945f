/** mgpu feed: files of jobs, one a line, queued once or watched. */

import type { FeedLine, LineProblem } from "../../core/feed/feed.ts";
import { DESKTOP } from "../../core/notice.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { countOf } from "../../util/plural.ts";
import { formatRanges } from "../../util/ranges.ts";
import { createSpeaker } from "../attach/speaker.ts";
import { awaitEnd } from "../await-job.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { FEED_SUBMIT_OPTIONS, type FeedOrder, feedOrder } from "../feed/order.ts";
import { readFeedFile } from "../feed/read.ts";
import { absolutePath } from "../jobspec.ts";
import type { ParsedOptions } from "../option.ts";
import { tellDesktop } from "../output/desktop.ts";
import { createProgress } from "../output/progress.ts";
import { flagged } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Ten thousand lines take a few seconds; a disk may be slow. */
const FEED_DEADLINE_MS = 600_000;

/** Lines that the controller is sent at once: more would take it a time that others notice. */
const LINES_A_CALL = 500;

/** Problems that are said one by one. */
const SAID_MAX = 100;

/** What a line looks like; the columns are those of core/feed/lines.ts. */
const FORM =
  "a line is priority,script,conda_env,arguments,allowed_gpus (1,train.py,,--lr 3,0-1), or the file is CSV whose first line names its columns, of these and gpus, name";

type Report = Result<"feed.submit">;

export const command: Command = {
  name: "mgpu feed",
  summary: "Queue the jobs of a file, one a line, once or whenever it changes; each line is queued once",
  notes: [`Of FILE ${FORM}`],
  synopsis: "[OPTIONS...] FILE | list [--json] | stop FILE...",
  options: [
    flagged("watch", "the controller goes on to read the file whenever it changes, until mgpu feed stop"),
    flagged("resubmit", "queue every line, also those that were queued before"),
    flagged("check", "only say what is wrong with the file"),
    flagged("json", "with list: print JSON"),
    ...FEED_SUBMIT_OPTIONS,
  ],
  operands: "permute",
  examples: [
    "mgpu feed jobs.txt",
    "mgpu feed jobs.csv --watch --partition=main --time=4:00:00",
    "mgpu feed jobs.txt --wait --progress",
    "mgpu feed list",
    "mgpu feed stop jobs.csv",
  ],
  async run(parsed, context) {
    const [word, ...more] = parsed.operands;
    if (word === "list" && more.length === 0) {
      return (await import("../feed/manage.ts")).listFeeds(parsed.values.has("json"), context);
    }
    if (word === "stop") return (await import("../feed/manage.ts")).stopFeeds(more, context);
    return feed(word, parsed, context);
  },
};

async function feed(file: string | undefined, parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const problems = usageProblems(parsed);
  if (file === undefined || problems.length > 0) {
    const hint = "mgpu feed jobs.txt; its lines are priority,script,conda_env,arguments,allowed_gpus";
    throw new UserError(file === undefined ? ["expected a file of jobs", ...problems] : problems, hint, EXIT_USAGE);
  }
  const order = await feedOrder(parsed, file, context);
  if (parsed.values.has("check")) return check(file, order, context);
  if (parsed.values.has("watch")) return watch(file, order, context);
  const { report, code } = await feedOnce(file, order, context);
  return order.values.await && report.jobIds.length > 0 ? Math.max(code, await wait(report, order, context)) : code;
}

function usageProblems({ operands, values }: ParsedOptions): string[] {
  const isWatched = values.has("watch");
  return [
    ...(operands.length > 1 ? [`expected one file, got ${operands.length} words`] : []),
    ...(values.has("json") ? ["--json belongs to mgpu feed list"] : []),
    ...(isWatched && operands[0] === "-" ? ["--watch needs a file, standard input can't be read again"] : []),
    ...(isWatched && values.has("wait") ? ["--watch has no end to --wait for"] : []),
    ...(values.has("progress") && !values.has("wait") ? ["--progress shows what --wait waits for: give both"] : []),
  ];
}

function check(file: string, { call }: FeedOrder, context: CommandContext): number {
  const { lines, problems } = readFeedFile(file, call.job.workDir, context);
  sayProblems(file, problems, context);
  sayForm(problems, lines[0]?.line ?? null, context);
  context.stdio.out(`${file}: ${countOf(lines.length, "job")}, ${countOf(problems.length, "bad line")}\n`);
  return problems.length > 0 ? 1 : 0;
}

/** Reads the file here, and queues what is new of it. */
async function feedOnce(
  file: string,
  order: FeedOrder,
  context: CommandContext,
): Promise<{ readonly report: Report; readonly code: number }> {
  const { lines, problems } = readFeedFile(file, order.call.job.workDir, context);
  sayProblems(file, problems, context);
  sayForm(problems, lines[0]?.line ?? null, context);
  const { peer } = await context.connect({ start: true });
  try {
    const path = file === "-" ? file : absolutePath(file, context.cwd);
    const report = await submitLines(peer, { ...order.call, path }, lines);
    sayReport(file, report, problems.length, context);
    return { report, code: problems.length + report.problems.length > 0 ? 1 : 0 };
  } finally {
    peer.close();
  }
}

/** In parts, each of which the controller takes in one go; what was queued when a later part fails stays so. */
async function submitLines(
  peer: Pick<Peer, "call">,
  call: Omit<Params<"feed.submit">, "lines">,
  lines: readonly FeedLine[],
): Promise<Report> {
  const report: Report = { jobIds: [], same: 0, problems: [], models: [] };
  for (let from = 0; from < Math.max(1, lines.length); from += LINES_A_CALL) {
    const part = { ...call, lines: lines.slice(from, from + LINES_A_CALL), linesInAll: lines.length };
    const { jobIds, same, problems, models } = await peer.call("feed.submit", part, { deadlineMs: FEED_DEADLINE_MS });
    report.jobIds.push(...jobIds);
    report.same += same;
    report.problems.push(...problems);
    for (const one of models) {
      const known = report.models.find(({ model }) => model === one.model);
      if (known) known.jobs += one.jobs;
      else report.models.push(one);
    }
  }
  return report;
}

async function watch(file: string, order: FeedOrder, context: CommandContext): Promise<number> {
  const { peer } = await context.connect({ start: true });
  const path = absolutePath(file, context.cwd);
  let reason: string;
  try {
    const report = await peer.call("feed.watch", { ...order.call, path }, { deadlineMs: FEED_DEADLINE_MS });
    sayReport(file, report, 0, context);
    sayForm(report.problems, report.jobIds.length + report.same > 0 ? 0 : null, context);
    context.stdio.err(
      `${context.program}: ${path} is watched as feed ${report.feedId}; mgpu feed stop ${report.feedId} ends it\n`,
    );
    return report.problems.length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    if (error.code === "UNREADABLE") throw new UserError(error.message);
    if (error.code !== "NOT_HERE") throw error;
    reason = error.message;
  } finally {
    peer.close();
  }
  context.stdio.err(`${context.program}: ${reason}: this command watches ${file} while it runs\n`);
  const { follow, markOf } = await import("../feed/follow.ts");
  const before = markOf(path, context);
  await feedOnce(file, order, context);
  // Whoever asked for all lines again asked for it once.
  const later = { ...order, call: { ...order.call, again: false } };
  await follow(path, context, before, () => feedOnce(file, later, context));
  return 0;
}

/** @param unread lines of which the controller was told nothing, because they are no jobs */
function sayReport(file: string, report: Report, unread: number, context: CommandContext): void {
  sayProblems(file, report.problems, context);
  for (const { model, gpus, jobs } of report.models) {
    context.stdio.err(`${context.program}: model ${model} gets --gpus=${gpus} (${countOf(jobs, "job")})\n`);
  }
  context.stdio.out(`${reportText(file, report, unread)}\n`);
}

function sayProblems(file: string, problems: readonly LineProblem[], { stdio, program }: CommandContext): void {
  const said = problems.slice(0, SAID_MAX).map(({ line, text }) => {
    return `${program}: error: ${file}: ${line === 0 ? "" : `line ${line}: `}${text}\n`;
  });
  const rest = problems.length - said.length;
  stdio.err([...said, ...(rest > 0 ? [`${program}: error: ${file}: ${rest} more bad lines\n`] : [])].join(""));
}

/** The form of lines, where it seems not to be known: all of them are wrong, or those at the beginning. */
function sayForm(problems: readonly LineProblem[], firstGood: number | null, { stdio, program }: CommandContext): void {
  // A script that is missing, or a file that is no text, has nothing to do with it.
  const wrong = problems.find(({ line, text }) => line > 0 && !text.startsWith("script: "));
  if (wrong && wrong.line >= (firstGood ?? Number.POSITIVE_INFINITY)) return;
  if (wrong) stdio.err(`${program}: hint: ${FORM}; see man mgpu-feed\n`);
}

/** `jobs.txt: 98 jobs queued: 1-98; 2 lines were queued before`. */
function reportText(file: string, { jobIds, same, problems }: Report, unread: number): string {
  const queued =
    jobIds.length === 0 ? "no job queued" : `${countOf(jobIds.length, "job")} queued: ${formatRanges(jobIds)}`;
  const before = same === 0 ? "" : `; ${same} ${same === 1 ? "line was" : "lines were"} queued before`;
  const lost = problems.length + unread;
  const bad = lost === 0 ? "" : `; ${countOf(lost, "line")} not queued`;
  return `${file}: ${queued}${before}${bad}`;
}

/** Waits for the end of all jobs; the highest of their exit codes. */
async function wait({ jobIds }: Report, { values }: FeedOrder, context: CommandContext): Promise<number> {
  const [jobId = 0, ...others] = jobIds;
  const progress = values.progress
    ? createProgress(countOf(jobIds.length, "job"), jobIds.length, createSpeaker(context, false))
    : null;
  const { peer } = await context.connect({ start: false });
  try {
    const code = await awaitEnd(context, peer, { jobId, others, isArray: true, progress });
    progress?.close();
    if (values.notify?.includes(DESKTOP)) {
      tellDesktop(context, `${countOf(jobIds.length, "job")} of a feed have ended, highest exit code ${code}`);
    }
    return code;
  } finally {
    progress?.close();
    peer.close();
  }
}
