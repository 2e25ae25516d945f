/** sbcast: copies a file to all nodes of a job. */

import { broadcastFile } from "../attach/broadcast.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { optionReader, parseJobTarget } from "../filters.ts";
import { absolutePath, baseName } from "../jobspec.ts";
import type { Option, ParsedOptions } from "../option.ts";

const OPTIONS: readonly Option[] = [
  {
    long: "compress",
    short: "C",
    argument: "optional",
    metavar: "library",
    help: "no effect: copies travel as they are",
    variables: { sbcast: "SBCAST_COMPRESS" },
  },
  {
    long: "exclude",
    argument: "required",
    metavar: "paths",
    help: "no effect: no libraries are copied along",
    variables: { sbcast: "SBCAST_EXCLUDE" },
  },
  {
    long: "fanout",
    short: "F",
    argument: "required",
    metavar: "number",
    help: "no effect: all nodes get the file side by side",
    variables: { sbcast: "SBCAST_FANOUT" },
  },
  {
    long: "force",
    short: "f",
    argument: "none",
    help: "replace a file that exists",
    variables: { sbcast: "SBCAST_FORCE" },
  },
  {
    long: "jobid",
    short: "j",
    argument: "required",
    metavar: "job[.step]",
    help: "to the nodes of this job or step, rather than of the job that the command runs in",
  },
  {
    long: "preserve",
    short: "p",
    argument: "none",
    help: "keep the file's times",
    variables: { sbcast: "SBCAST_PRESERVE" },
  },
  {
    long: "send-libs",
    argument: "optional",
    metavar: "yes|no",
    help: "no only: libraries are not copied along",
    variables: { sbcast: "SBCAST_SEND_LIBS" },
  },
  {
    long: "size",
    short: "s",
    argument: "required",
    metavar: "size",
    help: "send so much at once: bytes, or k or m for more; 1m unless told otherwise",
    variables: { sbcast: "SBCAST_SIZE" },
  },
  {
    long: "timeout",
    short: "t",
    argument: "required",
    metavar: "seconds",
    help: "no effect: a node is waited for as long as it is there",
    variables: { sbcast: "SBCAST_TIMEOUT" },
  },
  { long: "verbose", short: "v", argument: "none", help: "say which nodes get the file" },
];

export const command: Command = {
  name: "sbcast",
  summary: "Copy a file to all nodes of a job",
  synopsis: "[OPTIONS...] source destination",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sbcast data.bin /tmp/data.bin", "mgpu-sbcast -fp -j 12 solver /tmp/solver"],
  run,
};

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 * 1024 };

/** Least and most that is sent at once: less costs calls, more costs memory and gains nothing. */
const BLOCK_BYTES_MIN = 4096;
const BLOCK_BYTES_MAX = 8 * 1024 * 1024;

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("sbcast", OPTIONS, parsed, context);
  const { environment, cwd } = context;
  const problems: string[] = [];
  const [source, destination, ...more] = parsed.operands;
  if (source === undefined || destination === undefined || more.length > 0) {
    problems.push(`Need two file names, have ${parsed.operands.length} names`);
  }
  const jobText = options.last("jobid") ?? environment.SLURM_JOB_ID ?? environment.SLURM_JOBID;
  const target = jobText === undefined ? undefined : parseJobTarget(jobText);
  const isJob =
    target !== undefined && target.tasks === null && (target.step === null || typeof target.step === "number");
  if (jobText === undefined)
    problems.push("Need a job id to run this command.  Run from within a Slurm job or use the --jobid option.");
  else if (!isJob) problems.push(`Invalid job id: ${jobText}`);
  const libraries = options.last("send-libs");
  if (libraries !== undefined && !/^(no|n)$/i.test(libraries)) {
    problems.push("--send-libs: libraries are not copied along; copy each and set LD_LIBRARY_PATH");
  }
  const size = options.last("size");
  const blockBytes = size === undefined ? undefined : readSize(size);
  if (size !== undefined && blockBytes === undefined)
    problems.push(`--size: expected a size such as 512k, got "${size}"`);
  if (problems.length > 0 || !isJob || source === undefined || destination === undefined) throw new UserError(problems);
  const file = destination.endsWith("/") ? `${destination}${baseName(source)}` : destination;
  return broadcastFile(
    {
      ...{ jobId: target.jobId, stepId: typeof target.step === "number" ? target.step : null, source, workDir: cwd },
      target: absolutePath(file, cwd),
      force: options.isGiven("force"),
      preserve: options.isGiven("preserve"),
      verbose: options.isGiven("verbose"),
      ...(blockBytes === undefined ? {} : { blockBytes }),
    },
    context,
  );
}

function readSize(text: string): number | undefined {
  const match = /^(\d{1,9})([km]?)b?$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1);
  return bytes === 0 ? undefined : Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, bytes));
}
