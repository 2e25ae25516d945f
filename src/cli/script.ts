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

/** `#!` */
const SHEBANG = [35, 33];

/** The script that a command line asks for: a command to wrap, a file, or standard input. */
export function loadScript(wrap: string | undefined, path: string | undefined, context: CommandContext): Script {
  if (wrap !== undefined) return wrappedScript(wrap);
  const isStdin = path === undefined || path === "-" || path === "/dev/stdin";
  const file = isStdin ? "standard input" : path;
  const jobName = isStdin ? "sbatch" : (path.split("/").at(-1) ?? path);
  const command = isStdin ? jobName : path;
  try {
    const bytes = context.files.readWhile(isStdin ? null : path, scriptReader());
    const text = new TextDecoder().decode(bytes);
    const problems = scriptProblems(bytes, text, isStdin ? "from STDIN" : path);
    return { bytes, text, file, jobName, command, problems };
  } catch (error) {
    const problems = [`Unable to open file ${path ?? file}`, `${file}: ${errnoText(error)}`];
    return { bytes: new Uint8Array(), text: "", file, jobName, command, problems };
  }
}

function wrappedScript(command: string): Script {
  const text = `#!/bin/sh\n# This script was created by sbatch --wrap.\n\n${command}\n`;
  const bytes = new TextEncoder().encode(text);
  const problems = sizeProblems(bytes.length, "from --wrap");
  // A wrapped command holds no directives, whatever it starts with.
  return { bytes, text: "", file: "--wrap", jobName: "wrap", command: "wrap", problems };
}

/** Sees piece after piece; false as soon as it can't be a script whatever follows: /dev/zero has no end. */
function scriptReader(): (piece: Uint8Array) => boolean {
  const start: number[] = [];
  let length = 0;
  let isBlank = true;
  return (piece) => {
    length += piece.length;
    start.push(...piece.subarray(0, SHEBANG.length - start.length));
    isBlank &&= piece.every(isWhitespace);
    // Of nothing but whitespace another message tells than of any other beginning.
    const isPossible = isBlank || start.length < SHEBANG.length || hasShebang(start);
    return isPossible && length <= SCRIPT_BYTES_MAX;
  };
}

function isWhitespace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function hasShebang(bytes: ArrayLike<number>): boolean {
  return SHEBANG.every((byte, index) => bytes[index] === byte);
}

/**
 * Slurm's checks in Slurm's words, which are matched by programs and found by search engines. `bytes` may be no more
 * than the beginning of what can't be a script.
 */
function scriptProblems(bytes: Uint8Array, text: string, origin: string): string[] {
  if (bytes.length === 0) return ["Batch script is empty!"];
  const tooBig = sizeProblems(bytes.length, origin);
  if (tooBig.length > 0) return tooBig;
  if (text.trim() === "") return ["Batch script contains only whitespace!"];
  if (!hasShebang(bytes)) {
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

/** @param origin `from STDIN`, or the path */
function sizeProblems(length: number, origin: string): string[] {
  if (length <= SCRIPT_BYTES_MAX) return [];
  return [`Script ${origin} is too big, read ${length} > ${SCRIPT_BYTES_MAX} bytes.`];
}
