/**
 * The options of submission, declared once for all commands that submit. Each record says what the user types, in
 * which variable it may stand, and whether a script may carry it; how its text is read stands in reading.ts.
 */

import type { Option, VariableOwner } from "../option.ts";

/** A command that submits jobs. */
export type Submitter = Extract<VariableOwner, "srun" | "sbatch">;

interface SubmitOption extends Option {
  /** Commands that have it. */
  readonly of: readonly Submitter[];
}

const BOTH: readonly Submitter[] = ["srun", "sbatch"];

/** Every option of submission, in the order of help. */
export const SUBMIT_OPTIONS = [
  {
    long: "job-name",
    short: "J",
    argument: "required",
    metavar: "name",
    help: "name of the job",
    variables: { srun: "SLURM_JOB_NAME", sbatch: "SBATCH_JOB_NAME" },
    directive: true,
    of: BOTH,
  },
  {
    long: "ntasks",
    short: "n",
    argument: "required",
    metavar: "count",
    help: "number of tasks to run (default 1)",
    variables: { srun: "SLURM_NTASKS" },
    directive: true,
    of: BOTH,
  },
  {
    long: "cpus-per-task",
    short: "c",
    argument: "required",
    metavar: "count",
    help: "CPUs for each task (default 1)",
    variables: { srun: "SRUN_CPUS_PER_TASK" },
    directive: true,
    of: BOTH,
  },
  {
    long: "nodes",
    short: "N",
    argument: "required",
    metavar: "count|min-max",
    help: "number of nodes",
    variables: { srun: "SLURM_NNODES" },
    directive: true,
    of: BOTH,
  },
  {
    long: "mem",
    argument: "required",
    metavar: "size[KMGT]",
    help: "memory on each node, in MiB without a letter; 0 leaves it uncounted",
    variables: { srun: "SLURM_MEM_PER_NODE", sbatch: "SBATCH_MEM_PER_NODE" },
    directive: true,
    of: BOTH,
  },
  {
    long: "gpus",
    short: "G",
    argument: "required",
    metavar: "[type:]count",
    help: "GPUs for the whole job: 2, a100:2",
    variables: { srun: "SLURM_GPUS", sbatch: "SBATCH_GPUS" },
    directive: true,
    of: BOTH,
  },
  {
    long: "gres",
    argument: "required",
    metavar: "gpu[:type][:n]",
    help: "GPUs on each node: gpu, gpu:2, gpu:a100:2, none",
    variables: { srun: "SLURM_GRES", sbatch: "SBATCH_GRES" },
    directive: true,
    of: BOTH,
  },
  {
    long: "time",
    short: "t",
    argument: "required",
    metavar: "limit",
    help: "time limit: minutes, min:sec, h:m:s, days-h, days-h:m, days-h:m:s or UNLIMITED; 0 means none",
    variables: { srun: "SLURM_TIMELIMIT", sbatch: "SBATCH_TIMELIMIT" },
    directive: true,
    of: BOTH,
  },
  {
    long: "partition",
    short: "p",
    argument: "required",
    metavar: "name",
    help: "partition to run in",
    variables: { srun: "SLURM_PARTITION", sbatch: "SBATCH_PARTITION" },
    directive: true,
    of: BOTH,
  },
  {
    long: "chdir",
    short: "D",
    argument: "required",
    metavar: "folder",
    help: "working directory of the job (default: where the command was typed)",
    variables: { srun: "SLURM_WORKING_DIR" },
    directive: true,
    of: BOTH,
  },
  {
    long: "output",
    short: "o",
    argument: "required",
    metavar: "file",
    help: "where standard output goes; patterns such as %j, %x, %t; none to discard it",
    variables: { srun: "SLURM_STDOUTMODE", sbatch: "SBATCH_OUTPUT" },
    directive: true,
    of: BOTH,
  },
  {
    long: "error",
    short: "e",
    argument: "required",
    metavar: "file",
    help: "where standard error goes (default: to standard output's place)",
    variables: { srun: "SLURM_STDERRMODE", sbatch: "SBATCH_ERROR" },
    directive: true,
    of: BOTH,
  },
  {
    long: "input",
    short: "i",
    argument: "required",
    metavar: "file",
    help: "where standard input comes from: a file, none, and for srun all or the number of one task",
    variables: { srun: "SLURM_STDINMODE", sbatch: "SBATCH_INPUT" },
    directive: true,
    of: BOTH,
  },
  {
    long: "open-mode",
    argument: "required",
    metavar: "append|truncate",
    help: "whether output files are added to or started anew (default truncate)",
    variables: { srun: "SLURM_OPEN_MODE", sbatch: "SBATCH_OPEN_MODE" },
    directive: true,
    of: BOTH,
  },
  {
    long: "export",
    argument: "required",
    metavar: "ALL|NONE|list",
    help: "environment of the job: all of it (default), none, or names and NAME=value pairs; ALL,NAME=value adds",
    variables: { srun: "SLURM_EXPORT_ENV", sbatch: "SBATCH_EXPORT" },
    directive: true,
    of: BOTH,
  },
  {
    long: "requeue",
    argument: "none",
    help: "start the job again if its node fails (default)",
    variables: { sbatch: "SBATCH_REQUEUE" },
    directive: true,
    of: ["sbatch"],
  },
  {
    long: "no-requeue",
    argument: "none",
    help: "never start the job again",
    variables: { sbatch: "SBATCH_NO_REQUEUE" },
    directive: true,
    of: ["sbatch"],
  },
  {
    long: "label",
    short: "l",
    argument: "none",
    help: "put the task's number before each line of output",
    variables: { srun: "SLURM_LABELIO" },
    of: ["srun"],
  },
  {
    long: "unbuffered",
    short: "u",
    argument: "none",
    help: "pass output on as it comes, not by lines (mgpu does so anyway, unless --label needs whole lines)",
    variables: { srun: "SLURM_UNBUFFEREDIO" },
    of: ["srun"],
  },
  {
    long: "pty",
    argument: "none",
    help: "run the task in a terminal of its own",
    of: ["srun"],
  },
  {
    long: "no-pty",
    argument: "none",
    help: "never use a terminal; by default mgpu-srun does when one task is run from a terminal",
    of: ["srun"],
  },
  {
    long: "wrap",
    argument: "required",
    metavar: "command",
    help: "submit a one-line shell script made of this command",
    of: ["sbatch"],
  },
  {
    long: "parsable",
    argument: "none",
    help: "print nothing but the job's number",
    directive: true,
    of: ["sbatch"],
  },
  {
    long: "quiet",
    short: "Q",
    argument: "none",
    help: "print errors only",
    directive: true,
    of: BOTH,
  },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    help: "say what happens",
    variables: { srun: "SLURM_DEBUG", sbatch: "SBATCH_DEBUG" },
    directive: true,
    of: BOTH,
  },
] as const satisfies readonly SubmitOption[];

/** Long name of an option of submission. */
export type SubmitLong = (typeof SUBMIT_OPTIONS)[number]["long"];

/** The options that a command has. */
export function submitOptions(submitter: Submitter): readonly Option[] {
  const all: readonly SubmitOption[] = SUBMIT_OPTIONS;
  return all.filter(({ of }) => of.includes(submitter));
}
