/** Settings of feeds: files of jobs that are watched. */

import { GUARD_LINES } from "../core/feed/feed.ts";
import { absolutePaths, type Key } from "./setting.ts";

export interface FeedSettings {
  /** Absolute paths of files that are watched from the start on, for the controller's own user. */
  readonly feedFiles: readonly string[];
  /** Seconds between looks at a watched file. */
  readonly feedIntervalS: number;
  /** Lines of each file that are remembered as queued, oldest forgotten first. */
  readonly feedLinesKept: number;
}

export const FEED_SETTINGS: { readonly [K in keyof FeedSettings]: Key<FeedSettings[K]> } = {
  feedFiles: {
    key: "feeds.files",
    about:
      "files of jobs that are watched from the start on, as by mgpu feed --watch in the folder of each; their jobs are of the user whose controller it is",
    variable: "MGPU_FEEDS_FILES",
    fallback: [],
    parse: absolutePaths,
    expected: "absolute paths with commas between them",
  },
  feedIntervalS: {
    key: "feeds.interval",
    about: "seconds between looks at files of jobs that are watched (mgpu feed --watch)",
    isLive: true,
    variable: "MGPU_FEEDS_INTERVAL",
    fallback: 2,
    parse: (text) => (/^\d{1,5}(\.\d{1,3})?$/.test(text) && Number(text) >= 0.1 ? Number(text) : undefined),
    expected: "seconds, at least 0.1",
  },
  feedLinesKept: {
    key: "feeds.remembered",
    about: "lines of each such file that are remembered, so that none is queued twice; the oldest are forgotten first",
    isLive: true,
    variable: "MGPU_FEEDS_REMEMBERED",
    fallback: GUARD_LINES,
    parse: (text) => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined),
    expected: "a count from 1 to 9999999",
  },
};
