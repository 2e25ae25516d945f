/** mgpu feed list, mgpu feed stop. */

import { formatTimestamp } from "../../core/time.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { textTable } from "../../view/text-table.ts";
import { type CommandContext, UserError } from "../context.ts";
import { absolutePath } from "../jobspec.ts";
import { EXIT_USAGE } from "../usage.ts";

type Feed = Result<"feed.list">["feeds"][number];

const HEADER = ["FEED", "USER", "READ", "JOBS", "QUEUED", "BAD", "FILE"];

/** Prints the files that are watched, and what is wrong with them; the exit code. */
export async function listFeeds(isJson: boolean, context: CommandContext): Promise<number> {
  const feeds = await withPeer(context, async (peer) => (await peer.call("feed.list", {})).feeds);
  if (isJson) {
    context.stdio.out(`${JSON.stringify({ feeds }, null, 2)}\n`);
    return 0;
  }
  const when = (at: number | null): string => {
    return at === null ? "never" : formatTimestamp(at, context.utcOffsetMinutes);
  };
  const rows = feeds.map(({ id, user, path, readAt, jobs, queued, problemCount }) => {
    return [String(id), user, when(readAt), String(jobs), String(queued), String(problemCount), path];
  });
  context.stdio.out(textTable(HEADER, rows) + feeds.map(troubleText).join(""));
  return 0;
}

function troubleText({ path, trouble, problems, problemCount }: Feed): string {
  const lines = [
    ...(trouble === "" ? [] : [trouble]),
    ...problems.map(({ line, text }) => (line === 0 ? text : `line ${line}: ${text}`)),
    ...(problemCount > problems.length ? [`${problemCount - problems.length} more bad lines`] : []),
  ];
  return lines.map((text) => `${path}: ${text}\n`).join("");
}

/** Ends the watching of files, each named by its path or its feed's number; all of them or none. The exit code. */
export async function stopFeeds(words: readonly string[], context: CommandContext): Promise<number> {
  if (words.length === 0) throw new UserError("expected a file or the number of a feed", "mgpu feed list", EXIT_USAGE);
  return withPeer(context, async (peer) => {
    const { feeds } = await peer.call("feed.list", {});
    const found = words.map((word) => ({ word, feed: find(word, feeds, context) }));
    const unknown = found.filter(({ feed }) => feed === undefined).map(({ word }) => `${word}: no such feed`);
    if (unknown.length > 0) throw new UserError(unknown, "mgpu feed list shows what is watched");
    for (const { feed } of found) {
      if (!feed) continue;
      await peer.call("feed.stop", { feedId: feed.id });
      context.stdio.out(`${feed.path} is watched no more; its jobs stay\n`);
    }
    return 0;
  });
}

/** By its number, else by its path: one's own before another's. */
function find(word: string, feeds: readonly Feed[], { cwd, user }: CommandContext): Feed | undefined {
  const path = absolutePath(word, cwd);
  const byPath = feeds.filter((feed) => feed.path === path);
  const byId = /^\d+$/.test(word) ? feeds.find(({ id }) => id === Number(word)) : undefined;
  return byId ?? byPath.find((feed) => feed.user === user.name) ?? byPath[0];
}

async function withPeer<T>(context: CommandContext, work: (peer: Peer) => Promise<T>): Promise<T> {
  const { peer } = await context.connect({ start: false });
  try {
    return await work(peer);
  } finally {
    peer.close();
  }
}
