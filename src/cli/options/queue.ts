/** Options of waiting and of trying again: priorities, dependencies, holds, arrays, requeueing. */

import { type ArraySpec, parseArraySpec } from "../../core/array-spec.ts";
import { type Dependency, parseDependency } from "../../core/dependency.ts";
import { expected, type Parsed } from "../../core/parse.ts";
import type { PRIORITY_NICE } from "../../core/priority-words.ts";
import { countFromZero, flag, zeroOrOne } from "./readers.ts";
import { ALL, ALLOCATORS, ignored, named, RUNNERS, refused, SBATCH, type SubmitOption } from "./record.ts";

/** What --nice alone stands for. */
const NICE_DEFAULT = 100;

/** Slurm's bounds of --nice. */
const NICE_MAX = 2_147_483_645;

/** What --priority=TOP stands for: above all that a number may say. */
const PRIORITY_TOP = 4_294_967_293;

export const QUEUE = [
  {
    long: "hold",
    short: "H",
    argument: "none",
    help: "submit the job on hold: it waits for mgpu-scontrol release",
    directive: true,
    of: ALL,
    read: flag,
  },
  {
    long: "priority",
    argument: "required",
    metavar: "value",
    help: "priority of the job: high, normal or low, a number, higher first, or TOP",
    directive: true,
    of: ALL,
    read: readPriority,
  },
  {
    long: "nice",
    argument: "optional",
    metavar: "adjustment",
    help: "lower the job's priority by this much (default 100)",
    directive: true,
    of: ALL,
    read: readNice,
  },
  {
    long: "dependency",
    short: "d",
    argument: "required",
    metavar: "type:id[,...]",
    help: "wait for other jobs: afterok:12, afterany:12:13, after:12+5, aftercorr:12, singleton; ? between them for any",
    variables: { srun: "SLURM_DEPENDENCY" },
    directive: true,
    of: ALL,
    read: readDependency,
  },
  {
    long: "kill-on-invalid-dep",
    argument: "required",
    metavar: "yes|no",
    help: "cancel the job if its dependency can never be met",
    directive: true,
    of: SBATCH,
    read: zeroOrOne,
  },
  {
    long: "array",
    short: "a",
    argument: "required",
    metavar: "tasks[%most]",
    help: "run the script once for each number: 0-9, 1,3,5-7, 0-15:4; %4 runs four at a time",
    variables: { sbatch: "SBATCH_ARRAY_INX" },
    directive: true,
    of: SBATCH,
    read: readArray,
  },
  {
    long: "requeue",
    argument: "none",
    help: "start the job again if its node fails (default)",
    variables: named("REQUEUE", SBATCH),
    directive: true,
    of: SBATCH,
    read: flag,
  },
  {
    long: "no-requeue",
    argument: "none",
    help: "never start the job again",
    variables: named("NO_REQUEUE", SBATCH),
    directive: true,
    of: SBATCH,
    read: flag,
  },
  {
    long: "retries",
    argument: "required",
    metavar: "count",
    help: "how often to start the job again by itself if it fails (default 0)",
    variables: { sbatch: "MGPU_RETRIES" },
    directive: true,
    of: SBATCH,
    read: countFromZero,
  },
  {
    long: "retry-wait",
    argument: "required",
    metavar: "seconds",
    help: "how long to wait before the first such start; each later one waits twice as long (default 10)",
    variables: { sbatch: "MGPU_RETRY_WAIT" },
    directive: true,
    of: SBATCH,
    read: countFromZero,
  },
  {
    long: "no-kill",
    short: "k",
    argument: "optional",
    metavar: "off",
    help: "go on when one of the job's nodes fails",
    variables: named("NO_KILL"),
    directive: true,
    of: ALL,
    read: readNoKill,
  },
  {
    long: "test-only",
    argument: "none",
    help: "queue nothing: say when and where the job would start",
    directive: true,
    of: RUNNERS,
    read: flag,
  },
  {
    long: "wait",
    value: "await",
    short: "W",
    argument: "none",
    help: "wait for the job's end, and return its exit code",
    variables: named("WAIT", SBATCH),
    directive: true,
    of: SBATCH,
    read: flag,
  },
  {
    long: "progress",
    argument: "none",
    help: "with --wait: show how the job or its array goes on: one line on a terminal, else a line for each change",
    of: SBATCH,
    read: flag,
  },
  ignored("wait-all-nodes", ALLOCATORS, "nodes are ready when a job gets them: none is booted for it", {
    variables: named("WAIT_ALL_NODES", ALLOCATORS),
    check: (text) => (/^[01]$/.test(text) ? { value: text } : expected("0 or 1", text)),
  }),
  refused("reboot", ALL, "mgpu does not reboot nodes; drain one and reboot it by hand", { argument: "none" }),
  refused("batch", SBATCH, "the script runs on the first node of the job; choose nodes by --constraint", {
    variables: named("BATCH", SBATCH),
  }),
] as const satisfies readonly SubmitOption[];

/** As in Slurm, a variable says `set`, or anything of that kind. */
function readNoKill(text: string): Parsed<boolean> {
  if (/^(?:off|no|0)$/i.test(text)) return { value: false };
  return /^(?:|set|on|yes|1)$/i.test(text) ? { value: true } : expected("no value, or off", text);
}

function readPriority(text: string): Parsed<number | keyof typeof PRIORITY_NICE> {
  const word = text.toLowerCase();
  if (word === "high" || word === "normal" || word === "low") return { value: word };
  if (/^top$/i.test(text)) return { value: PRIORITY_TOP };
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= PRIORITY_TOP
    ? { value }
    : expected(`a priority from 0 to ${PRIORITY_TOP}, TOP, high, normal or low`, text);
}

function readNice(text: string): Parsed<number> {
  if (text === "") return { value: NICE_DEFAULT };
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= NICE_MAX ? { value } : expected("a whole number such as 100", text);
}

/** Slurm's words first, which scripts look for. */
function readDependency(text: string): Parsed<Dependency> {
  const parsed = parseDependency(text);
  return "problem" in parsed ? { problem: `Job dependency problem: ${parsed.problem}` } : parsed;
}

function readArray(text: string): Parsed<ArraySpec> {
  const parsed = parseArraySpec(text);
  return "problem" in parsed ? { problem: `Invalid job array specification: ${parsed.problem}` } : parsed;
}
