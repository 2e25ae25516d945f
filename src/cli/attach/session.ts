/**
 * An srun between its submission and its exit: follows the job at the controller, is attached to its tasks at their
 * holders, and keeps both connections over the restart of whoever is at their other end.
 *
 * The tasks' own connections say how they ended; the controller is asked for nothing but the reason when it was not
 * the tasks' own doing. So a step's end reaches the user even while there is no controller.
 */

import type { StepId } from "../../core/ids.ts";
import { sleep } from "../../platform/clock.ts";
import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, JobRow, JobUpdate } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { isSlurmName } from "../connect.ts";
import { type CommandContext, UserError } from "../context.ts";
import { ExitReport } from "./exit-report.ts";
import { warnBefore } from "./farewell.ts";
import { Followed, partName } from "./followed.ts";
import { AT_ONCE_S, immediateExitCode } from "./immediate.ts";
import { forwardInput } from "./input.ts";
import { LastTasks } from "./last-tasks.ts";
import { Link, type LinkPorts, PATIENCE_AFTER_END_MS } from "./link.ts";
import {
  ABORTED_LINE,
  allocationLine,
  codeWithoutResult,
  followedRow,
  isEndedFromOutside,
  launchLine,
  withoutResult,
} from "./messages.ts";
import { createRelay, type Relay } from "./relay.ts";
import type { SessionPlan } from "./session-plan.ts";
import { SessionTerminal } from "./session-terminal.ts";
import { Silence, type SilencePorts } from "./silence.ts";
import { createSpeaker, type Speaker } from "./speaker.ts";
import { SESSION_SIGNALS, type SessionSignal, type SteeredJob, Steering } from "./steering.ts";
import { type AttachedStep, attachStep, type StepEvents, type StepOutcome } from "./step.ts";
import { Tasks } from "./tasks.ts";
import type { TerminalPlan } from "./terminal-view.ts";
import { askPlace, reasonOf, Waiting } from "./waiting.ts";

/** A job that starts within this time is not worth saying that it waits. */
const QUEUED_NOTICE_MS = 300;

/** How long the controller is given to say why tasks were killed. */
const REASON_WAIT_MS = 1000;

/** How long the end of the job is sought when our output has no reader any more. */
const LAST_CANCEL_MS = 2000;

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
    // A session waits for somebody to come back to it.
    if (plan.terminal && plan.onDisconnect === "detach") throw error;
    // Our output can't be written: the job would run for nobody, and nobody would read what becomes of it.
    session.hush();
    await Promise.race([session.cancel(), sleep(context.clock, LAST_CANCEL_MS)]);
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
  private readonly report: ExitReport;
  private readonly lastTasks: LastTasks;
  private readonly steering: Steering;
  private readonly waiting: Waiting;
  private readonly followed: Followed;
  private readonly steps = new Map<string, AttachedStep>();
  private readonly outcomes: StepOutcome[] = [];
  private readonly undo: (() => void)[] = [];
  private saidQueued = false;
  private saidAborted = false;
  private isWatchOver = false;
  private isConcluding = false;
  private isStreaming = false;
  private isClosed = false;
  private readonly terminal: SessionTerminal | null;
  private readonly silence: Silence | null;
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
    this.followed = new Followed([plan.jobId, ...(plan.otherJobIds ?? [])]);
    this.speaker = createSpeaker(context, plan.quiet);
    this.tasks = new Tasks(plan.tasks ?? 1);
    this.relay = createRelay(context.stdio, plan.label ? () => this.tasks.total : null);
    const { clock, utcOffsetMinutes } = context;
    const { speaker } = this;
    this.report = new ExitReport(this.tasks, {
      ...{ speaker, clock, utcOffsetMinutes, stepId: plan.stepId ?? 0, isReasonStreamed: plan.isReasonStreamed },
      row: () => this.row,
      onExit: (exit) => this.lastTasks.onExit(exit),
    });
    this.lastTasks = new LastTasks(plan.lastTasks, this.tasks, {
      ...{ clock, speaker, stepName: this.stepName },
      sayExits: () => this.report.say(),
      end: () => void this.cancelStep().catch(this.reject),
    });
    this.steering = new Steering(this.steered(), speaker, clock);
    this.waiting = new Waiting({
      ...{ jobId: plan.jobId, clock },
      ask: () => reasonOf((call) => this.controller.use(call), plan.jobId),
      place: () => askPlace((call) => this.controller.use(call), plan.jobId, context.utcOffsetMinutes),
      speaker,
    });
    this.silence = plan.silence ? new Silence(plan.silence, this.silencePorts()) : null;
    this.terminal = plan.terminal ? this.sessionTerminal(plan.terminal) : null;
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
    const { immediateS } = this.plan;
    if (immediateS !== null) this.undo.push(clock.after(immediateS * 1000, () => this.giveUpWaiting()));
    this.watch().catch(this.reject);
    for (const name of pending) this.onSignal(name);
    return done;
  }

  close(): void {
    this.isClosed = true;
    this.waiting.stop();
    this.terminal?.leave();
    for (const undo of this.undo) undo();
    this.report.stop();
    this.lastTasks.stop();
    this.silence?.stop();
    if (this.isStreaming) this.context.session.input.stop();
    this.controller.stop();
    for (const step of this.steps.values()) step.stop();
  }

  /** Says nothing more of what becomes of the job. */
  hush(): void {
    this.saidAborted = true;
  }

  /** Asks the controller to end the job, or the step within a job that is not ours; resolves as {@link end}. */
  cancel(): Promise<void> {
    return this.end(this.plan.stepId);
  }

  /** Ends the step of a job of our own too, rather than the job. */
  private cancelStep(): Promise<void> {
    return this.end(this.plan.stepId ?? 0);
  }

  /** Resolves when the controller has answered or can't be reached. */
  private async end(stepId: StepId | null): Promise<void> {
    const filter = { ids: [...this.followed.jobIds], users: [], states: [], names: [], partitions: [] };
    const params = { filter, stepId, signal: null, cause: "" };
    try {
      await this.controller.use((peer) => peer.call("jobs.cancel", params));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.speaker.error(error.message);
    }
  }

  private get stepName(): string {
    return `${this.plan.jobId}.${this.plan.stepId ?? 0}`;
  }

  private steered(): SteeredJob {
    return {
      jobId: this.plan.jobId,
      stepName: this.stepName,
      mode: this.plan.interrupt,
      isWaiting: () => this.steps.size === 0,
      hasTerminal: () => this.speaker.overlay !== null,
      stateLines: () => this.tasks.stateLines(),
      forward: (signal) => this.toTasks((step) => step.signal(signal)),
      cancel: () => this.cancel(),
      leave: (exitCode) => this.resolve(exitCode),
    };
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
    const { jobId, stepId } = this.plan;
    try {
      const watchOne = (id: number) =>
        this.controller.use((peer) =>
          peer.stream("job.watch", { jobId: id, stepId, owner: this.plan.ownsJob }, (update) => this.onUpdate(update)),
        );
      const results = await Promise.all(this.followed.jobIds.map(watchOne));
      if (results.includes(null) && this.steps.size === 0) {
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
    if (this.isJobOver) for (const step of this.steps.values()) step.hurry();
    this.checkDone();
  }

  private onUpdate(update: JobUpdate): void {
    const { attach } = update;
    const row = followedRow(update, this.context.clock.now());
    this.followed.add(
      row,
      attach.filter((point) => !this.steps.has(partName(point))),
    );
    if (row.state !== "PENDING") this.waiting.stop();
    else if (this.plan.verbose && this.mayExplain) this.waiting.tell(row.reasonText);
    const fresh = this.followed.takePoints();
    if (fresh.length > 0) this.onAllocated(this.row ?? row, fresh);
    if (this.isJobOver) this.sayEnded();
    this.sayAborted(row);
  }

  /** Somebody ends the tasks: they get some time for it. */
  private sayAborted(row: JobRow): void {
    if (this.saidAborted || !this.tasks.haveAnyBegun || this.tasks.areAllOver || !isEndedFromOutside(row)) return;
    this.saidAborted = true;
    if (!this.speaker.overlay) this.speaker.info(ABORTED_LINE);
  }

  private onAllocated(row: JobRow, points: readonly AttachPoint[]): void {
    const isFirst = this.steps.size === 0;
    if (isFirst && this.plan.stepId === null) this.tasks.total = this.followed.tasks;
    if (isFirst && this.plan.warnsBeforeEnd && row.startAt !== null && row.limitS > 0) {
      const endMs = row.startAt + row.limitS * 1000;
      this.undo.push(warnBefore(endMs, this.context.clock, (text) => this.speaker.info(text)));
    }
    if (isFirst && this.saidQueued) this.speaker.info(`job ${row.id} has been allocated resources`);
    if (isFirst && this.plan.verbose) this.speaker.info(allocationLine(row, points));
    for (const point of points) {
      if (this.plan.verbose) this.speaker.info(launchLine(point));
      this.attach(point);
    }
  }

  private sayQueued(): void {
    if (this.plan.immediateS !== null && this.plan.immediateS <= AT_ONCE_S) return;
    const hasStarted = this.steps.size > 0 || (this.row !== null && this.row.startAt !== null);
    if (hasStarted || this.isWatchOver || this.steering.isRevoking) return;
    this.saidQueued = true;
    this.speaker.info(`job ${this.plan.jobId} queued and waiting for resources`);
    if (this.mayExplain && !this.plan.quiet) this.waiting.look().catch(this.reject);
  }

  /** Under Slurm's name nothing but Slurm's own lines is said of a job that waits. */
  private get mayExplain(): boolean {
    return !isSlurmName(this.context.program);
  }

  /** --immediate: resources that are not there by now are not waited for. */
  private giveUpWaiting(): void {
    if (this.steps.size > 0 || this.isWatchOver || (this.row !== null && this.row.startAt !== null)) return;
    this.speaker.error("Unable to allocate resources: Requested nodes are busy");
    const code = immediateExitCode(this.context.environment);
    // Nothing more is said of it.
    this.isClosed = true;
    this.cancel().then(() => this.resolve(code), this.reject);
  }

  private endWithoutStep(): void {
    if (this.row !== null && !this.steering.isRevoking) this.resolve(this.sayWithoutResult(this.row));
  }

  private sayWithoutResult(row: JobRow): number {
    const { infos, errors } = withoutResult(row, this.context.utcOffsetMinutes, this.plan.stepId ?? 0);
    for (const text of infos) this.speaker.info(text);
    for (const text of errors) this.speaker.error(text);
    return codeWithoutResult(row);
  }

  private get row(): JobRow | null {
    return this.followed.row;
  }

  private get isJobOver(): boolean {
    return this.followed.isOver;
  }

  // The tasks, as their holders tell it.

  private attach(point: AttachPoint): void {
    const { node } = point;
    const view = this.terminal?.view ?? null;
    const connect = async (): Promise<Connected> => {
      const connected = await this.context.session.connectHolder(point);
      if (this.plan.verbose && connected.way) this.speaker.info(`streams of ${node}: ${connected.way}`);
      return connected;
    };
    const events: StepEvents = {
      started: (tasks) => {
        this.tasks.started(tasks);
        if (this.tasks.areAllStarted) this.startStreaming();
      },
      data: (task, stream, offset, data) => {
        this.silence?.heard();
        if (view) view.data(offset, data);
        else this.relay.data(task, stream, offset, data);
      },
      exit: (task, exit) => this.report.add(node, task, exit),
      screen: (picture) => this.terminal?.screen(picture),
    };
    const step = attachStep(point, this.linkPorts(`the tasks on ${node}`, connect), events, view);
    this.steps.set(partName(point), step);
    step.outcome.then(
      (outcome) => {
        for (const { task, exit } of outcome.exits) this.report.add(node, task, exit);
        this.outcomes.push(outcome);
        this.checkDone();
      },
      (error) => this.onElsewhere(error),
    );
  }

  /** Somebody else has the terminal. */
  private onElsewhere(error: unknown): void {
    if (!(error instanceof RpcError)) return this.reject(error);
    if (error.code === "TAKEN_OVER") return this.detach(0, `: ${error.message}`);
    this.terminal?.leave();
    this.speaker.error(error.message);
    if (error.hint) this.context.stdio.err(`${this.context.program}: hint: ${error.hint}\n`);
    this.resolve(1);
  }

  /** The tasks run: what is typed is theirs from now on. */
  private startStreaming(): void {
    if (this.isStreaming) return;
    this.isStreaming = true;
    this.silence?.start();
    const { plan, context } = this;
    if (this.terminal) return this.terminal.start();
    if (plan.input === null) return;
    const task = plan.input === "all" ? null : plan.input;
    forwardInput(context.session.input, [...this.steps.values()], task).catch(this.reject);
  }

  private silencePorts(): SilencePorts {
    return {
      clock: this.context.clock,
      tell: (quietS) => this.sayQuiet(quietS),
      leave: (quietS) => this.detach(0, `, which printed nothing for ${quietS} s`),
    };
  }

  /** The job is well; what it uses is the best sign of it that there is. */
  private sayQuiet(quietS: number): void {
    const { row } = this;
    const gpus = row && row.gpuIds !== "" ? `, GPUs ${row.gpuIds}` : "";
    const state = row ? `${row.state} on ${row.nodeList}${gpus}` : "running";
    this.speaker.info(`job ${this.plan.jobId} has printed nothing for ${quietS} s; it is ${state}`);
  }

  private sessionTerminal(plan: TerminalPlan): SessionTerminal {
    return new SessionTerminal(plan, {
      ...{ context: this.context, speaker: this.speaker, fail: (error: unknown) => this.reject(error) },
      steps: () => [...this.steps.values()],
      detach: () => this.detach(0),
      kill: () => this.cancel(),
    });
  }

  /** Turns away from a terminal whose program runs on. */
  private detach(exitCode: number, why = ""): void {
    const { jobId, stepId } = this.plan;
    this.terminal?.leave();
    if (this.terminal) this.context.stdio.err("\n");
    const name = stepId === null ? String(jobId) : `${jobId}.${stepId}`;
    const isEnded = this.plan.onDisconnect === "kill" && this.plan.ownsJob;
    const then = isEnded
      ? "--on-disconnect kill ends it within a minute or so unless you come back"
      : "attach again with";
    const { namedCluster } = this.context;
    const cluster = namedCluster === undefined ? "" : `-M ${namedCluster} `;
    this.speaker.info(`detached from job ${jobId}${why}; ${then}: mgpu-sattach ${cluster}${name}`);
    this.resolve(exitCode);
  }

  /** All parts are over, and no more will be heard of. */
  private checkDone(): void {
    if (this.isClosed || this.isConcluding || this.steps.size === 0 || this.outcomes.length < this.steps.size) return;
    const attached = [...this.steps.values()].reduce((sum, { point }) => sum + point.tasks.length, 0);
    if (attached < this.tasks.total && !this.isWatchOver) return;
    this.isConcluding = true;
    this.conclude().then(this.resolve, this.reject);
  }

  private async conclude(): Promise<number> {
    this.terminal?.leave();
    this.relay.finish();
    const isLost = this.outcomes.some(({ lost }) => lost);
    if (isLost || this.tasks.hasSignalled) {
      await Promise.race([this.ended, sleep(this.context.clock, isLost ? PATIENCE_AFTER_END_MS : REASON_WAIT_MS)]);
    }
    if (isLost && this.row && this.isJobOver && !this.tasks.haveAnyBegun) return this.sayWithoutResult(this.row);
    // What kept tasks from starting comes before the exit code that they have for it.
    for (const { problem } of this.outcomes) if (problem !== "") this.speaker.error(problem);
    this.report.say();
    if (this.relay.missing > 0) this.speaker.error(`${this.relay.missing} bytes of output were lost`);
    if (isLost) return this.concludeLost();
    const hasProblem = this.outcomes.some(({ problem }) => problem !== "");
    return this.tasks.code === 0 && hasProblem ? 1 : this.tasks.code;
  }

  /** Some tasks' ends were never heard of: the job's own result stands in for them. Never a success. */
  private concludeLost(): number {
    const nodes = [...new Set([...this.steps.values()].map(({ point }) => point.node))].join(",");
    this.speaker.error(`lost contact with the tasks on ${nodes}: output may be missing`);
    if (this.row?.state === "NODE_FAIL") this.speaker.error(`Node failure on ${this.row.nodeList}: ${this.row.cause}`);
    return Math.max(1, this.tasks.code, this.row && this.isJobOver ? codeWithoutResult(this.row) : 0);
  }

  // The user, as steering.ts understands him.

  private onSignal(name: SessionSignal): void {
    const isFarewell = name === "SIGHUP" || name === "SIGTERM";
    if (isFarewell && this.terminal && this.isStreaming && this.plan.onDisconnect === "detach") {
      return this.detach(128 + SESSION_SIGNALS[name]);
    }
    this.steering.onSignal(name).catch(this.reject);
  }

  /** Resolves when all parts have it, or can't be reached any more. */
  private async toTasks(send: (step: AttachedStep) => Promise<void>): Promise<void> {
    await Promise.all([...this.steps.values()].map(send));
  }
}
