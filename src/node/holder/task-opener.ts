/**
 * What runs in a task's own process before its program and then becomes it: it lowers the limit of open files, which
 * Node has raised for us, and opens the task's FIFOs.
 */

import type { Processes } from "../../platform/process.ts";
import { splitEnvironment } from "./batch-spool.ts";
import { SYSTEM_SEARCH_PATH } from "./ports.ts";

/** The stream kinds of a task, as messages name them. */
export type StreamRole = "stdin" | "stdout" | "stderr";

export interface TaskOpening {
  /** Absolute paths. */
  readonly fifos: ReadonlyMap<StreamRole, string>;
  /** stderr goes where stdout goes. */
  readonly sharesOutput: boolean;
  /** The program's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Soft limit of open files; null to leave it as it is. */
  readonly openFiles: number | null;
}

const SHELL = "/bin/sh";

const REDIRECTIONS = { stdin: "<", stdout: ">", stderr: "2>" } as const;

/** The beginning of an argument list that the program's own follows; empty if there is nothing to do. */
export function taskOpener(processes: Pick<Processes, "findProgram">, opening: TaskOpening): string[] {
  const { fifos, openFiles } = opening;
  if (fifos.size > 0) return shellOpener(processes, opening);
  if (openFiles === null) return [];
  // Unlike a shell it leaves the environment as it is. Where it is missing (busybox has none), a shell has to do.
  const prlimit = processes.findProgram("prlimit", SYSTEM_SEARCH_PATH, "/");
  return "file" in prlimit ? [prlimit.file, `--nofile=${openFiles}:`] : shellOpener(processes, opening);
}

/** The shell uses no variable: an exported one of that name would change in the program's environment. */
function shellOpener(
  processes: Pick<Processes, "findProgram">,
  { fifos, sharesOutput, environment, openFiles }: TaskOpening,
): string[] {
  const limit = openFiles === null ? "" : `ulimit -S -n ${openFiles}; `;
  const opened = [...fifos].map(([role, path]) => `${REDIRECTIONS[role]}${quoted(path)}`);
  const joined = sharesOutput && fifos.has("stdout") ? ["2>&1"] : [];
  // All in one: a shell that redirects first keeps its old descriptors, and some pass them on.
  const text = [`${limit}exec "$@"`, ...opened, ...joined].join(" ");
  // What a shell would drop of the environment is set again.
  const dropped = Object.entries(splitEnvironment(environment).dropped).map(([name, value]) => `${name}=${value}`);
  const env = processes.findProgram("env", SYSTEM_SEARCH_PATH, "/");
  const setting = dropped.length > 0 && "file" in env ? [env.file, ...dropped] : [];
  return [SHELL, "-c", text, SHELL, ...setting];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
