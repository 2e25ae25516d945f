/** Options of streams and folders, and of what the commands themselves print. */

import { expected, type Parsed, parseCount } from "../../core/parse.ts";
import { anyText, flag, someText } from "./readers.ts";
import { ALL, named, RUNNERS, SBATCH, SRUN, type SubmitOption } from "./record.ts";

const FILE = { argument: "required", metavar: "file", directive: true, of: RUNNERS, read: someText("a file") } as const;

export const IO = [
  {
    long: "chdir",
    short: "D",
    argument: "required",
    metavar: "folder",
    help: "working directory of the job (default: where the command was typed)",
    variables: { srun: "SLURM_REMOTE_CWD" },
    otherVariables: { srun: ["SLURM_WORKING_DIR"] },
    directive: true,
    of: ALL,
    read: someText("a folder"),
  },
  {
    ...FILE,
    long: "output",
    short: "o",
    help: "where standard output goes; patterns such as %j, %x, %t; none to discard it",
    variables: { srun: "SLURM_STDOUTMODE", sbatch: "SBATCH_OUTPUT" },
  },
  {
    ...FILE,
    long: "error",
    short: "e",
    help: "where standard error goes (default: to standard output's place)",
    variables: { srun: "SLURM_STDERRMODE", sbatch: "SBATCH_ERROR" },
  },
  {
    ...FILE,
    long: "input",
    short: "i",
    help: "where standard input comes from: a file, none, and for srun all or the number of one task",
    variables: { srun: "SLURM_STDINMODE", sbatch: "SBATCH_INPUT" },
  },
  {
    long: "open-mode",
    argument: "required",
    metavar: "append|truncate",
    help: "whether output files are added to or started anew (default truncate)",
    variables: named("OPEN_MODE", RUNNERS),
    directive: true,
    of: RUNNERS,
    read: readOpenMode,
  },
  {
    long: "label",
    short: "l",
    argument: "none",
    help: "put the task's number before each line of output",
    variables: { srun: "SLURM_LABELIO" },
    of: SRUN,
    read: flag,
  },
  {
    long: "unbuffered",
    short: "u",
    argument: "none",
    help: "pass output on as it comes, not by lines (mgpu does so anyway, unless --label needs whole lines)",
    variables: { srun: "SLURM_UNBUFFEREDIO" },
    of: SRUN,
    read: flag,
  },
  {
    long: "wrap",
    argument: "required",
    metavar: "command",
    help: "submit a one-line shell script made of this command",
    of: SBATCH,
    read: anyText,
  },
  {
    long: "each",
    argument: "none",
    help: "each operand is a script, and becomes a job of its own; with - each line of standard input names one",
    of: SBATCH,
    read: flag,
  },
  {
    long: "parsable",
    argument: "none",
    help: "print nothing but the job's number",
    directive: true,
    of: SBATCH,
    read: flag,
  },
  { long: "quiet", short: "Q", argument: "none", help: "print errors only", directive: true, of: ALL, read: flag },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    help: "say what happens",
    variables: named("DEBUG"),
    directive: true,
    of: ALL,
    read: (text: string): Parsed<number> => parseCount(text, 0),
  },
] as const satisfies readonly SubmitOption[];

function readOpenMode(text: string): Parsed<"append" | "truncate"> {
  if (/^a(ppend)?$/i.test(text)) return { value: "append" };
  if (/^t(runcate)?$/i.test(text)) return { value: "truncate" };
  return expected("append or truncate", text);
}
