/** Feeds: their jobs, each once, and the files that are watched. */

import type { DropFeed, PutFeed, ReadFeed, SubmitLine } from "../commands.ts";
import { FEEDS_PER_USER_MAX, type Feed, PROBLEMS_KEPT_MAX } from "../feed/feed.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore } from "./decision.ts";
import { decideSubmit } from "./submit.ts";

/** Queues the job of a line unless one of the same meaning was queued before; both are on disk together. */
export function decideSubmitLine(state: ClusterState, command: SubmitLine, now: number): Decision {
  const { guard, digest, kept, isAgain, job } = command;
  const known = state.requests.get(job.requestId);
  if (known !== undefined) return { kind: "ignore", why: "this submission was accepted before", jobId: known };
  if (!isAgain && state.feedGuards.get(guard)?.has(digest)) return ignore("this line was queued before");
  const decision = decideSubmit(state, job, now);
  if (decision.kind !== "accept") return decision;
  return { ...decision, events: [...decision.events, { type: "feed.line", guard, digest, kept }] };
}

/** Watches a file, or the same one with other options. */
export function decidePutFeed(state: ClusterState, { feed }: PutFeed, now: number): Decision {
  const own = [...state.feeds.values()].filter(({ user }) => user.uid === feed.user.uid);
  const known = own.find(({ path }) => path === feed.path);
  if (!known && own.length >= FEEDS_PER_USER_MAX) {
    const hint = `${own.length} are watched for ${feed.user.name}: mgpu feed list shows them, mgpu feed stop ends one`;
    return deny("QUEUE_FULL", "too many files are watched", hint);
  }
  const id = known?.id ?? state.nextFeedId;
  // Other options are other jobs: the file is read again.
  const record: Feed = { queued: 0, trouble: "", since: now, ...known, ...feed, id, reading: null };
  return accept({ type: "feed.set", feed: record });
}

/** Notes what came of a reading, or why there was none. */
export function decideReadFeed(state: ClusterState, command: ReadFeed): Decision {
  const feed = state.feeds.get(command.feedId);
  if (!feed) return ignore("this file is not watched any more");
  const { reading = feed.reading, queued = 0, trouble } = command;
  if (reading === feed.reading && trouble === feed.trouble) return ignore("so it is already");
  const problems = reading?.problems.slice(0, PROBLEMS_KEPT_MAX) ?? [];
  const kept = reading && { ...reading, problems };
  return accept({ type: "feed.set", feed: { ...feed, reading: kept, trouble, queued: feed.queued + queued } });
}

/** Watches a file no more. What was queued of it stays, and is remembered. */
export function decideDropFeed(state: ClusterState, { feedId, byUid }: DropFeed): Decision {
  const feed = state.feeds.get(feedId);
  if (!feed) return deny("INVALID_UPDATE", `no file is watched as feed ${feedId}`, "mgpu feed list shows them");
  if (byUid !== 0 && byUid !== feed.user.uid) {
    return deny("PERMISSION", "Access/permission denied", `feed ${feedId} is ${feed.user.name}'s`);
  }
  return accept({ type: "feed.deleted", feedId });
}
