/** How a task's FIFOs are opened: by a shell in the task's own process, which then becomes the program. */

import type { Processes } from "../../platform/process.ts";
import { splitEnvironment } from "./batch-spool.ts";
import { SYSTEM_SEARCH_PATH } from "./ports.ts";

/** The stream kinds of a task, as messages name them. */
export type StreamRole = "stdin" | "stdout" | "stderr";

const SHELL = "/bin/sh";

const REDIRECTIONS = { stdin: "<", stdout: ">", stderr: "2>" } as const;

/**
 * The beginning of an argument list that the program's own follows. The shell uses no variable: an exported one of
 * that name would change in the program's environment.
 * @param fifos absolute paths; at least one
 * @param sharesOutput stderr goes where stdout goes
 * @param environment the program's; what a shell would drop of it is set again
 */
export function fifoOpener(
  processes: Pick<Processes, "findProgram">,
  fifos: ReadonlyMap<StreamRole, string>,
  sharesOutput: boolean,
  environment: Readonly<Record<string, string>>,
): string[] {
  const opened = [...fifos].map(([role, path]) => `${REDIRECTIONS[role]}${quoted(path)}`);
  const joined = sharesOutput && fifos.has("stdout") ? ["2>&1"] : [];
  // All in one: a shell that redirects first keeps its old descriptors, and some pass them on.
  const text = ['exec "$@"', ...opened, ...joined].join(" ");
  const dropped = Object.entries(splitEnvironment(environment).dropped).map(([name, value]) => `${name}=${value}`);
  const env = processes.findProgram("env", SYSTEM_SEARCH_PATH, "/");
  const setting = dropped.length > 0 && "file" in env ? [env.file, ...dropped] : [];
  return [SHELL, "-c", text, SHELL, ...setting];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
