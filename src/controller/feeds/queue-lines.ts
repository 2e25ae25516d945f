/** Lines of a feed into the queue: many at a time, each once. */

import { type Decision, deny, type Refusal } from "../../core/decide/decision.ts";
import type { FeedLine, LineProblem } from "../../core/feed/feed.ts";
import { guardKey, meaningOf } from "../../core/feed/feed.ts";
import { FEED_SCRIPT, feedJob, modelOf } from "../../core/feed/job.ts";
import type { JobRequest, User } from "../../core/jobspec.ts";
import { RpcError } from "../../protocol/errors.ts";
import { must } from "../../util/assert.ts";
import type { ControllerContext } from "../context.ts";
import { limitsOf, refuseAtEnd, withMemory } from "../handlers/submit.ts";
import { SLICE_MS } from "../slices.ts";
import { storeScript } from "../stored-inputs.ts";

/** Whose lines they are, and what their jobs have in common. */
export interface LinesOrder {
  readonly user: User;
  /** Under which their file is remembered. */
  readonly source: string;
  readonly template: JobRequest;
  readonly environmentDigest: string;
  readonly lines: readonly FeedLine[];
  /** How many the whole file has, of which these may be a part. */
  readonly linesInAll: number;
  /** Queue them whatever was queued before. */
  readonly isAgain: boolean;
  /** Makes a repeated call harmless; empty where the guard alone has to do. */
  readonly requestId: string;
}

export interface QueuedLines {
  readonly jobIds: readonly number[];
  /** Lines that had been queued before. */
  readonly same: number;
  readonly refused: readonly LineProblem[];
  /** What was decided by the names of models in arguments, and of how many jobs. */
  readonly models: readonly { readonly model: string; readonly gpus: string; readonly jobs: number }[];
}

/** Lines that are looked at together, where their programs must be. */
const BATCH = 250;

/** Queues each line's job, in their order. Rejects with STORAGE and SHUTTING_DOWN; what was queued until then stays so. */
export async function queueLines(
  context: ControllerContext,
  digest: (text: string) => string,
  order: LinesOrder,
): Promise<QueuedLines> {
  const scriptDigest = await storeScript(context, new TextEncoder().encode(FEED_SCRIPT));
  const jobIds: number[] = [];
  const refused: LineProblem[] = [];
  const queued: FeedLine[] = [];
  let same = 0;
  for (let from = 0; from < order.lines.length; from += BATCH) {
    const batch = order.lines.slice(from, from + BATCH);
    const barred = await barredLines(context, order, batch);
    const decisions = await inTurns(context, batch, (line, at) => {
      return barred?.[at] ?? queueLine(context, digest, order, line, scriptDigest);
    });
    for (const [at, decision] of decisions.entries()) {
      const line = must(batch[at], "the line of a decision");
      if (decision.kind === "deny") refused.push({ line: line.line, text: textOf(decision.denial) });
      else if (decision.jobId === undefined) same += 1;
      else {
        jobIds.push(decision.jobId);
        queued.push(line);
      }
    }
  }
  return { jobIds, same, refused, models: decided(context, order, queued) };
}

/**
 * Begins something for each line, and waits for all. Others have their turn meanwhile: ten thousand lines must not hold up a command
 * for seconds. What was begun when mgpu is to end is done with first. Rejects with SHUTTING_DOWN.
 */
async function inTurns(
  context: ControllerContext,
  lines: readonly FeedLine[],
  begin: (line: FeedLine, at: number) => Promise<Decision> | Refusal,
): Promise<Decision[]> {
  const { clock } = context;
  const begun: (Promise<Decision> | Refusal)[] = [];
  try {
    while (begun.length < lines.length) {
      refuseAtEnd(context);
      const end = clock.monotonic() + SLICE_MS;
      for (const line of lines.slice(begun.length)) {
        const one = begin(line, begun.length);
        // It may fail long before it is waited for.
        if (one instanceof Promise) one.catch(() => {});
        begun.push(one);
        if (clock.monotonic() >= end) break;
      }
      await new Promise<void>((resolve) => void clock.after(0, resolve));
    }
  } finally {
    await Promise.allSettled(begun);
  }
  return Promise.all(begun);
}

function decided({ settings }: ControllerContext, { template }: LinesOrder, lines: readonly FeedLine[]) {
  const found = new Map<string, QueuedLines["models"][number]>();
  for (const line of lines) {
    const one = modelOf(template, line, settings.models);
    if (one) found.set(one.model, { ...one, jobs: (found.get(one.model)?.jobs ?? 0) + 1 });
  }
  return [...found.values()];
}

/** For each line why it may not run, or `null`; `null` in all where any program may. */
async function barredLines(
  context: ControllerContext,
  order: LinesOrder,
  lines: readonly FeedLine[],
): Promise<(Refusal | null)[] | null> {
  if (context.settings.allowedScriptPaths.length === 0) return null;
  return Promise.all(lines.map((line) => barredLine(context, order, line)));
}

/** The refusal of a line whose program may not run (security.allowed_script_paths); `null` if it may. */
async function barredLine(
  context: ControllerContext,
  { template }: LinesOrder,
  line: FeedLine,
): Promise<Refusal | null> {
  const program = feedJob(template, line, context.settings.models);
  const script = new TextEncoder().encode(FEED_SCRIPT);
  try {
    await context.checkPrograms({ kind: "batch", program, environment: {}, script });
    return null;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return deny("PERMISSION", error.message, error.hint);
  }
}

function queueLine(
  context: ControllerContext,
  digest: (text: string) => string,
  { user, source, template, environmentDigest, linesInAll, isAgain, requestId }: LinesOrder,
  line: FeedLine,
  scriptDigest: string,
) {
  const { settings, loop } = context;
  const job = withMemory(feedJob(template, line, settings.models), context);
  return loop.execute({
    type: "feed.submit",
    guard: guardKey(user.uid, source),
    digest: digest(meaningOf(line, template.workDir)),
    // A file that is longer than the memory would else be queued anew with each change.
    kept: Math.max(settings.feedLinesKept, linesInAll),
    isAgain,
    job: {
      type: "job.submit",
      requestId: requestId === "" ? "" : `${requestId}.${line.line}`,
      spec: { ...job, user, scriptDigest, environmentDigest },
      ...limitsOf(context),
    },
  });
}

function textOf({ message, hint }: { readonly message: string; readonly hint?: string }): string {
  return hint === undefined ? message : `${message}: ${hint}`;
}
