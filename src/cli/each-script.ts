/**
 * sbatch --each: every operand is a script of its own, and becomes a job of its own. All are read and checked before the first is
 * submitted; then they go over one connection, many at a time, each under a name of its own so that it can be sent again.
 */

import { taskCount } from "../core/array-spec.ts";
import { DESKTOP } from "../core/notice.ts";
import { sleep } from "../platform/clock.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Params } from "../protocol/procedures.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { errnoText } from "../util/errno.ts";
import { countOf } from "../util/plural.ts";
import { createSpeaker } from "./attach/speaker.ts";
import { awaitEnd } from "./await-job.ts";
import { forgetCandidates } from "./commands/completion/cache-path.ts";
import { connectAsSlurm } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";
import { lastValue } from "./getopt.ts";
import type { ParsedOptions } from "./option.ts";
import type { SubmitValues } from "./options/submit.ts";
import { createProgress } from "./output/progress.ts";
import { isRefusal, REQUEST_ID_BYTES, RETRY_MS, refused, type Submitted, TRIES_MAX } from "./submission.ts";

/** What sbatch makes of a script. */
export interface Prepared {
  readonly values: SubmitValues;
  readonly submission: Omit<Params<"job.submit">, "requestId">;
  readonly warnings: readonly string[];
}

/** What sbatch does with one script, as of many. */
export interface OneScript {
  /** @throws UserError with all that is wrong with it */
  prepare(parsed: ParsedOptions, context: CommandContext): Promise<Prepared>;
  /** The cluster's own name where -M was given; empty if it can't be reached, which has been said. */
  clusterOf(values: SubmitValues, context: CommandContext): Promise<string | null>;
  report(submitted: Submitted, values: SubmitValues, cluster: string | null, context: CommandContext): void;
  /** How a refusal is introduced. */
  readonly refusal: string;
}

/** Open calls: enough to fill the controller's writes, well below what a connection may have open. */
const IN_FLIGHT_MAX = 256;

/** What these may hold in all: far below what a connection lets wait (rpc/outbox.ts). A single one may be larger. */
const BYTES_IN_FLIGHT_MAX = 16 * 1024 * 1024;

/** Sentences that are said one by one. */
const SAID_MAX = 100;

/** A list of paths is shorter. */
const LIST_BYTES_MAX = 16 * 1024 * 1024;

interface Order extends Prepared {
  readonly path: string;
  readonly requestId: string;
}

type Answer =
  | { readonly jobId: number; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[]; readonly hint: string | undefined };

/** Submits every script. @returns the exit code: 1 if one was refused, else the highest of those that were waited for */
export async function submitEach(parsed: ParsedOptions, context: CommandContext, one: OneScript): Promise<number> {
  const paths = pathsOf(parsed, context);
  const orders = await prepareAll(paths, parsed, context, one);
  const [first] = orders;
  if (!first) return 0;
  const loud = orders.filter(({ values }) => !values.quiet);
  say(
    context,
    "warning",
    labelled(
      loud.map(({ path, warnings }) => ({ path, texts: warnings })),
      orders.length,
    ),
  );
  const cluster = await one.clusterOf(first.values, context);
  if (cluster === "") return 1;
  const answers = new Map<Order, Answer>();
  try {
    const connected = await sendAll(orders, answers, context, one.refusal);
    if (connected === null) return 1;
    try {
      const code = tell(orders, answers, connected, cluster, context, one);
      return Math.max(code, await awaitAll(orders, answers, connected, context));
    } finally {
      connected.peer.close();
    }
  } catch (error) {
    const accepted = [...answers.values()].flatMap((answer) => ("jobId" in answer ? answer.jobId : []));
    if (accepted.length > 0 && accepted.length < orders.length) {
      say(context, "error", [
        `${accepted.length} of ${orders.length} scripts were submitted before: ${accepted.join(",")}`,
      ]);
    }
    throw error;
  }
}

/** @throws UserError */
function pathsOf(parsed: ParsedOptions, context: CommandContext): readonly string[] {
  const { operands } = parsed;
  const problems = [
    ...(lastValue(parsed, "wrap") === undefined ? [] : ["--each takes scripts, and --wrap has none: give one of them"]),
    ...(parsed.values.has("test-only") ? ["--test-only looks at one script: leave --each out"] : []),
    ...(operands[0] === ":" ? ["--each takes no components: write them into a script (#SBATCH hetjob)"] : []),
    ...(operands.length > 1 && operands.includes("-") ? ["- reads a list of scripts, and stands alone"] : []),
  ];
  if (problems.length > 0) throw new UserError(problems);
  const paths = operands.length === 1 && operands[0] === "-" ? listed(context) : operands;
  if (paths.length > 0) return paths;
  const hint = "mgpu-sbatch --each *.sh; or, with one path a line: find jobs -name '*.sh' | mgpu-sbatch --each -";
  throw new UserError("--each: no script was named", hint);
}

/** One path a line of standard input. */
function listed({ files }: CommandContext): string[] {
  let length = 0;
  try {
    const bytes = files.readWhile(null, (piece) => {
      length += piece.length;
      return length <= LIST_BYTES_MAX;
    });
    if (length > LIST_BYTES_MAX)
      throw new UserError(`standard input: more than ${LIST_BYTES_MAX} bytes are no list of scripts`);
    return new TextDecoder()
      .decode(bytes)
      .split("\n")
      .map((line) => line.replace(/\r$/, ""))
      .filter((line) => line !== "");
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`standard input: ${errnoText(error)}`);
  }
}

/** @throws UserError with all that is wrong with any of them: then none is submitted */
async function prepareAll(
  paths: readonly string[],
  parsed: ParsedOptions,
  context: CommandContext,
  { prepare }: OneScript,
): Promise<Order[]> {
  const orders: Order[] = [];
  const wrong: { path: string; texts: readonly string[] }[] = [];
  // Of a job's record the line is a part: that of a thousand scripts would be in each of a thousand records.
  const options = (parsed.words ?? []).slice(0, -parsed.operands.length);
  for (const path of paths) {
    try {
      const own = { ...parsed, words: [...options, path], operands: [path] };
      const prepared = await prepare(own, context);
      orders.push({ ...prepared, path, requestId: context.random.hex(REQUEST_ID_BYTES) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      wrong.push({ path, texts: error.problems });
    }
  }
  const [first] = orders;
  if (first?.values.progress && !orders.some(({ values }) => values.await)) {
    throw new UserError("--progress shows what --wait waits for: give both");
  }
  if (wrong.length === 0) return orders;
  const hint = `none of the ${paths.length} scripts was submitted`;
  throw new UserError(cut(labelled(wrong, paths.length)), paths.length > 1 ? hint : undefined);
}

/** Each sentence with its script; once and without, where it is said of all of several. */
function labelled(found: readonly { path: string; texts: readonly string[] }[], scripts: number): string[] {
  const counts = new Map<string, number>();
  for (const { texts } of found) for (const text of new Set(texts)) counts.set(text, (counts.get(text) ?? 0) + 1);
  const isCommon = (text: string): boolean => scripts > 1 && counts.get(text) === scripts;
  const own = found.flatMap(({ path, texts }) =>
    texts.filter((text) => !isCommon(text)).map((text) => (text.startsWith(`${path}: `) ? text : `${path}: ${text}`)),
  );
  return [...[...counts.keys()].filter(isCommon), ...own];
}

function cut(texts: readonly string[]): string[] {
  const rest = texts.length - SAID_MAX;
  return rest > 0 ? [...texts.slice(0, SAID_MAX), `and ${rest} more of that kind`] : [...texts];
}

function say({ stdio, program }: CommandContext, severity: string, texts: readonly string[]): void {
  stdio.err(
    cut(texts)
      .map((text) => `${program}: ${severity}: ${text}\n`)
      .join(""),
  );
}

/** Sends all, again where the connection was lost. `null` after it was said that there is no controller. */
async function sendAll(
  orders: readonly Order[],
  answers: Map<Order, Answer>,
  context: CommandContext,
  refusal: string,
): Promise<Connected | null> {
  for (let attempt = 1; ; attempt++) {
    const connected = await connectAsSlurm(context, `${context.program}: error: ${refusal}`);
    if (connected === null) return null;
    try {
      const open = orders.filter((order) => !answers.has(order)).values();
      const worker = async (): Promise<void> => {
        for (const order of open) answers.set(order, await send(order, context, connected.peer, refusal));
      };
      await Promise.all(Array.from({ length: inFlight(orders) }, worker));
      forgetCandidates(context);
      return connected;
    } catch (error) {
      connected.peer.close();
      if (!(error instanceof RpcError) || error.code !== "LOST_CONTACT" || attempt === TRIES_MAX) throw error;
      await sleep(context.clock, RETRY_MS);
    }
  }
}

/** How many may be open at once, by the largest of them. */
function inFlight(orders: readonly Order[]): number {
  const largest = orders.reduce((most, { submission }) => Math.max(most, bytesOf(submission)), 1);
  return Math.max(1, Math.min(IN_FLIGHT_MAX, Math.floor(BYTES_IN_FLIGHT_MAX / largest)));
}

/** About what it takes: what can be large of it. */
function bytesOf({ script, environment }: Order["submission"]): number {
  let bytes = script?.length ?? 0;
  for (const name in environment) bytes += name.length + (environment[name]?.length ?? 0);
  return bytes;
}

async function send(
  { requestId, submission }: Order,
  context: CommandContext,
  peer: Peer,
  refusal: string,
): Promise<Answer> {
  try {
    const { jobId, warnings = [] } = await peer.call("job.submit", { requestId, ...submission });
    return { jobId, warnings };
  } catch (error) {
    if (!(error instanceof RpcError) || error.code === "LOST_CONTACT") throw error;
    if (!isRefusal(error)) return { problems: [error.message], hint: error.hint };
    const { problems, hint } = await refused(error, refusal, context, peer);
    return { problems, hint };
  }
}

/** Says what became of each, in the order of the scripts. @returns 1 if one was refused */
function tell(
  orders: readonly Order[],
  answers: ReadonlyMap<Order, Answer>,
  connected: Connected,
  cluster: string | null,
  context: CommandContext,
  { report }: OneScript,
): number {
  const refusals: { path: string; texts: readonly string[] }[] = [];
  const warnings: { path: string; texts: readonly string[] }[] = [];
  const hints = new Set<string>();
  for (const order of orders) {
    const answer = answers.get(order);
    if (answer === undefined) continue;
    if ("jobId" in answer) {
      report({ jobId: answer.jobId, connected }, order.values, cluster, context);
      warnings.push({ path: order.path, texts: answer.warnings });
    } else {
      refusals.push({ path: order.path, texts: answer.problems });
      if (answer.hint !== undefined) hints.add(answer.hint);
    }
  }
  say(context, "warning", labelled(warnings, orders.length));
  say(context, "error", labelled(refusals, orders.length));
  for (const hint of [...hints].slice(0, SAID_MAX)) context.stdio.err(`${context.program}: hint: ${hint}\n`);
  return refusals.length > 0 ? 1 : 0;
}

/** Waits for those whose options say so; the highest of their exit codes. */
async function awaitAll(
  orders: readonly Order[],
  answers: ReadonlyMap<Order, Answer>,
  { peer }: Connected,
  context: CommandContext,
): Promise<number> {
  const awaited = orders.flatMap(({ values, submission }) =>
    values.await ? [{ values, array: submission.job.array }] : [],
  );
  const jobIds = orders.flatMap((order) => {
    const answer = answers.get(order);
    return order.values.await && answer && "jobId" in answer ? [answer.jobId] : [];
  });
  const [jobId, ...others] = jobIds;
  if (jobId === undefined) return 0;
  const tasks = awaited.reduce((sum, { array }) => sum + (array === null ? 1 : taskCount(array.tasks)), 0);
  const isShown = awaited.some(({ values }) => values.progress);
  const progress = isShown ? createProgress(countOf(jobIds.length, "job"), tasks, createSpeaker(context, false)) : null;
  const code = await awaitEnd(context, peer, { jobId, others, isArray: true, progress }).finally(() =>
    progress?.close(),
  );
  if (awaited.some(({ values }) => values.notify?.includes(DESKTOP))) {
    const { tellDesktop } = await import("./output/desktop.ts");
    tellDesktop(context, `${countOf(jobIds.length, "job")} have ended, highest exit code ${code}`);
  }
  return code;
}
