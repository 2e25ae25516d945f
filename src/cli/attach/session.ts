/**
 * An srun between its submission and its exit: follows the job at the controller, is attached to its tasks at their
 * holders, and keeps both connections over the restart of whoever is at their other end.
 *
 * The tasks' own connections say how they ended; the controller is asked for nothing but the reason when it was not
 * the tasks' own doing. So a step's end reaches the user even while there is no controller.
 */

import type { ExitStatus } from "../../core/job.ts";
import { sleep } from "../../platform/clock.ts";
import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, JobRow, JobUpdate } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { isSlurmName } from "../connect.ts";
import { type CommandContext, type SignalName, UserError } from "../context.ts";
import { forwardInput } from "./input.ts";
import { type Interrupts, interrupted, NO_INTERRUPTS } from "./interrupt.ts";
import { Link, type LinkPorts, PATIENCE_AFTER_END_MS } from "./link.ts";
import {
  allocationLine,
  cancelledLine,
  failureLines,
  isEndedFromOutside,
  launchLine,
  withoutResult,
} from "./messages.ts";
import { createRelay, type Relay } from "./relay.ts";
import { createSpeaker, type Speaker } from "./speaker.ts";
import { type AttachedStep, attachStep, type StepOutcome } from "./step.ts";
import { Tasks } from "./tasks.ts";

export interface SessionPlan {
  readonly jobId: number;
  readonly tasks: number;
  readonly label: boolean;
  readonly pty: boolean;
  /** Who gets our input: all tasks, one of them, or nobody. */
  readonly input: "all" | number | null;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Signals that a session answers, with their numbers on Linux. */
export const SESSION_SIGNALS = {
  SIGINT: 2,
  SIGHUP: 1,
  SIGQUIT: 3,
  SIGTERM: 15,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGCONT: 18,
} as const satisfies Partial<Record<SignalName, number>>;

export type SessionSignal = keyof typeof SESSION_SIGNALS;

const SIGKILL = 9;

/** Signals that have no meaning for a job that still waits; the others end it. */
const HARMLESS_WHILE_WAITING: readonly SessionSignal[] = ["SIGUSR1", "SIGUSR2", "SIGCONT"];

/** A job that starts within this time is not worth saying that it waits. */
const QUEUED_NOTICE_MS = 300;

/** Tasks that fail together are told of in one line. */
const GATHER_EXITS_MS = 50;

/** How long the controller is given to say why tasks were killed. */
const REASON_WAIT_MS = 1000;

/** How long the end of the job is sought when our output has no reader any more. */
const LAST_CANCEL_MS = 2000;

/** Of a session that the user left by force. */
const EXIT_INTERRUPTED = 130;

/** Follows a submitted job to its end. `pending`: signals that came during the submission. Returns the exit code. */
export async function followJob(
  plan: SessionPlan,
  first: Connected,
  context: CommandContext,
  pending: readonly SessionSignal[],
): Promise<number> {
  const session = new Session(plan, first, context);
  try {
    return await session.run(pending);
  } catch (error) {
    // Our output can't be written: the job would run for nobody.
    await Promise.race([session.cancelJob(), sleep(context.clock, LAST_CANCEL_MS)]);
    throw error;
  } finally {
    session.close();
  }
}

class Session {
  private readonly plan: SessionPlan;
  private readonly context: CommandContext;
  private readonly controller: Link;
  private readonly relay: Relay;
  private readonly speaker: Speaker;
  private readonly tasks: Tasks;
  private readonly steps = new Map<string, AttachedStep>();
  private readonly outcomes: StepOutcome[] = [];
  private readonly undo: (() => void)[] = [];
  private row: JobRow | null = null;
  private saidQueued = false;
  private saidCancelled = false;
  private isWatchOver = false;
  private isConcluding = false;
  private isStreaming = false;
  private isClosed = false;
  private interrupts: Interrupts = NO_INTERRUPTS;
  private stopGathering: (() => void) | null = null;
  private restoreTerminal: () => void = () => {};
  private resolve: (code: number) => void = () => {};
  private reject: (error: unknown) => void = () => {};
  private sayEnded: () => void = () => {};
  /** Resolves once it is known that the job is over, or that the controller will not tell. */
  private readonly ended = new Promise<void>((resolve) => {
    this.sayEnded = resolve;
  });

  constructor(plan: SessionPlan, first: Connected, context: CommandContext) {
    this.plan = plan;
    this.context = context;
    this.speaker = createSpeaker(context, plan.quiet);
    this.relay = createRelay(context.stdio, plan.label ? plan.tasks : null);
    this.tasks = new Tasks(plan.tasks);
    this.controller = new Link(
      this.linkPorts("the controller", (loss) => this.reconnect(loss)),
      first,
    );
  }

  run(pending: readonly SessionSignal[]): Promise<number> {
    const done = new Promise<number>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { session, clock } = this.context;
    for (const name of Object.keys(SESSION_SIGNALS) as SessionSignal[]) {
      this.undo.push(session.onSignal(name, () => this.onSignal(name)));
    }
    this.undo.push(clock.after(QUEUED_NOTICE_MS, () => this.sayQueued()));
    this.watch().catch(this.reject);
    for (const name of pending) this.onSignal(name);
    return done;
  }

  close(): void {
    this.isClosed = true;
    this.restoreTerminal();
    for (const undo of this.undo) undo();
    this.stopGathering?.();
    if (this.isStreaming) this.context.session.input.stop();
    this.controller.stop();
    for (const { link } of this.steps.values()) link.stop();
  }

  /** Asks the controller to end the job; resolves when it has answered or can't be reached. */
  async cancelJob(): Promise<void> {
    const filter = { ids: [this.plan.jobId], users: [], states: [], names: [], partitions: [] };
    const params = { filter, stepId: null, signal: null, cause: "" };
    try {
      await this.controller.use((peer) => peer.call("jobs.cancel", params));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.speaker.error(error.message);
    }
  }

  private linkPorts(name: string, connect: LinkPorts["connect"]): LinkPorts {
    return { clock: this.context.clock, connect, name, notice: (text: string) => this.speaker.info(text) };
  }

  /** A controller that died is started again, as any command would do it; not one that was told to end. */
  private reconnect(loss: ErrorCode | null): Promise<Connected> {
    return this.context.connect({ start: loss !== "SHUTTING_DOWN" && !isSlurmName(this.context.program) });
  }

  // The job, as the controller tells it.

  private async watch(): Promise<void> {
    const { jobId } = this.plan;
    try {
      const result = await this.controller.use((peer) =>
        peer.stream("job.watch", { jobId, owner: true }, (update) => this.onUpdate(update)),
      );
      if (result === null && this.steps.size === 0) {
        throw new UserError(`no contact with the controller: job ${jobId} may still be in the queue`);
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (this.steps.size === 0) throw new UserError(error.message, error.hint);
      this.speaker.info(`job ${jobId} can't be followed any more: ${error.message}`);
    }
    if (this.isClosed) return;
    this.isWatchOver = true;
    this.sayEnded();
    if (this.steps.size === 0) return this.endWithoutStep();
    if (this.isJobOver) for (const { link } of this.steps.values()) link.hurry();
    this.checkDone();
  }

  private onUpdate({ row, attach }: JobUpdate): void {
    const before = this.row;
    this.row = row;
    if (this.plan.verbose && row.startAt === null && row.reasonText !== "" && row.reasonText !== before?.reasonText) {
      this.speaker.info(`job ${row.id} waits: ${row.reasonText}`);
    }
    const fresh = attach.filter(({ node }) => !this.steps.has(node));
    if (fresh.length > 0) this.onAllocated(row, fresh);
    if (row.endAt !== null) this.sayEnded();
  }

  private onAllocated(row: JobRow, points: readonly AttachPoint[]): void {
    const isFirst = this.steps.size === 0;
    if (isFirst && this.saidQueued) this.speaker.info(`job ${row.id} has been allocated resources`);
    if (isFirst && this.plan.verbose) this.speaker.info(allocationLine(row, points));
    for (const point of points) {
      if (this.plan.verbose) this.speaker.info(launchLine(point));
      this.attach(point);
    }
  }

  private sayQueued(): void {
    if (this.steps.size > 0 || this.isWatchOver || this.interrupts.last !== null) return;
    this.saidQueued = true;
    this.speaker.info(`job ${this.plan.jobId} queued and waiting for resources`);
  }

  private endWithoutStep(): void {
    const { row } = this;
    if (row === null || this.interrupts.last === "cancel") return;
    const { infos, errors } = withoutResult(row, this.context.utcOffsetMinutes);
    for (const text of infos) this.speaker.info(text);
    for (const text of errors) this.speaker.error(text);
    this.resolve(codeOfRow(row));
  }

  private get isJobOver(): boolean {
    return this.row !== null && this.row.endAt !== null;
  }

  // The tasks, as their holders tell it.

  private attach(point: AttachPoint): void {
    const { node, socket } = point;
    const connect = (): Promise<Connected> => this.context.session.connectHolder(socket);
    const step = attachStep(point, this.linkPorts(`the tasks on ${node}`, connect), {
      started: (tasks) => {
        this.tasks.started(tasks);
        if (this.tasks.areAllStarted) this.startStreaming();
      },
      data: (task, stream, offset, data) => this.relay.data(task, stream, offset, data),
      exit: (task, exit) => this.onExit(node, task, exit),
    });
    this.steps.set(node, step);
    step.outcome.then((outcome) => {
      for (const { task, exit } of outcome.exits) this.onExit(node, task, exit);
      this.outcomes.push(outcome);
      this.checkDone();
    }, this.reject);
  }

  /** The tasks run: what is typed is theirs from now on. */
  private startStreaming(): void {
    if (this.isStreaming) return;
    this.isStreaming = true;
    const { plan, context } = this;
    if (plan.pty) this.startTerminal();
    if (plan.input === null) return;
    const task = plan.input === "all" ? null : plan.input;
    forwardInput(context.session.input, [...this.steps.values()], task).catch(this.reject);
  }

  private startTerminal(): void {
    const { terminal, onSignal } = this.context.session;
    this.undo.push(
      onSignal("SIGWINCH", () => {
        const size = terminal.size();
        if (size) this.toTasks((step) => step.resize(size.columns, size.rows));
      }),
    );
    const restore = terminal.raw();
    this.speaker.isRaw = true;
    this.restoreTerminal = () => {
      this.restoreTerminal = () => {};
      this.speaker.isRaw = false;
      restore();
    };
  }

  private onExit(node: string, task: number, exit: ExitStatus): void {
    this.tasks.exited(node, task, exit);
    this.stopGathering ??= this.context.clock.after(GATHER_EXITS_MS, () => {
      this.stopGathering = null;
      if (!this.plan.pty) this.sayExits();
    });
  }

  private sayExits(): void {
    if (this.row && isEndedFromOutside(this.row)) this.sayCancelled(this.row);
    for (const [node, exits] of this.tasks.takeFresh()) {
      for (const line of failureLines(node, exits)) this.speaker.error(line);
    }
  }

  private sayCancelled(row: JobRow): void {
    if (this.saidCancelled) return;
    this.saidCancelled = true;
    const node = [...this.steps.keys()][0] ?? "";
    this.speaker.error(cancelledLine(row, node, this.context.utcOffsetMinutes));
  }

  /** All parts are over, and no more will be heard of. */
  private checkDone(): void {
    if (this.isClosed || this.isConcluding || this.steps.size === 0 || this.outcomes.length < this.steps.size) return;
    const attached = [...this.steps.values()].reduce((sum, { point }) => sum + point.tasks, 0);
    if (attached < this.plan.tasks && !this.isWatchOver) return;
    this.isConcluding = true;
    this.conclude().then(this.resolve, this.reject);
  }

  private async conclude(): Promise<number> {
    this.restoreTerminal();
    this.relay.finish();
    const isLost = this.outcomes.some(({ lost }) => lost);
    if (isLost || this.tasks.hasSignalled) {
      await Promise.race([this.ended, sleep(this.context.clock, isLost ? PATIENCE_AFTER_END_MS : REASON_WAIT_MS)]);
    }
    this.sayExits();
    for (const { problem } of this.outcomes) if (problem !== "") this.speaker.error(problem);
    if (this.relay.missing > 0) this.speaker.error(`${this.relay.missing} bytes of output were lost`);
    if (isLost) return this.concludeLost();
    const hasProblem = this.outcomes.some(({ problem }) => problem !== "");
    return this.tasks.code === 0 && hasProblem ? 1 : this.tasks.code;
  }

  /** Some tasks' ends were never heard of: the job's own result stands in for them. Never a success. */
  private concludeLost(): number {
    const nodes = [...this.steps.keys()].join(",");
    this.speaker.error(`lost contact with the tasks on ${nodes}: output may be missing`);
    if (this.row?.state === "NODE_FAIL") this.speaker.error(`Node failure on ${this.row.nodeList}: ${this.row.cause}`);
    return Math.max(1, this.tasks.code, this.row && this.isJobOver ? codeOfRow(this.row) : 0);
  }

  // The user.

  private onSignal(name: SessionSignal): void {
    const isWaiting = this.steps.size === 0;
    if (isWaiting && HARMLESS_WHILE_WAITING.includes(name)) return;
    if (!isWaiting && (name !== "SIGINT" || this.plan.pty)) return this.forward(SESSION_SIGNALS[name]);
    this.interrupts = interrupted(this.interrupts, isWaiting, this.context.clock.monotonic());
    this.onInterrupt().catch(this.reject);
  }

  private async onInterrupt(): Promise<void> {
    const { jobId } = this.plan;
    switch (this.interrupts.last) {
      case "cancel":
        this.speaker.info(`Job allocation ${jobId} has been revoked`);
        await this.cancelJob();
        this.speaker.info(`Force Terminated JobId=${jobId}`);
        return this.resolve(1);
      case "show":
        this.speaker.info("interrupt (one more within 1 sec to abort)");
        for (const line of this.tasks.stateLines()) this.speaker.info(`StepId=${jobId}.0 ${line}`);
        return;
      case "stop":
        this.speaker.info(`sending Ctrl-C to StepId=${jobId}.0`);
        this.forward(SESSION_SIGNALS.SIGINT);
        this.speaker.info("forcing job termination");
        return this.cancelJob();
      case "kill":
        this.speaker.info(`killing StepId=${jobId}.0`);
        return this.forward(SIGKILL);
      case "leave":
        this.speaker.error(`left job ${jobId} as it is`);
        return this.resolve(EXIT_INTERRUPTED);
      case null:
        return;
    }
  }

  private forward(signal: number): void {
    this.toTasks((step) => step.signal(signal));
  }

  private toTasks(send: (step: AttachedStep) => Promise<void>): void {
    for (const step of this.steps.values()) send(step).catch(this.reject);
  }
}

/** The exit code of a job whose tasks were not heard of: its own, and never 0. */
function codeOfRow({ exitCode, exitSignal }: JobRow): number {
  return exitSignal === 0 ? Math.max(1, exitCode) : 128 + exitSignal;
}
