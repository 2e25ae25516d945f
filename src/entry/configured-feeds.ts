/**
 * Files of jobs that the configuration names (feeds.files): watched from the controller's start on, by the command that
 * people use for it, with what it checks and says.
 */

import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import type { Log } from "../platform/log.ts";

/** Before a file that could not be watched (it is still to be made, or on a disk that is away) is tried again. */
const AGAIN_MS = 10_000;

/** What the command says once the controller watches the file, whatever it thinks of single lines. */
const WATCHED = / is watched as feed \d+;/;

/** Has the controller at `socket` watch them. A file that can't be read is told of once, and tried again. */
export function watchConfigured(files: readonly string[], socket: string, log: Log): void {
  for (const path of files) watchOne(path, socket, log, "");
}

function watchOne(path: string, socket: string, log: Log, before: string): void {
  const { MGPU_DAEMON: _, ...environment } = process.env;
  const options = { cwd: dirname(path), env: { ...environment, MGPU_CONTROLLER: socket }, encoding: "utf8" } as const;
  execFile(process.execPath, [join(__dirname, "mgpu.cjs"), "feed", "--watch", path], options, (error, _out, said) => {
    if (WATCHED.test(said)) return log.info("a feed of the configuration is watched", { path });
    const problem = said.trim() || (error?.message ?? "it said nothing");
    if (problem !== before) log.warn("a feed of the configuration can't be watched", { path, problem });
    setTimeout(() => watchOne(path, socket, log, problem), AGAIN_MS).unref();
  });
}
