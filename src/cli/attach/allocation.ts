/**
 * An allocation of salloc's: waited for, kept by our being there, given back at the end. Its connection is made again
 * when it is lost, so a controller that is restarted takes nothing away.
 */

import { hetVariables, type RunningComponent } from "../../core/het-variables.ts";
import type { ExitStatus } from "../../core/job.ts";
import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { allocationVariables } from "../allocation-environment.ts";
import { isSlurmName } from "../connect.ts";
import type { CommandContext } from "../context.ts";
import { Link } from "./link.ts";
import type { Speaker } from "./speaker.ts";
import { askPlace, reasonOf, Waiting } from "./waiting.ts";

export interface AllocationEvents {
  /** It waits, and has done so for a moment. */
  onQueued(): void;
  /** It has its resources. */
  onGranted(row: JobRow): void;
  /** It is over, by its own time or somebody's wish, or was never granted. */
  onEnded(row: JobRow | null): void;
}

/** A job that starts within this time is not worth saying that it waits. */
const QUEUED_NOTICE_MS = 300;

/** How long its end is sought when we are about to leave. */
const COMPLETE_MS = 5000;

export class Allocation {
  readonly jobId: number;
  private readonly context: CommandContext;
  private readonly events: AllocationEvents;
  private readonly link: Link;
  private readonly waiting: Waiting;
  private row: JobRow | null = null;
  private isGranted = false;
  private isEnded = false;

  constructor(jobId: number, first: Connected, speaker: Speaker, context: CommandContext, events: AllocationEvents) {
    this.jobId = jobId;
    this.context = context;
    this.events = events;
    const ports = {
      ...{ clock: context.clock, name: "the controller", notice: (text: string) => speaker.info(text) },
      connect: (loss: ErrorCode | null) => this.reconnect(loss),
      // Its command works on meanwhile, and only the controller can take the resources away.
      patienceMs: Number.POSITIVE_INFINITY,
    };
    this.link = new Link(ports, first);
    this.waiting = new Waiting({
      ...{ jobId, clock: context.clock, speaker },
      ask: () => reasonOf((call) => this.link.use(call), jobId),
      place: () => askPlace((call) => this.link.use(call), jobId, context.utcOffsetMinutes),
    });
  }

  /** Follows the job to its end, or until {@link stop}. */
  async follow(): Promise<void> {
    const { jobId, context } = this;
    const cancelNotice = context.clock.after(QUEUED_NOTICE_MS, () => {
      if (this.isGranted || this.isEnded) return;
      this.events.onQueued();
      // Under Slurm's name nothing but Slurm's own lines is said of a job that waits.
      if (!isSlurmName(context.program)) void this.waiting.look().catch(() => {});
    });
    try {
      const params = { jobId, owner: true };
      await this.link.use((peer) => peer.stream("job.watch", params, ({ row }) => this.onRow(row)));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    } finally {
      cancelNotice();
    }
    this.end();
  }

  /** The variables of the allocation for the command; `null` if it is over already. */
  async variables(): Promise<Record<string, string> | null> {
    const { jobId } = this;
    const filter = { ids: [jobId], users: [], states: [], names: [], partitions: [] };
    const components: RunningComponent[] = [];
    const clusterName = await this.link.use(async (peer): Promise<string> => {
      components.length = 0;
      await peer.stream("jobs.get", { filter }, ({ jobs }) => {
        for (const { job, row } of jobs)
          if (job.state === "RUNNING") components.push({ job, partition: row.partition });
      });
      return (await peer.call("controller.status", {})).clusterName;
    });
    const own = components.find(({ job }) => job.id === jobId);
    if (clusterName === null || own === undefined) return null;
    return { ...allocationVariables(own.job, { clusterName, partition: own.partition }), ...hetVariables(components) };
  }

  /**
   * Gives the job back, or takes it out of the queue. Resolves once the controller has it: to false where it can't be
   * reached, and will end the job itself for the want of its salloc.
   */
  async complete(exit: ExitStatus): Promise<boolean> {
    const { jobId, context } = this;
    const params = { jobId, exit };
    const gone = new Promise<false>((resolve) => context.clock.after(COMPLETE_MS, () => resolve(false)));
    const done = this.link
      .use((peer) => peer.call("job.complete", params))
      .then(
        (answer) => answer !== null,
        (error: unknown) => {
          if (!(error instanceof RpcError)) throw error;
          return true;
        },
      );
    return Promise.race([done, gone]);
  }

  /** Closes the connection. */
  stop(): void {
    this.isEnded = true;
    this.waiting.stop();
    this.link.stop();
  }

  private onRow(row: JobRow): void {
    this.row = row;
    if (row.endAt !== null) return this.end();
    if (row.startAt === null || this.isGranted) return;
    this.isGranted = true;
    this.waiting.stop();
    this.events.onGranted(row);
  }

  private end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.waiting.stop();
    this.events.onEnded(this.row);
  }

  /** A controller that died is started again, as any command would do it; not one that was told to end. */
  private reconnect(loss: ErrorCode | null): Promise<Connected> {
    return this.context.connect({ start: loss !== "SHUTTING_DOWN" && !isSlurmName(this.context.program) });
  }
}
