/**
 * Watched feeds: looked at every few seconds by size, time and inode, so that editors which replace a file and file
 * systems that tell of no changes are no matter; read when they changed and are at rest; parsed when their content did.
 */

import type { Feed, FeedReading, FileMark, LineProblem } from "../../core/feed/feed.ts";
import { scriptPath } from "../../core/feed/job.ts";
import { readFeed } from "../../core/feed/lines.ts";
import { FEED_BYTES_MAX } from "../../core/feed/text.ts";
import type { Cancel } from "../../platform/clock.ts";
import type { FeedFiles } from "../../platform/feed-files.ts";
import { RpcError } from "../../protocol/errors.ts";
import { errnoText } from "../../util/errno.ts";
import type { ControllerContext } from "../context.ts";
import { type QueuedLines, queueLines } from "./queue-lines.ts";

/** Before lines that were refused are tried again, milliseconds. */
const RETRY_MS = 30_000;

/** Problems of one reading that go into the log. */
const LOGGED_MAX = 100;

export interface FeedReport extends Omit<QueuedLines, "refused"> {
  readonly problems: readonly LineProblem[];
}

/** How a feed is to be read: at once, and whatever was queued before. */
interface Reading {
  readonly isAgain: boolean;
  readonly requestId: string;
}

const PLAIN: Reading = { isAgain: false, requestId: "" };

export class FeedWatch {
  readonly #context: ControllerContext;
  readonly #files: FeedFiles;
  readonly #digest: (text: string | Uint8Array) => string;
  /** What was seen at the last look at a file that has changed. */
  readonly #seen = new Map<number, FileMark>();
  readonly #retryAt = new Map<number, number>();
  /** What is being done with a feed. */
  readonly #turns = new Map<number, Promise<unknown>>();
  #cancel: Cancel = () => {};

  constructor(context: ControllerContext, files: FeedFiles, digest: (text: string | Uint8Array) => string) {
    this.#context = context;
    this.#files = files;
    this.#digest = digest;
  }

  /** Looks at all feeds, now and again, until it is stopped. */
  start(): void {
    const { loop, clock, settings } = this.#context;
    for (const { id } of loop.state.feeds.values()) {
      // One that is being read, or whose file system hangs, keeps nobody else waiting.
      if (!this.#turns.has(id)) void this.#take(id, () => this.#look(id));
    }
    this.#cancel = clock.after(settings.feedIntervalS * 1000, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  /** Reads a feed now; answers with what came of it. Rejects with UNREADABLE. */
  readNow(feedId: number, reading: Reading): Promise<FeedReport> {
    return this.#take(feedId, async () => {
      const feed = this.#feed(feedId);
      const mark = feed && (await this.#files.look(feed.path));
      const report = feed && mark && (await this.#read(feed, mark, reading));
      if (!report) throw new RpcError("UNREADABLE", "the file is not watched any more");
      return report;
    });
  }

  #feed(id: number): Feed | undefined {
    return this.#context.loop.state.feeds.get(id);
  }

  /** One thing at a time is done with a feed. */
  #take<T>(id: number, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.catch(() => {}).then(work);
    this.#turns.set(id, turn);
    const over = (): void => void (this.#turns.get(id) === turn && this.#turns.delete(id));
    turn.then(over, over);
    return turn;
  }

  /** Never rejects. */
  async #look(id: number): Promise<void> {
    const feed = this.#feed(id);
    if (!feed || this.#context.isEnding()) return;
    try {
      const mark = await this.#files.look(feed.path);
      if (this.#isDue(feed, mark)) await this.#read(feed, mark, PLAIN);
    } catch (error) {
      await this.#note(feed, error);
    }
  }

  /** Whether a file is to be read: it differs from what was read, but not from what was seen last. */
  #isDue({ id, reading, trouble }: Feed, mark: FileMark): boolean {
    const seen = this.#seen.get(id);
    const now = this.#context.clock.monotonic();
    if (reading && trouble === "" && isSame(mark, reading.mark)) {
      return reading.refused > 0 && now >= (this.#retryAt.get(id) ?? 0);
    }
    if (seen && isSame(mark, seen)) return true;
    // Somebody may be writing it just now: half a line is no job.
    this.#seen.set(id, mark);
    return false;
  }

  async #read(feed: Feed, mark: FileMark, { isAgain, requestId }: Reading): Promise<FeedReport> {
    const { loop, clock } = this.#context;
    const data = await this.#files.read(feed.user, feed.path, FEED_BYTES_MAX + 1);
    if (data === null) throw Object.assign(new Error("gone"), { code: "ENOENT" });
    const digest = this.#digest(data);
    const before = feed.reading;
    this.#seen.delete(feed.id);
    if (before?.digest === digest && before.refused === 0 && !isAgain) {
      await loop.execute({ type: "feed.read", feedId: feed.id, reading: { ...before, mark }, trouble: "" });
      return { jobIds: [], same: before.jobs, problems: before.problems, models: [] };
    }
    const text = readFeed(data);
    const { lines, missing } = await this.#withScripts(feed, text.lines);
    const { user, path: source, template, environmentDigest } = feed;
    const order = { user, source, template, environmentDigest, lines, linesInAll: lines.length, isAgain, requestId };
    const queued = await queueLines(this.#context, this.#digest, order);
    const again = [...missing, ...queued.refused];
    const problems = [...text.problems, ...again].sort((a, b) => a.line - b.line);
    const counts = { jobs: text.lines.length, problems, problemCount: problems.length, refused: again.length };
    this.#retryAt.set(feed.id, clock.monotonic() + RETRY_MS);
    const report = { ...queued, problems };
    await this.#keep(feed, { at: clock.now(), mark, digest, ...counts }, report);
    return report;
  }

  /** Lines whose scripts are there, and what is to be said of the others. */
  async #withScripts({ user, template }: Feed, all: ReturnType<typeof readFeed>["lines"]) {
    const troubles = new Map<string, string>();
    for (const { script } of all) {
      const path = scriptPath(script, template.workDir);
      if (!troubles.has(script)) troubles.set(script, await this.#scriptTrouble(user, path));
    }
    const isThere = ({ script }: { script: string }): boolean => troubles.get(script) === "";
    const missing = all
      .filter((one) => !isThere(one))
      .map(({ line, script }) => {
        return { line, text: `script: ${script}: ${troubles.get(script)}` };
      });
    return { lines: all.filter(isThere), missing };
  }

  async #scriptTrouble(user: Feed["user"], path: string): Promise<string> {
    try {
      return (await this.#files.read(user, path, 0)) === null ? "no such file" : "";
    } catch (error) {
      return errnoText(error);
    }
  }

  /** Notes what came of a reading, where that is anything new. */
  async #keep(feed: Feed, reading: FeedReading, { jobIds, problems, same, models }: FeedReport): Promise<void> {
    const { loop, log } = this.#context;
    const isNews = jobIds.length > 0 || !feed.reading || !saysTheSame(feed.reading, reading) || feed.trouble !== "";
    if (!isNews) return;
    const order = { feedId: feed.id, reading, queued: jobIds.length, trouble: "" };
    await loop.execute({ type: "feed.read", ...order });
    const facts = { feed: feed.id, path: feed.path };
    log.info("a feed was read", { ...facts, queued: jobIds.length, same, problems: problems.length, models });
    for (const { line, text } of problems.slice(0, LOGGED_MAX)) {
      log.warn("a line of a feed is no job", { ...facts, line, problem: text });
    }
  }

  /** Says once that a file can't be read. Never rejects. */
  async #note(feed: Feed, error: unknown): Promise<void> {
    const { loop, log } = this.#context;
    const trouble = error instanceof RpcError ? "" : errnoText(error);
    this.#seen.delete(feed.id);
    if (error instanceof RpcError) log.warn("a feed could not be queued", { path: feed.path, error: error.message });
    if (trouble === "" || trouble === feed.trouble) return;
    log.warn("a feed can't be read", { feed: feed.id, path: feed.path, problem: trouble });
    await loop.execute({ type: "feed.read", feedId: feed.id, trouble }).catch(() => {});
  }
}

function isSame(a: FileMark, b: FileMark): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.inode === b.inode;
}

function saysTheSame(a: FeedReading, b: FeedReading): boolean {
  return a.digest === b.digest && isSame(a.mark, b.mark) && JSON.stringify(a.problems) === JSON.stringify(b.problems);
}
