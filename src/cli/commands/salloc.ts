/**
 * salloc: allocates resources, runs a command (the user's shell if none is named) where it was typed, with the
 * allocation's variables, and gives the allocation back when that is over.
 */

import { EXIT_OK, type ExitStatus } from "../../core/job.ts";
import { withoutOuterJob } from "../../core/job-variables.ts";
import type { JobRequest } from "../../core/jobspec.ts";
import { DESKTOP } from "../../core/notice.ts";
import { SIGHUP, SIGTERM } from "../../core/signals.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import { errnoText } from "../../util/errno.ts";
import { Allocation } from "../attach/allocation.ts";
import { AT_ONCE_S, immediateExitCode } from "../attach/immediate.ts";
import { createSpeaker, type Speaker } from "../attach/speaker.ts";
import { SESSION_SIGNALS, type SessionSignal } from "../attach/steering.ts";
import { distinct, readComponents, splitComponents } from "../components.ts";
import { type Child, type Command, type CommandContext, UserError } from "../context.ts";
import { baseName, draftJob } from "../jobspec.ts";
import { withModel } from "../model.ts";
import type { ParsedOptions } from "../option.ts";
import { type SubmitValues, submitOptions } from "../options/submit.ts";
import { tellDesktop } from "../output/desktop.ts";
import { type Submitted, submitJob } from "../submission.ts";

const OPTIONS = submitOptions("salloc");

export const command: Command = {
  name: "salloc",
  summary: "Allocate GPUs and CPUs, run a command or a shell with them, and give them back at its end",
  synopsis: "[OPTIONS...] [: OPTIONS...]... [command [args...]]",
  options: OPTIONS,
  operands: "stop",
  examples: [
    "mgpu-salloc --gpus 2 --time 1:00:00",
    "mgpu-salloc -N 2 mpirun ./solver",
    "mgpu-salloc --gpus 4 --no-shell",
  ],
  run,
};

const REFUSAL = "Job submit/allocate failed";

/** A job that waited for longer than this rings the bell when it starts. */
const BELL_MS = 10_000;

/** What Slurm calls an allocation that is for no command. */
const SHELL_JOB_NAME = "interactive";

/** A command that dies of one of these was ended by its user, and that is no failure: HUP, INT, QUIT, KILL. */
const USER_SIGNALS: ReadonlySet<number> = new Set([1, 2, 3, 9]);

/** What a wait for resources led to. */
type Outcome = { readonly granted: JobRow } | { readonly code: number };

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const typed = splitComponents(parsed, OPTIONS);
  const [read, ...others] = readComponents("salloc", typed, context);
  const operands = typed.at(-1)?.operands ?? [];
  const wishes = await withModel(read, operands, context);
  const { values } = wishes;
  const [program] = operands;
  const argv = program === undefined ? (values["no-shell"] ? [] : [shellOf(context)]) : operands;
  const defaultName = program === undefined ? SHELL_JOB_NAME : baseName(program);
  const facts = { kind: "alloc", defaultName, argv, pty: null } as const;
  const { job, problems, warnings } = draftJob(wishes, facts, context);
  const drafts = others.map((one) => ({ ...draftJob(one, facts, context), wishes: one }));
  const all = [wishes.problems, problems, ...drafts.flatMap((one) => [one.wishes.problems, one.problems])].flat();
  if (all.length > 0) throw new UserError(distinct(all));
  for (const text of distinct([warnings, ...drafts.map((one) => one.warnings)].flat())) {
    context.stdio.err(`${context.program}: warning: ${text}\n`);
  }
  const followers = drafts.map((one) => ({ job: one.job, environment: {} }));
  const submission = { job, script: null, environment: {}, ...(followers.length > 0 ? { followers } : {}) };
  const session = new Session(values, job, context);
  return session.run((onSend) => submitJob(context, submission, REFUSAL, onSend));
}

function shellOf({ environment }: CommandContext): string {
  return environment.SHELL || "/bin/sh";
}

class Session {
  private readonly values: SubmitValues;
  private readonly job: JobRequest;
  private readonly context: CommandContext;
  private readonly speaker: Speaker;
  private readonly undo: (() => void)[] = [];
  private readonly submittedAt: number;
  private saidQueued = false;
  private isRevoked = false;
  private child: Child | null = null;
  /** Set while signals revoke the request; those that came before the job's number was known wait here. */
  private revoke: ((name: SessionSignal) => void) | null = null;
  private early: SessionSignal | null = null;
  private release: () => void = () => {};

  constructor(values: SubmitValues, job: JobRequest, context: CommandContext) {
    this.values = values;
    this.job = job;
    this.context = context;
    this.speaker = createSpeaker(context, values.quiet ?? false);
    this.submittedAt = context.clock.monotonic();
  }

  async run(submit: (onSend: () => void) => Promise<Submitted | null>): Promise<number> {
    try {
      const submitted = await submit(() => this.catchSignals());
      if (submitted === null) return 1;
      let settle: (outcome: Outcome) => void = () => {};
      const waited = new Promise<Outcome>((resolve) => {
        settle = resolve;
      });
      const { jobId, connected } = submitted;
      const allocation = new Allocation(jobId, connected, this.speaker, this.context, {
        onQueued: () => this.sayQueued(jobId),
        onGranted: (row) => settle({ granted: row }),
        onEnded: (row) => this.onEnded(jobId, row, settle),
      });
      try {
        return await this.use(allocation, waited, settle);
      } finally {
        allocation.stop();
      }
    } finally {
      for (const end of this.undo) end();
    }
  }

  private async use(
    allocation: Allocation,
    waited: Promise<Outcome>,
    settle: (outcome: Outcome) => void,
  ): Promise<number> {
    const followed = allocation.follow();
    this.giveUpInTime(allocation, settle);
    this.revoke = (name) => {
      this.isRevoked = true;
      this.speaker.info(`Job allocation ${allocation.jobId} has been revoked.`);
      this.speaker.info("Job aborted due to signal");
      void allocation.complete({ code: 0, signal: SESSION_SIGNALS[name] }).then(() => settle({ code: 1 }));
    };
    if (this.early !== null) this.revoke(this.early);
    const outcome = await Promise.race([waited, followed.then(() => waited)]);
    this.revoke = null;
    if ("code" in outcome) return outcome.code;
    this.sayGranted(allocation.jobId);
    if (this.values["no-shell"]) return 0;
    return this.runCommand(allocation);
  }

  /** Runs the command to its end, or until we are told to leave it. */
  private async runCommand(allocation: Allocation): Promise<number> {
    const { context, job } = this;
    const variables = await allocation.variables();
    if (variables === null) return 1;
    const environment = { ...withoutOuterJob(context.environment), ...variables };
    const left = new Promise<null>((resolve) => {
      this.release = () => resolve(null);
    });
    let exit: ExitStatus | null = null;
    let code = 1;
    try {
      this.child = await context.session.startChild({ argv: job.argv, environment, isApart: this.isApart });
      if (this.isRevoked) this.killCommand();
      exit = await Promise.race([this.child.exited, left]);
      if (exit !== null) code = codeOf(exit);
    } catch (error) {
      this.speaker.error(`Unable to exec command "${job.argv[0]}": ${errnoText(error)}`);
      exit = { code: 1, signal: 0 };
    }
    if (!this.isRevoked) {
      this.isRevoked = true;
      this.speaker.info(`Relinquishing job allocation ${allocation.jobId}`);
      const isDone = await allocation.complete(exit ?? EXIT_OK);
      if (!isDone)
        this.speaker.error(`no contact with the controller: it ends job ${allocation.jobId} once it is back`);
    }
    return code;
  }

  /** Without any terminal the command can have a session of its own, all of whose processes a signal reaches. */
  private get isApart(): boolean {
    const { stdinIsTerminal, stdoutIsTerminal, stderrIsTerminal } = this.context.stdio;
    return !stdinIsTerminal && !stdoutIsTerminal && !stderrIsTerminal;
  }

  private onEnded(jobId: number, row: JobRow | null, settle: (outcome: Outcome) => void): void {
    const wasRevoked = this.isRevoked;
    this.isRevoked = true;
    if (!wasRevoked) this.speaker.info(revokedText(jobId, row));
    settle({ code: 1 });
    if (!wasRevoked) this.killCommand();
  }

  /** --kill-command: an interactive shell does not listen to TERM. */
  private killCommand(): void {
    const signal = this.values["kill-command"];
    if (signal === undefined) return;
    const isInteractive = this.context.stdio.stdinIsTerminal;
    this.child?.signal(signal === SIGTERM && isInteractive ? SIGHUP : signal);
  }

  private giveUpInTime(allocation: Allocation, settle: (outcome: Outcome) => void): void {
    const { immediate } = this.values;
    if (immediate === undefined) return;
    const cancel = this.context.clock.after(Math.max(AT_ONCE_S, immediate) * 1000, () => {
      if (this.revoke === null || this.isRevoked) return;
      this.isRevoked = true;
      this.speaker.error("Job submit/allocate failed: Requested nodes are busy");
      const code = immediateExitCode(this.context.environment);
      void allocation.complete(EXIT_OK).then(() => settle({ code }));
    });
    this.undo.push(cancel);
  }

  private sayQueued(jobId: number): void {
    const { immediate } = this.values;
    if (this.isRevoked || (immediate !== undefined && immediate <= AT_ONCE_S)) return;
    this.saidQueued = true;
    this.speaker.info(`Pending job allocation ${jobId}`);
    this.speaker.info(`job ${jobId} queued and waiting for resources`);
  }

  private sayGranted(jobId: number): void {
    const { values, context } = this;
    if (this.saidQueued) this.speaker.info(`job ${jobId} has been allocated resources`);
    this.speaker.info(`Granted job allocation ${jobId}`);
    const waitedMs = context.clock.monotonic() - this.submittedAt;
    const rings = values.bell || (!values["no-bell"] && waitedMs > BELL_MS);
    if (rings && context.stdio.stdoutIsTerminal) context.stdio.out("\x07");
    if (values.notify?.includes(DESKTOP)) tellDesktop(context, `job ${jobId} has its allocation`);
  }

  private catchSignals(): void {
    if (this.undo.length > 0) return;
    for (const name of Object.keys(SESSION_SIGNALS) as SessionSignal[]) {
      this.undo.push(this.context.session.onSignal(name, () => this.onSignal(name)));
    }
  }

  /**
   * While it waits a signal revokes the request. Once the command runs, those of the keyboard are the command's: HUP
   * releases the allocation without it, TERM is passed on.
   */
  private onSignal(name: SessionSignal): void {
    if (name === "SIGCONT" || name === "SIGUSR1" || name === "SIGUSR2") return;
    if (this.revoke !== null) {
      if (!this.isRevoked) this.revoke(name);
      return;
    }
    if (this.child === null) this.early ??= name;
    else if (name === "SIGHUP") this.release();
    else if (name === "SIGTERM" || this.isApart) this.child.signal(SESSION_SIGNALS[name]);
  }
}

function revokedText(jobId: number, row: JobRow | null): string {
  const isTimeLimit = row?.state === "TIMEOUT" || row?.cause === "time limit";
  if (isTimeLimit) return `Job ${jobId} has exceeded its time limit and its allocation has been revoked.`;
  return `Job allocation ${jobId} has been revoked.`;
}

/** Slurm's exit code: the command's own, or 0 for a signal that its user sent, or 1. */
function codeOf({ code, signal }: ExitStatus): number {
  if (signal === 0) return code;
  return USER_SIGNALS.has(signal) ? 0 : 1;
}
