/** Starting daemons: in a session of their own, without the caller's terminal, streams or working directory. */

import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { makeLastingFolders } from "./folders.ts";
import { openFilesVariable } from "./open-files.ts";

export interface StartedDaemon {
  readonly pid: number;
  readonly logFile: string;
  /** Bytes that the log had before. */
  readonly logFrom: number;
  /** Resolves with the exit code (128 + signal) should it end while we look. */
  readonly exited: Promise<number>;
}

/**
 * Starts `node PROGRAM ARGS` detached, with its output appended to a log file.
 * Throws Node's error if the log can't be opened or the process can't be started.
 * @param added variables that this process does not have
 */
export function startDaemon(
  program: string,
  args: readonly string[],
  logFile: string,
  added: Readonly<Record<string, string>> = {},
): StartedDaemon {
  makeLastingFolders(dirname(logFile), 0o700);
  const log = openSync(logFile, "a", 0o600);
  try {
    const logFrom = fstatSync(log).size;
    const child = spawn(process.execPath, [program, ...args], {
      detached: true,
      cwd: "/",
      env: { ...outsideOfJobs(process.env), ...openFilesVariable(), ...added },
      stdio: ["ignore", log, log],
    });
    child.unref();
    // Where no process could be made, Node says so in an event as well; unheard, it would end this program.
    child.once("error", () => {});
    if (child.pid === undefined) throw new Error(`${process.execPath} could not be started`);
    const exited = new Promise<number>((resolve) => {
      child.once("exit", (code) => resolve(code ?? 128));
    });
    return { pid: child.pid, logFile, logFrom, exited };
  } finally {
    closeSync(log);
  }
}

/**
 * A daemon that was started from inside a job is not part of it: the job's end must not be its own. MGPU_DAEMON tells
 * holders so.
 */
function outsideOfJobs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { MGPU_STEP: _step, MGPU_STEP_SCOPE: _scope, ...rest } = environment;
  return { ...rest, MGPU_DAEMON: "1" };
}
