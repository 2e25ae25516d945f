/**
 * A step within a running job: asked for until there is room for it. The request carries a name of its own, so that
 * it can be sent again when the controller was lost: the answer is the same step.
 */

import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type CommandContext, UserError } from "../context.ts";
import { AT_ONCE_S, immediateExitCode } from "./immediate.ts";
import { Link } from "./link.ts";
import { createSpeaker, type Speaker } from "./speaker.ts";
import { SESSION_SIGNALS, type SessionSignal } from "./steering.ts";

export interface StepWish
  extends Pick<Params<"step.create">, "jobId" | "step" | "environment" | "component" | "others"> {
  /** Seconds within which there must be room; `null` for as long as it takes. */
  readonly immediateS: number | null;
  readonly quiet: boolean;
}

/** A step that the controller has on disk, and the connection over which it said so. */
export interface CreatedStep extends Result<"step.create"> {
  readonly connected: Connected;
}

/** Bytes of a random request id; no two requests of a state folder's life may share one. */
const REQUEST_ID_BYTES = 16;

/** The job itself is not what it must be. */
const NO_ALLOCATION: ReadonlySet<ErrorCode> = new Set(["INVALID_JOB", "NOT_RUNNING"]);

/**
 * Waits that are shorter are not worth a word: an srun ends with its tasks, and the controller hears of it a moment later,
 * which the next srun of a script may be ahead of.
 */
const NOTICE_MS = 200;

/** Signals that mean nothing to a step that does not exist yet. */
const HARMLESS: ReadonlySet<SessionSignal> = new Set(["SIGUSR1", "SIGUSR2", "SIGCONT"]);

/**
 * Makes a step.
 * @returns the step, or the exit code after it was said why there is none
 * @throws UserError for a refusal
 */
export async function createStep(wish: StepWish, context: CommandContext): Promise<CreatedStep | number> {
  const { jobId } = wish;
  const unable = `${context.program}: error: Unable to confirm allocation for job ${jobId}`;
  const first = await connectAsSlurm(context, unable);
  return first === null ? 1 : new Creation(wish, first, context).run();
}

class Creation {
  private readonly wish: StepWish;
  private readonly context: CommandContext;
  private readonly speaker: Speaker;
  private readonly link: Link;
  private readonly requestId: string;
  private readonly abort = new AbortController();
  private current: Connected;
  /** What was last told as the reason to wait; empty before. */
  private said = "";
  /** What is to be told if it lasts. */
  private pending: { readonly why: string; readonly holders: string } | null = null;
  private isLong = false;
  private caught: SessionSignal | null = null;

  constructor(wish: StepWish, first: Connected, context: CommandContext) {
    this.wish = wish;
    this.context = context;
    this.current = first;
    this.speaker = createSpeaker(context, wish.quiet);
    this.requestId = context.random.hex(REQUEST_ID_BYTES);
    this.link = new Link(
      {
        ...{ clock: context.clock, name: "the controller", notice: (text) => this.speaker.info(text) },
        connect: (loss) => this.reconnect(loss),
      },
      first,
    );
  }

  async run(): Promise<CreatedStep | number> {
    const { session, clock } = this.context;
    const names = Object.keys(SESSION_SIGNALS) as SessionSignal[];
    const undo = names.map((name) => session.onSignal(name, () => this.onSignal(name)));
    const { immediateS, jobId } = this.wish;
    undo.push(clock.after(NOTICE_MS, () => this.onLong()));
    if (immediateS !== null) undo.push(clock.after(Math.max(AT_ONCE_S, immediateS) * 1000, () => this.abort.abort()));
    try {
      const made = await this.link.use((peer) => this.ask(peer));
      if (made === null) throw new UserError(`Unable to create step for job ${jobId}: no contact with the controller`);
      if (this.said !== "") this.speaker.info(`Step created for StepId=${jobId}.${made.stepId}`);
      return { ...made, connected: this.current };
    } catch (error) {
      return this.explain(error);
    } finally {
      for (const end of undo) end();
    }
  }

  private ask(peer: Peer): Promise<Result<"step.create">> {
    const { jobId, step, environment, component, others, immediateS } = this.wish;
    const immediate = immediateS !== null && immediateS <= AT_ONCE_S;
    const params = {
      ...{ requestId: this.requestId, jobId, step, environment, immediate },
      ...(component === undefined ? {} : { component }),
      ...(others === undefined ? {} : { others }),
    };
    return peer.stream("step.create", params, (item) => this.onBusy(item.waiting, item.holders), {
      signal: this.abort.signal,
    });
  }

  private onLong(): void {
    this.isLong = true;
    if (this.pending) this.onBusy(this.pending.why, this.pending.holders);
  }

  private onBusy(why: string, holders = ""): void {
    this.pending = { why, holders };
    // A controller that was restarted says it again.
    if (!this.isLong || why === this.said) return;
    const words = this.said !== "" ? "still disabled" : "temporarily disabled";
    this.said = why;
    this.speaker.info(`Job ${this.wish.jobId} step creation ${words}, retrying (${why})`);
    if (words !== "temporarily disabled") return;
    if (holders !== "" && !isSlurmName(this.context.program)) this.speaker.info(holders);
    this.warnInside();
  }

  /** A step that waits for what it runs in itself waits for ever. */
  private warnInside(): void {
    const { environment, program } = this.context;
    const { jobId, step } = this.wish;
    const isInside = environment.SLURM_JOB_ID === String(jobId) && /^\d+$/.test(environment.SLURM_STEP_ID ?? "");
    if (!isInside || step.request.overlap || isSlurmName(program)) return;
    const outer = `StepId=${jobId}.${environment.SLURM_STEP_ID}`;
    this.speaker.info(`hint: this runs within ${outer}, which holds its CPUs until its end: use them with --overlap`);
  }

  private onSignal(name: SessionSignal): void {
    if (HARMLESS.has(name)) return;
    this.caught ??= name;
    this.abort.abort();
  }

  private explain(error: unknown): number {
    const { jobId } = this.wish;
    const { environment } = this.context;
    this.link.stop();
    const unable = `Unable to create step for job ${jobId}`;
    if (this.abort.signal.aborted) {
      if (this.caught !== null) {
        this.speaker.info(`Cancelled pending job step with signal ${SESSION_SIGNALS[this.caught]}`);
        throw new UserError(`${unable}: Job/step already completing or completed`);
      }
      throw new UserError(`${unable}: Requested nodes are busy`, undefined, immediateExitCode(environment));
    }
    if (!(error instanceof RpcError)) throw error;
    if (error.code === "STEP_BUSY")
      throw new UserError(`${unable}: ${error.message}`, error.hint, immediateExitCode(environment));
    if (!NO_ALLOCATION.has(error.code)) throw new UserError(`${unable}: ${error.message}`, error.hint);
    const isFromEnvironment = environment.SLURM_JOB_ID === String(jobId);
    const where = `Check SLURM_JOB_ID environment variable. Expired or invalid job ${jobId}`;
    const hint = isFromEnvironment && error.code === "INVALID_JOB" ? where : error.hint;
    throw new UserError(`Unable to confirm allocation for job ${jobId}: ${error.message}`, hint);
  }

  /** A controller that died is started again, as any command would do it; not one that was told to end. */
  private async reconnect(loss: ErrorCode | null): Promise<Connected> {
    const start = loss !== "SHUTTING_DOWN" && !isSlurmName(this.context.program);
    this.current = await this.context.connect({ start });
    return this.current;
  }
}
