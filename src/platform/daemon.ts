/** Starting daemons: in a session of their own, without the caller's terminal, streams or working directory. */

import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeLastingFolders } from "./folders.ts";
import { openFilesVariable } from "./open-files.ts";
import { openUserLog } from "./user-folders.ts";

export interface StartedDaemon {
  readonly pid: number;
  readonly logFile: string;
  /** Bytes that the log had before. */
  readonly logFrom: number;
  /** Resolves with the exit code (128 + signal) should it end while we look. */
  readonly exited: Promise<number>;
}

/**
 * V8's: by default new objects get 32 MiB, and the old ones twice what lives of them. Of a long queue little is garbage, and a daemon
 * goes on for months. The launchers in bin/ have the same (src/decisions/0033-rates.md).
 */
const HEAP_FLAGS = ["--max-semi-space-size=8", "--heap-growing-percent=40"];

/** The C library's: it gives back what is free, and takes large parts from the system one by one, also once it has seen larger ones. */
const HEAP_VARIABLES = { MALLOC_TRIM_THRESHOLD_: "131072" };

/**
 * Starts `node PROGRAM ARGS` detached, with its output appended to a log file.
 * Throws Node's error if the log can't be opened or the process can't be started.
 * @param added variables that this process does not have
 * @param own variables instead of this process's
 */
export function startDaemon(
  program: string,
  args: readonly string[],
  logFile: string,
  added: Readonly<Record<string, string>> = {},
  own: NodeJS.ProcessEnv = process.env,
): StartedDaemon {
  makeLastingFolders(dirname(logFile), 0o700);
  const environment = { ...outsideOfJobs(own), ...openFilesVariable(), ...added };
  return startWithLog(program, args, logFile, openSync(logFile, "a", 0o600), environment);
}

/** Variables that a program which becomes another user takes along: nothing of root's own. */
const PASSED_ON = ["PATH", "TZ", "LANG", "LC_ALL"];

/**
 * The same for a program that will become a user: its log is the user's, and root's environment stays here.
 * @param logFile in a folder that is root's
 * @param bytesMax a log larger than this is set aside first: the user can't do so in root's folder
 */
export function startUserDaemon(
  program: string,
  args: readonly string[],
  logFile: string,
  user: { readonly uid: number; readonly gid: number },
  bytesMax: number,
): StartedDaemon {
  setAsideLarge(logFile, bytesMax);
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const environment = { ...Object.fromEntries(passed), ...openFilesVariable(), MGPU_DAEMON: "1" };
  return startWithLog(program, args, logFile, openUserLog(logFile, user), environment);
}

function startWithLog(
  program: string,
  args: readonly string[],
  logFile: string,
  log: number,
  env: NodeJS.ProcessEnv,
): StartedDaemon {
  try {
    const logFrom = fstatSync(log).size;
    const stdio = ["ignore" as const, log, log];
    const child = spawn(process.execPath, [...HEAP_FLAGS, program, ...args], {
      ...{ detached: true, cwd: "/", env: { ...HEAP_VARIABLES, ...env }, stdio },
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

/** A log that has become large makes room for a new one; one old log is kept. */
function setAsideLarge(logFile: string, bytesMax: number): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > bytesMax) renameSync(logFile, `${logFile}.1`);
}
