/** Options of how srun starts and watches its tasks, and of salloc's own command. */

import { lastTask, parseTaskSet, tasksOf } from "../../core/array-spec.ts";
import { type CpuBind, parseCpuBind } from "../../core/cpu-bind.ts";
import { expected, type Parsed, quote } from "../../core/parse.ts";
import { parseSignal, SIGTERM } from "../../core/signals.ts";
import { anyText, countFromZero, flag, someText } from "./readers.ts";
import { ALL, ignored, named, refused, SALLOC, SRUN, type SubmitOption } from "./record.ts";

const FLAG = { argument: "none", of: SRUN, read: flag } as const;
const PROGRAM = { argument: "required", metavar: "program", of: SRUN, read: someText("a program, or none") } as const;

export const LAUNCH = [
  {
    long: "jobid",
    aliases: ["job-id"],
    argument: "required",
    metavar: "id",
    help: "make a step within this job, rather than a job of its own",
    variables: { srun: "SLURM_JOB_ID" },
    otherVariables: { srun: ["SLURM_JOBID"] },
    of: SRUN,
    read: readJobId,
  },
  {
    ...FLAG,
    long: "overlap",
    help: "within a job: use CPUs and GPUs together with other steps",
    variables: { srun: "SLURM_OVERLAP" },
  },
  {
    ...FLAG,
    long: "exact",
    help: "within a job: no more CPUs than the tasks need, so that steps can run side by side",
    variables: { srun: "SLURM_EXACT" },
  },
  {
    ...FLAG,
    long: "external-launcher",
    help: "within a job: a step for another launcher's processes, beside all others; as --overlap",
  },
  { ...FLAG, long: "multi-prog", help: "the operand is a file that says which task runs which program" },
  {
    long: "kill-on-bad-exit",
    short: "K",
    argument: "optional",
    metavar: "0|1",
    help: "end all tasks when one fails",
    variables: { srun: "SLURM_KILL_BAD_EXIT" },
    of: SRUN,
    read: (text: string): Parsed<boolean> =>
      /^\d*$/.test(text) ? { value: !/^0+$/.test(text) } : expected("0 or 1, or no value", text),
  },
  {
    long: "wait",
    short: "W",
    argument: "required",
    metavar: "seconds",
    help: "end the other tasks so long after the first one ended; 0 (default) waits for all",
    variables: { srun: "SLURM_WAIT" },
    of: SRUN,
    read: countFromZero,
  },
  {
    long: "mpi",
    argument: "required",
    metavar: "none",
    help: "none only: start MPI programs by mpirun or mpiexec within an allocation",
    variables: { srun: "SLURM_MPI_TYPE" },
    of: SRUN,
    read: readMpi,
  },
  {
    long: "cpu-bind",
    aliases: ["cpu_bind"],
    argument: "required",
    metavar: "[verbose,]kind",
    help: "bind tasks to CPUs of their nodes: none (default), threads, cores, sockets, map_cpu:0,1 ...; --cpu-bind=help",
    variables: { srun: "SLURM_CPU_BIND" },
    of: SRUN,
    read: readCpuBind,
  },
  {
    long: "bcast",
    argument: "optional",
    metavar: "path",
    help: "copy the program to each node first, and run the copy",
    variables: { srun: "SLURM_BCAST" },
    of: SRUN,
    read: anyText,
  },
  {
    long: "send-libs",
    argument: "optional",
    metavar: "no",
    help: "no only: libraries are not copied with the program",
    variables: { srun: "SLURM_SEND_LIBS" },
    of: SRUN,
    read: (text: string): Parsed<false> =>
      /^no?$/i.test(text)
        ? { value: false }
        : { problem: "libraries are not copied with the program; copy them by mgpu-sbcast and set LD_LIBRARY_PATH" },
  },
  { ...PROGRAM, long: "prolog", help: "run this here before the step starts", variables: { srun: "SLURM_PROLOG" } },
  { ...PROGRAM, long: "epilog", help: "run this here after the step's end", variables: { srun: "SLURM_EPILOG" } },
  {
    ...PROGRAM,
    long: "task-prolog",
    help: "run this before each task, on its node; its lines 'export NAME=value', 'unset NAME' and 'print text' count",
    variables: { srun: "SLURM_TASK_PROLOG" },
  },
  {
    ...PROGRAM,
    long: "task-epilog",
    help: "run this after each task, on its node, for a few seconds at most",
    variables: { srun: "SLURM_TASK_EPILOG" },
  },
  {
    long: "conda-env",
    argument: "required",
    metavar: "name",
    help: "run in this conda environment of the node, by name or folder; the program does not start without it",
    variables: { srun: "MGPU_CONDA_ENV", sbatch: "MGPU_CONDA_ENV", salloc: "MGPU_CONDA_ENV" },
    directive: true,
    of: ALL,
    read: someText("the name of a conda environment"),
  },
  {
    long: "venv",
    argument: "required",
    metavar: "path",
    help: "run in this virtual environment of Python; the program does not start without it",
    variables: { srun: "MGPU_VENV", sbatch: "MGPU_VENV", salloc: "MGPU_VENV" },
    directive: true,
    of: ALL,
    read: someText("the folder of a virtual environment"),
  },
  {
    ...FLAG,
    long: "disable-status",
    short: "X",
    help: "pass one Ctrl-C on to the tasks at once instead of showing how they stand",
    variables: { srun: "SLURM_DISABLE_STATUS" },
  },
  { ...FLAG, long: "quit-on-interrupt", help: "end the step at one Ctrl-C" },
  { long: "no-shell", argument: "none", help: "allocate, and run nothing", of: SALLOC, read: flag },
  {
    long: "bell",
    argument: "none",
    help: "ring the terminal's bell when the job has its resources, however soon",
    variables: named("BELL", SALLOC),
    of: SALLOC,
    read: flag,
  },
  {
    long: "no-bell",
    argument: "none",
    help: "never ring the terminal's bell",
    variables: named("NO_BELL", SALLOC),
    of: SALLOC,
    read: flag,
  },
  {
    long: "kill-command",
    short: "K",
    argument: "optional",
    metavar: "signal",
    help: "send the command this signal (default TERM) when the job is ended",
    variables: { salloc: "SALLOC_KILL_CMD" },
    of: SALLOC,
    read: readSignal,
  },
  ignored("whole", SRUN, "a step may use all of its job's nodes anyway", { argument: "none" }),
  ignored("interactive", SRUN, "an allocation's shell runs where it was typed", { argument: "none" }),
  ignored("threads", SRUN, "each node is told by itself, all at once", {
    short: "T",
    variables: { srun: "SLURM_THREADS" },
  }),
  ignored("compress", SRUN, "a copy of the program is small against what it computes", {
    argument: "optional",
    variables: { srun: "SLURM_COMPRESS" },
  }),
  ignored("bcast-exclude", SRUN, "no libraries are copied with the program", {
    variables: { srun: "SLURM_BCAST_EXCLUDE" },
  }),
  ignored("slurmd-debug", SRUN, "what a node daemon logs is its own setting", { variables: { srun: "SLURMD_DEBUG" } }),
  ignored("msg-timeout", SRUN, "calls have time limits of their own"),
  ignored("debugger-test", SRUN, "it tests Slurm's own interface for debuggers", { argument: "none" }),
  ignored("oom-kill-step", ALL, "a step that runs out of memory is ended as a whole anyway", { argument: "optional" }),
  refused("resv-ports", SRUN, "ports are not reserved; MASTER_PORT names one that is the job's", {
    argument: "optional",
    variables: { srun: "SLURM_RESV_PORTS" },
  }),
  {
    long: "het-group",
    aliases: ["pack-group"],
    argument: "required",
    metavar: "0,2-3",
    help: "within a heterogeneous job: a step in these of its components, default 0",
    of: SRUN,
    read: readGroups,
  },
  refused("no-allocate", SRUN, "every program that mgpu runs belongs to a job", { short: "Z", argument: "none" }),
  refused("x11", ["srun", "salloc"], "X11 is not passed on; use ssh -X to the node", { argument: "optional" }),
  refused("container", ALL, "start the container in the script, for example by apptainer exec or podman run", {
    variables: { srun: "SRUN_CONTAINER", sbatch: "SBATCH_CONTAINER", salloc: "SALLOC_CONTAINER" },
  }),
  refused("container-id", ALL, "start the container in the script, for example by apptainer exec or podman run"),
  refused("context", ALL, "SELinux contexts are left as they are"),
] as const satisfies readonly SubmitOption[];

/** In Slurm's words, with what would be right behind them. */
function readCpuBind(text: string): Parsed<CpuBind> {
  const parsed = parseCpuBind(text);
  if ("value" in parsed || parsed.problem.startsWith("missing")) return parsed;
  return { problem: `unrecognized --cpu-bind argument ${quote(text)}: ${parsed.problem}` };
}

/** Numbers of jobs have no upper end but that of exact numbers. */
function readJobId(text: string): Parsed<number> {
  return /^[1-9]\d{0,14}$/.test(text) ? { value: Number(text) } : expected("a job's number", text);
}

function readMpi(text: string): Parsed<"none" | "list"> {
  if (/^none$/i.test(text)) return { value: "none" };
  if (/^list$/i.test(text)) return { value: "list" };
  const instead = "start the program by mpirun or mpiexec within mgpu-salloc or mgpu-sbatch, or say --mpi=none";
  return { problem: `mgpu has no ${quote(text)} for MPI programs; ${instead}` };
}

function readSignal(text: string): Parsed<number> {
  if (text === "") return { value: SIGTERM };
  const value = parseSignal(text);
  return value === undefined ? expected("a signal such as TERM or 15", text) : { value };
}

/** Most components that a job can have: a larger number is no component's. */
const GROUP_MAX = 127;

/** Positions of components: `0`, `0,2`, `1-3`. */
function readGroups(text: string): Parsed<readonly number[]> {
  const parsed = /^[\d,-]+$/.test(text) ? parseTaskSet(text) : { problem: "" };
  const isGood = "value" in parsed && (lastTask(parsed.value) ?? 0) <= GROUP_MAX;
  return isGood ? { value: [...tasksOf(parsed.value)] } : expected("positions of components such as 0,2-3", text);
}
