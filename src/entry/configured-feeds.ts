/**
 * Files of jobs that the configuration names (feeds.files): watched from the controller's start on, by the command that
 * people use for it, with what it checks and says. One that it names no more is stopped at the next start, in the same way.
 */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, realDisk } from "../platform/disk.ts";
import type { Log } from "../platform/log.ts";

/** Before a file that could not be watched (it is still to be made, or on a disk that is away) is tried again. */
const AGAIN_MS = 10_000;

/** What the command says once the controller watches the file, whatever it thinks of single lines. */
const WATCHED = / is watched as feed \d+;/;

/** What it says of a file that nobody watches, or watches any more. */
const STOPPED = / is watched no more;|: no such feed/;

/** Which of them came from the configuration, one path a line: those that people watch themselves are theirs to end. */
const LIST = "configured-feeds";

export interface ConfiguredFeeds {
  readonly files: readonly string[];
  /** The controller's socket. */
  readonly socket: string;
  /** The state folder. */
  readonly home: string;
  readonly log: Log;
}

/** Has the controller watch them. A file that can't be read is told of once, and tried again. */
export async function watchConfigured(feeds: ConfiguredFeeds, disk: Disk = realDisk()): Promise<void> {
  const list = join(feeds.home, LIST);
  const before = namedBefore(list);
  const gone = before.filter((path) => !feeds.files.includes(path));
  // Those that are gone stay in the list until they are stopped: a controller that ends in between does it at its next start.
  const keep = (paths: readonly string[]) =>
    disk.replace(list, new TextEncoder().encode(paths.map((path) => `${path}\n`).join("")));
  if (before.length + feeds.files.length > 0) await keep([...feeds.files, ...gone]);
  for (const path of feeds.files) watchOne(path, feeds, "");
  if (gone.length > 0 && (await Promise.all(gone.map((path) => stopOne(path, feeds)))).every(Boolean))
    await keep(feeds.files);
}

function namedBefore(list: string): readonly string[] {
  try {
    return readFileSync(list, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function watchOne(path: string, feeds: ConfiguredFeeds, before: string): void {
  run(["--watch", path], dirname(path), feeds.socket, (said) => {
    if (WATCHED.test(said)) return feeds.log.info("a feed of the configuration is watched", { path });
    if (said !== before) feeds.log.warn("a feed of the configuration can't be watched", { path, problem: said });
    setTimeout(() => watchOne(path, feeds, said), AGAIN_MS).unref();
  });
}

function stopOne(path: string, { socket, log }: ConfiguredFeeds): Promise<boolean> {
  return new Promise((resolve) => {
    run(["stop", path], "/", socket, (said) => {
      if (STOPPED.test(said)) log.info("a feed that the configuration names no more is stopped", { path });
      else
        log.warn("a feed that the configuration names no more can't be stopped: mgpu feed stop", {
          path,
          problem: said,
        });
      resolve(STOPPED.test(said));
    });
  });
}

/** `mgpu feed` with these words; `done` gets all that it printed, or why it could not. */
function run(words: readonly string[], cwd: string, socket: string, done: (said: string) => void): void {
  const { MGPU_DAEMON: _, ...environment } = process.env;
  const options = { cwd, env: { ...environment, MGPU_CONTROLLER: socket }, encoding: "utf8" } as const;
  execFile(process.execPath, [join(__dirname, "mgpu.cjs"), "feed", ...words], options, (error, out, told) => {
    done(`${out}${told}`.trim() || (error?.message ?? "it said nothing"));
  });
}
