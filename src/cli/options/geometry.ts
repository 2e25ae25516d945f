/** Options of a job's shape: tasks, CPUs, memory, and which nodes. */

import { formatConstraint, parseConstraint } from "../../core/constraint.ts";
import { parseDistribution } from "../../core/distribution.ts";
import { expand } from "../../core/hostlist.ts";
import { expected, type Parsed, parseMemory, parseNodeRange } from "../../core/parse.ts";
import { atLeastOne, countFromZero, flag } from "./readers.ts";
import { ALL, ignored, named, type ReadingFacts, RUNNERS, SRUN, type SubmitOption } from "./record.ts";

/** Nodes by name, or the file that lists them. A name may stand there several times: once a task (arbitrary). */
export type NodeListWish = { readonly names: readonly string[] } | { readonly file: string };

/** Whose jobs may share the nodes: nobody's, or those of the same user or security label. */
export type Exclusive = "node" | "user";

const TASK_COUNT = { argument: "required", metavar: "count", read: atLeastOne, directive: true } as const;
const MEMORY = { argument: "required", metavar: "size[KMGT]", read: parseMemory, directive: true, of: ALL } as const;
const NODES = { argument: "required", metavar: "nodes|file", read: readNodeList, directive: true, of: ALL } as const;

export const GEOMETRY = [
  {
    ...TASK_COUNT,
    long: "ntasks",
    short: "n",
    help: "number of tasks to run (default 1, or one on each node)",
    variables: { srun: "SLURM_NTASKS" },
    otherVariables: { srun: ["SLURM_NPROCS"] },
    of: ALL,
  },
  {
    long: "nodes",
    short: "N",
    argument: "required",
    metavar: "count|min-max",
    help: "number of nodes",
    variables: { srun: "SLURM_JOB_NUM_NODES" },
    otherVariables: { srun: ["SLURM_NNODES"] },
    directive: true,
    of: ALL,
    read: parseNodeRange,
  },
  {
    ...TASK_COUNT,
    long: "ntasks-per-node",
    aliases: ["tasks-per-node"],
    help: "tasks on each node; with --ntasks the most on any node",
    variables: { srun: "SLURM_NTASKS_PER_NODE" },
    of: ALL,
  },
  {
    ...TASK_COUNT,
    long: "ntasks-per-gpu",
    aliases: ["ntasks-per-tres"],
    help: "tasks for each GPU",
    variables: { srun: "SLURM_NTASKS_PER_GPU" },
    of: ALL,
  },
  {
    ...TASK_COUNT,
    long: "cpus-per-task",
    short: "c",
    help: "CPUs for each task (default 1)",
    variables: { srun: "SRUN_CPUS_PER_TASK" },
    of: ALL,
  },
  {
    ...TASK_COUNT,
    long: "cpus-per-gpu",
    help: "CPUs for each GPU, instead of --cpus-per-task",
    variables: named("CPUS_PER_GPU"),
    of: ALL,
  },
  { ...TASK_COUNT, long: "mincpus", help: "use nodes with at least so many CPUs only", of: ALL },
  {
    ...MEMORY,
    long: "mem",
    help: "memory on each node, in MiB without a letter; 0 leaves it uncounted",
    variables: named("MEM_PER_NODE"),
  },
  { ...MEMORY, long: "mem-per-cpu", help: "memory for each CPU, instead of --mem", variables: named("MEM_PER_CPU") },
  { ...MEMORY, long: "mem-per-gpu", help: "memory for each GPU, instead of --mem", variables: named("MEM_PER_GPU") },
  {
    long: "exclusive",
    argument: "optional",
    metavar: "user",
    help: "whole nodes, shared with no other job; user: shared with no other user; for a step as --exact",
    variables: named("EXCLUSIVE"),
    directive: true,
    of: ALL,
    read: readExclusive,
  },
  {
    long: "overcommit",
    short: "O",
    argument: "none",
    help: "all tasks of a node share one CPU",
    variables: named("OVERCOMMIT"),
    directive: true,
    of: ALL,
    read: flag,
  },
  {
    ...NODES,
    long: "nodelist",
    short: "w",
    help: "nodes that must be among the job's: n1, n[1-4,7], or a file's path",
  },
  { ...NODES, long: "exclude", short: "x", help: "nodes that must not be used" },
  {
    long: "nodefile",
    short: "F",
    argument: "required",
    metavar: "file",
    help: "as --nodelist, with the names in a file",
    directive: true,
    of: ALL,
    read: (text: string): Parsed<NodeListWish> => (text === "" ? expected("a file", text) : { value: { file: text } }),
  },
  {
    long: "constraint",
    short: "C",
    argument: "required",
    metavar: "features",
    help: "features that the nodes must have: a, a&b, a|b",
    variables: named("CONSTRAINT"),
    directive: true,
    of: ALL,
    read: readConstraint,
  },
  {
    long: "contiguous",
    argument: "none",
    help: "only nodes that are next to each other in the order of their names",
    directive: true,
    of: ALL,
    read: flag,
  },
  {
    long: "spread-job",
    argument: "none",
    help: "use as many nodes as allowed rather than as few as possible",
    variables: named("SPREAD_JOB"),
    directive: true,
    of: ALL,
    read: flag,
  },
  {
    long: "distribution",
    short: "m",
    argument: "required",
    metavar: "kind",
    help: "how tasks are dealt out to nodes: block (default), cyclic, plane=size or arbitrary",
    variables: named("DISTRIBUTION", RUNNERS),
    directive: true,
    of: ALL,
    read: (text: string, { environment }: ReadingFacts) =>
      parseDistribution(text, planeSize(environment.SLURM_DIST_PLANESIZE)),
  },
  {
    long: "relative",
    short: "r",
    argument: "required",
    metavar: "count",
    help: "within a job: start the step on its nodes from this one on, counted from 0",
    of: SRUN,
    read: countFromZero,
  },
  ignored("oversubscribe", ALL, "what a job gets is its own; sharing it would be a permission, not a need", {
    short: "s",
    argument: "none",
  }),
  ignored("use-min-nodes", ALL, "as few nodes as possible are used anyway", {
    argument: "none",
    variables: named("USE_MIN_NODES"),
  }),
  ignored("prefer", ALL, "a wish that need not be met"),
  ignored("tmp", ALL, "disk space of nodes is not counted", { check: parseMemory }),
] as const satisfies readonly SubmitOption[];

function readNodeList(text: string): Parsed<NodeListWish> {
  if (text.includes("/")) return { value: { file: text } };
  const names = text === "" ? undefined : expand(text);
  return names === undefined ? expected("nodes such as n1,n[3-5], or a file's path", text) : { value: { names } };
}

function readExclusive(text: string): Parsed<Exclusive> {
  if (text === "") return { value: "node" };
  if (/^user$/i.test(text)) return { value: "user" };
  if (/^mcs$/i.test(text))
    return { problem: "there are no MCS labels here: --exclusive=user shares nodes with no other user" };
  return expected("user, or no value", text);
}

/** As core/constraint prints it. Slurm's words for a refusal, which scripts look for. */
function readConstraint(text: string): Parsed<string> {
  const parsed = parseConstraint(text);
  if ("problem" in parsed) return { problem: `Invalid feature specification: ${parsed.problem}` };
  return { value: formatConstraint(parsed.value) };
}

function planeSize(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}
