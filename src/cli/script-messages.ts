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
  if (isSlurmName(program)) return [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const name = line.trimStart().startsWith("#") ? undefined : CALL.exec(line)?.[1];
    if (name === undefined || files.findProgram(name, cwd, environment.PATH ?? "") !== "missing") continue;
    const where = lines.length > 1 ? `${file}: line ${index + 1}` : file;
    return [
      `${where}: ${name} is nowhere along PATH, and the job will not find it: write mgpu-${name}, or have Slurm's names: mgpu shims ~/slurm-names && export PATH="$HOME/slurm-names:$PATH"`,
    ];
  }
  return [];
}
