/** What the parts of scontrol share: how records are shown, and one connection for all commands of a session. */

import type { Params, Result } from "../../../protocol/procedures.ts";
import type { Connected, Peer } from "../../../rpc/types.ts";
import { connectAsSlurm, isSlurmName } from "../../connect.ts";
import { type CommandContext, UserError } from "../../context.ts";

/** How records are shown; an interactive session changes it. */
export interface ShowOptions {
  oneLine: boolean;
  /** How often details were asked for. */
  details: number;
  quiet: boolean;
  /** A document in place of text. */
  document: "json" | "yaml" | null;
  /** Hidden partitions too. */
  all: boolean;
}

export interface Scope {
  readonly context: CommandContext;
  readonly show: ShowOptions;
  /** The controller; the same connection for each caller. Throws {@link Unreachable} after its complaint was said. */
  peer(complaint: string): Promise<Peer>;
  /** Says what went wrong, in a line of its own; under Slurm's name as bare as there. */
  error(text: string): void;
  /** Says that a record is not there: where Slurm says it, if its name was called, which is among the records. */
  notFound(text: string): void;
  /** Closes the connection, if one was made. */
  close(): void;
}

/** One command of scontrol: its words behind the first; answers with the exit code. */
export type Verb = (words: readonly string[], scope: Scope) => Promise<number>;

/** No controller, and the user was told. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Messages that Slurm's scontrol prints without its name before them. */
const BARE = [
  /^too (few|many) arguments |^(one|numeric|missing) arguments? |^Input line must|^Request aborted/,
  /^invalid (keyword|entity|encode|write argument|shutdown argument)|^No (changes specified|valid entity)/,
  /^Update of this parameter|^Invalid (StepID|deletion entity|UserID|MailType|job_id)|^You must specify/,
  /^Invalid time specification|^job notify failure| for job \S+$/,
];

/** Whether it is one of those. */
export function isBare(text: string): boolean {
  return BARE.some((pattern) => pattern.test(text));
}

/** A scope for one run of scontrol. */
export function createScope(context: CommandContext, show: ShowOptions): Scope {
  let connected: Connected | null = null;
  return {
    context,
    show,
    async peer(complaint) {
      connected ??= await connectAsSlurm(context, complaint);
      if (connected === null) throw new Unreachable(complaint);
      return connected.peer;
    },
    error(text) {
      const prefix = isSlurmName(context.program) && isBare(text) ? "" : `${context.program}: error: `;
      context.stdio.err(`${prefix}${text}\n`);
    },
    notFound(text) {
      const { stdio } = context;
      if (isSlurmName(context.program) && show.document === null) stdio.out(`${text}\n`);
      else stdio.err(`${text}\n`);
    },
    close: () => connected?.peer.close(),
  };
}

/** Slurm's words for a command of the wrong length. */
export function wordCountProblem(keyword: string, words: readonly string[], min: number, max: number): void {
  if (words.length < min) throw new UserError(`too few arguments for keyword:${keyword}`);
  if (words.length > max) throw new UserError(`too many arguments for keyword:${keyword}`);
}

/** Steers jobs and reports each that refused; the exit code. */
export async function steer(params: Params<"jobs.steer">, scope: Scope, complaint: string): Promise<number> {
  const peer = await scope.peer(complaint);
  return reportResults((await peer.call("jobs.steer", params)).jobs, scope);
}

/** `Job is no longer pending execution for job 12`, for each that refused; the exit code. */
export function reportResults(jobs: Result<"jobs.steer">["jobs"], scope: Scope): number {
  let exitCode = 0;
  for (const { jobId, label, error } of jobs) {
    if (error === null) continue;
    exitCode = 1;
    scope.error(`${error.message} for job ${label ?? jobId}`);
    const { program, stdio } = scope.context;
    if (error.hint !== undefined && !isSlurmName(program)) stdio.err(`${program}: hint: ${error.hint}\n`);
  }
  return exitCode;
}
