/** What is said of a batch script's lines: in which order, and of commands that its job would not find. */

import { isSlurmName } from "./connect.ts";
import type { CommandContext } from "./context.ts";

/** Commands of Slurm's that scripts call, where a shell looks for a command. */
const CALL =
  /(?:^|[;&|`(]|\b(?:then|do|else|exec|time)\s)\s*(srun|scontrol|sbatch|sbcast|squeue|scancel|sinfo|sacct)(?=[\s);]|$)/;

/** Problems of a script's lines as the lines stand; those of anything else keep their places. */
export function inOrderOfLines(problems: readonly string[], file: string): string[] {
  const start = `${file}: line `;
  const lineOf = (text: string): number => Number.parseInt(text.slice(start.length), 10);
  const sorted = problems.filter((text) => text.startsWith(start)).sort((one, other) => lineOf(one) - lineOf(other));
  return problems.map((text) => (text.startsWith(start) ? (sorted.shift() ?? text) : text));
}

/** Of scripts that were made for Slurm: the job's PATH is the submitter's, and where that has no srun, it ends with 127. */
export function slurmNameWarnings(
  { file, text }: { readonly file: string; readonly text: string },
  { environment, files, cwd, program }: Pick<CommandContext, "environment" | "files" | "cwd" | "program">,
): string[] {
  if (isSlurmName(program) || OTHER_INTERPRETER.test(text)) return [];
  const lines = text.split("\n");
  // Most scripts have no such word at all.
  const commands = lines.some((line) => CALL.test(line)) ? commandsOnly(lines) : [];
  for (const [index, line] of commands.entries()) {
    const name = CALL.exec(line)?.[1];
    if (name === undefined || files.findProgram(name, cwd, environment.PATH ?? "") !== "missing") continue;
    if (commands.some((one) => one.length <= LINE_CHARS_MAX && seesToIt(name).test(one))) return [];
    const where = lines.length > 1 ? `${file}: line ${index + 1}` : file;
    return [
      `${where}: ${name} is nowhere along PATH, and the job will not find it: write mgpu-${name}, or have Slurm's names: mgpu shims ~/slurm-names && export PATH="$HOME/slurm-names:$PATH"`,
    ];
  }
  return [];
}

/** `#!/usr/bin/env python3`, where a line may begin with such a word as well. */
const OTHER_INTERPRETER = /^#!(?!.*(?:^|[/\s])[a-z]*sh(?:\s|$)).*/;

/** Longer ones are nobody's own: they would take long to search. */
const LINE_CHARS_MAX = 1000;

/** A script that looks for a command, defines it, or looks for commands elsewhere. */
function seesToIt(name: string): RegExp {
  const asks = `\\b(?:command\\s+-[vV]|which|type|hash|alias)\\s.*\\b${name}\\b`;
  const defines = `\\b${name}\\s*\\(\\)|\\bfunction\\s+${name}\\b`;
  // Environments of Python and the user's own start-up files are where the submitter was.
  const sources = "^\\s*(?:\\.|source)\\s+(?!\\S*(?:activate|conda|bashrc|profile))";
  return new RegExp(`${asks}|${defines}|\\bPATH=|\\b(?:module|ml|spack)\\b.*[sS]lurm|${sources}`);
}

/** What a command is told to read, up to the line that is this word. */
const HERE_DOCUMENT = /(?<!<)<<-?\s*(['"\\]?)([A-Za-z_]\w*)\1(?!<)/;

/** Words in quotes and remarks. */
const QUOTED = /\\.|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|(?<=^|[\s;&|()])#.*/gm;

/** The same lines without quoted words, remarks and here-documents: roughly, what a shell takes for commands. */
function commandsOnly(lines: readonly string[]): string[] {
  const lastOf = new Map(lines.map((line, index) => [line.trim(), index]));
  let end: string | undefined;
  const kept = lines.map((line, index) => {
    if (end !== undefined) {
      if (line.trim() === end) end = undefined;
      return "";
    }
    const word = HERE_DOCUMENT.exec(line)?.[2];
    // One that nothing ends is none, for instance a number that is shifted.
    if (word !== undefined && (lastOf.get(word) ?? -1) > index) end = word;
    return line;
  });
  // What stands between double quotes may be a command after all: "$(scontrol ...)".
  const plain = (one: string): string => (/^"[\s\S]*(\$\(|`)/.test(one) ? one : one.replace(/[^\n]+/g, "_"));
  return kept.join("\n").replace(QUOTED, plain).split("\n");
}
