/**
 * From option values to the job that is sent, with every check that needs no cluster. Problems are collected, so
 * that a user sees all of them at once and nothing is queued.
 */

import type { IoSpec, JobKind, JobRequest, PtySpec } from "../core/jobspec.ts";
import type { GpuRequest, ResourceRequest } from "../core/resources.ts";
import { roundUpToMinute } from "../core/time.ts";
import { isSlurmName } from "./connect.ts";
import type { CommandContext } from "./context.ts";
import type { SubmitValues } from "./options/reading.ts";

/** What the command itself knows of the job. */
export interface JobFacts {
  readonly kind: JobKind;
  readonly defaultName: string;
  readonly argv: readonly string[];
  readonly pty: PtySpec | null;
}

/** A job ready to be sent if there are no problems. */
export interface Draft {
  readonly job: JobRequest;
  readonly problems: readonly string[];
}

/** Slurm's word for the client's stream instead of a file. */
const ALL = "all";

/** Slurm's name for the output of batch jobs. */
const BATCH_OUTPUT = "slurm-%j.out";

/** Puts a job together and checks it against this machine. */
export function draftJob(values: SubmitValues, facts: JobFacts, context: CommandContext): Draft {
  const resources = resourceRequest(values);
  const job: JobRequest = {
    kind: facts.kind,
    name: values["job-name"] ?? facts.defaultName,
    partition: values.partition ?? null,
    request: resources.request,
    timeLimitS: timeLimit(values.time, context.program),
    workDir: absolutePath(values.chdir ?? ".", context.cwd),
    io: streams(values, facts.kind),
    argv: facts.argv,
    pty: facts.pty,
    requeue: facts.kind === "batch" && values["no-requeue"] === undefined,
    submitHost: context.hostname,
  };
  return { job, problems: [...resources.problems, ...inputProblems(job), ...fileProblems(job, context)] };
}

/** A path made absolute. `..` stays: what it means depends on links. */
export function absolutePath(path: string, folder: string): string {
  const full = path.startsWith("/") ? path : `${folder}/${path}`;
  const parts = full.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").replace(/^.*\//, "") || path;
}

function resourceRequest(values: SubmitValues): { request: ResourceRequest; problems: string[] } {
  const problems: string[] = [];
  const { gpus = null, gres = null, nodes = null } = values;
  if (values.gpus !== undefined && values.gres !== undefined && !isSameWish(gpus, gres)) {
    problems.push("--gpus and --gres ask for different GPUs");
  }
  if (nodes !== null && nodes.min > 1) {
    problems.push(`--nodes: this version of mgpu runs each job on one node, got ${nodes.min}`);
  }
  const request: ResourceRequest = {
    tasks: values.ntasks ?? 1,
    cpusPerTask: values["cpus-per-task"] ?? 1,
    nodes,
    memoryMiBPerNode: values.mem ?? 0,
    // A job has one node, so GPUs for each node are GPUs for the job.
    gpus: gpus ?? gres,
  };
  return { request, problems };
}

function isSameWish(a: GpuRequest | null, b: GpuRequest | null): boolean {
  return a?.thousandths === b?.thousandths && a?.type?.toLowerCase() === b?.type?.toLowerCase();
}

/** Under Slurm's names limits are whole minutes, as Slurm keeps them; under mgpu's they are exact. */
function timeLimit(limitS: number | undefined, program: string): number | null {
  if (limitS === undefined) return null;
  return isSlurmName(program) ? roundUpToMinute(limitS) : limitS;
}

function streams(values: SubmitValues, kind: JobKind): IoSpec {
  const stdout = outputName(values.output, "/dev/stdout");
  const stderr = outputName(values.error, "/dev/stderr");
  return {
    stdin: streamName(values.input) ?? (kind === "run" ? ALL : "none"),
    stdout: stdout === ALL ? null : stdout,
    // A batch script has no client; srun's stderr goes where its stdout does unless it is told to come here.
    stderr: stderr === ALL && kind === "batch" ? null : stderr,
    openMode: values["open-mode"] ?? "truncate",
    label: values.label ?? false,
  };
}

/** `all` and `none` in any case, as Slurm takes them. */
function streamName(text: string | undefined): string | undefined {
  return text !== undefined && /^(all|none)$/i.test(text) ? text.toLowerCase() : text;
}

/** A file, `all` for the client, `null` if nothing was said. On the job's node `own` would be somebody else's stream. */
function outputName(text: string | undefined, own: string): string | null {
  const name = streamName(text);
  if (name === undefined) return null;
  if (name === own) return ALL;
  return name === "none" ? "/dev/null" : name;
}

function inputProblems({ io, kind, request }: JobRequest): string[] {
  if (!/^\d+$/.test(io.stdin) || kind !== "run" || Number(io.stdin) < request.tasks) return [];
  return [`--input: there is no task ${io.stdin}, tasks are numbered from 0 to ${request.tasks - 1}`];
}

function fileProblems({ io, kind, workDir }: JobRequest, { files }: CommandContext): string[] {
  if (!files.isFolder(workDir)) return [`--chdir: ${workDir} is not a folder that exists`];
  const outputs: [string, string | null][] = [
    ["--output", io.stdout ?? (kind === "batch" ? BATCH_OUTPUT : null)],
    ["--error", io.stderr],
  ];
  return outputs.flatMap(([option, pattern]) => {
    if (pattern === null || pattern === ALL) return [];
    const problem = files.writeProblem(probePath(pattern, workDir));
    return problem === "" ? [] : [`${option}: ${pattern}: ${problem}`];
  });
}

/**
 * A path that can be written exactly if the pattern's file can, as far as is known before the job has a number: the
 * name itself, or some name in the last folder before the first `%`.
 */
function probePath(pattern: string, workDir: string): string {
  const percent = pattern.indexOf("%");
  if (percent < 0) return absolutePath(pattern, workDir);
  const known = pattern.slice(0, percent);
  return absolutePath(`${known.slice(0, known.lastIndexOf("/") + 1)}slurm-output`, workDir);
}
