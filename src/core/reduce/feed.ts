/** How events change feeds and what is remembered of their lines. */

import type { Event } from "../events.ts";
import { GUARDS_MAX } from "../feed/feed.ts";
import type { ClusterState } from "../state.ts";

export type FeedEvent = Extract<Event, { type: "feed.set" | "feed.deleted" | "feed.line" }>;

/** Applies an event of a feed. */
export function changeFeed(state: ClusterState, event: FeedEvent): void {
  switch (event.type) {
    case "feed.set":
      state.feeds.set(event.feed.id, event.feed);
      state.nextFeedId = Math.max(state.nextFeedId, event.feed.id + 1);
      return;
    case "feed.deleted":
      state.feeds.delete(event.feedId);
      return;
    case "feed.line":
      remember(state, event);
  }
}

/** The newest line and file stand last, and the oldest are forgotten. */
function remember({ feedGuards }: ClusterState, event: Extract<FeedEvent, { type: "feed.line" }>): void {
  const { guard, digest, kept } = event;
  const lines = feedGuards.get(guard) ?? new Set();
  // Again means anew: it is among the oldest no more.
  lines.delete(digest);
  lines.add(digest);
  forgetOldest(lines, kept);
  feedGuards.delete(guard);
  feedGuards.set(guard, lines);
  forgetOldest(feedGuards, GUARDS_MAX);
}

function forgetOldest(known: Set<string> | Map<string, unknown>, most: number): void {
  for (const key of known.keys()) {
    if (known.size <= most) return;
    known.delete(key);
  }
}
