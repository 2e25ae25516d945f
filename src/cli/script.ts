/** The batch script of sbatch: where it comes from, and whether it can be one. */

import { errnoText } from "../util/errno.ts";
import type { CommandContext } from "./context.ts";

export interface Script {
  readonly bytes: Uint8Array;
  /** Its text, for finding directives. */
  readonly text: string;
  /** How messages name it. */
  readonly file: string;
  readonly jobName: string;
  /** What the job's record keeps as its command. */
  readonly command: string;
  readonly problems: readonly string[];
}

/** Longest script, Slurm's default limit too: it is kept with the job. */
const SCRIPT_BYTES_MAX = 4 * 1024 * 1024;

/** The script that a command line asks for: a command to wrap, a file, or standard input. */
export function loadScript(wrap: string | undefined, path: string | undefined, context: CommandContext): Script {
  if (wrap !== undefined) return wrappedScript(wrap);
  const isStdin = path === undefined || path === "-" || path === "/dev/stdin";
  const file = isStdin ? "standard input" : path;
  const jobName = isStdin ? "sbatch" : (path.split("/").at(-1) ?? path);
  const command = isStdin ? jobName : path;
  try {
    const bytes = isStdin ? context.files.readStdin() : context.files.read(path);
    const text = new TextDecoder().decode(bytes);
    return { bytes, text, file, jobName, command, problems: scriptProblems(bytes, text) };
  } catch (error) {
    const problems = [`Unable to open file ${path ?? file}`, `${file}: ${errnoText(error)}`];
    return { bytes: new Uint8Array(), text: "", file, jobName, command, problems };
  }
}

function wrappedScript(command: string): Script {
  const text = `#!/bin/sh\n# This script was created by sbatch --wrap.\n\n${command}\n`;
  const bytes = new TextEncoder().encode(text);
  const problems = bytes.length > SCRIPT_BYTES_MAX ? scriptProblems(bytes, text) : [];
  // A wrapped command holds no directives, whatever it starts with.
  return { bytes, text: "", file: "--wrap", jobName: "wrap", command: "wrap", problems };
}

/** Slurm's checks in Slurm's words, which are matched by programs and found by search engines. */
function scriptProblems(bytes: Uint8Array, text: string): string[] {
  if (bytes.length === 0) return ["Batch script is empty!"];
  if (bytes.length > SCRIPT_BYTES_MAX) {
    return [`Batch script has ${bytes.length} bytes, at most ${SCRIPT_BYTES_MAX} are possible`];
  }
  if (text.trim() === "") return ["Batch script contains only whitespace!"];
  if (!text.startsWith("#!")) {
    return [
      "This does not look like a batch script.  The first",
      "line must start with #! followed by the path to an interpreter.",
      "For instance: #!/bin/sh",
    ];
  }
  if (bytes.includes(0)) {
    return ["The Slurm controller does not allow scripts that", "contain a NULL character '\\0'."];
  }
  if (text.includes("\r\n")) {
    return ["Batch script contains DOS line breaks (\\r\\n)", "instead of expected UNIX line breaks (\\n)."];
  }
  return [];
}
