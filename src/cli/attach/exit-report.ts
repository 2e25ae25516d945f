/** Tells of tasks that failed: soon, but those that fail together in one line; and first who ended them. */

import type { StepId } from "../../core/ids.ts";
import type { ExitStatus } from "../../core/job.ts";
import type { UtcOffset } from "../../core/time.ts";
import type { Clock } from "../../platform/clock.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import { cancelledLine, failureLines, isEndedFromOutside } from "./messages.ts";
import type { Speaker } from "./speaker.ts";
import type { Tasks } from "./tasks.ts";

/** Tasks that fail within this time of one another are told of together. */
const GATHER_MS = 50;

export interface ExitReportPorts {
  readonly speaker: Speaker;
  readonly clock: Clock;
  readonly utcOffsetMinutes: UtcOffset;
  /** Who ended the tasks is said by their holder, in the first one's stderr. */
  readonly isReasonStreamed: boolean;
  /** The job as last heard of. */
  readonly row: () => JobRow | null;
  readonly stepId: StepId;
  /** A task is over; told once for each. */
  readonly onExit: (exit: ExitStatus) => void;
}

export class ExitReport {
  private readonly tasks: Tasks;
  private readonly ports: ExitReportPorts;
  private stopGathering: (() => void) | null = null;
  private saidCancelled = false;

  constructor(tasks: Tasks, ports: ExitReportPorts) {
    this.tasks = tasks;
    this.ports = ports;
  }

  /** A task is over; heard of any number of times. */
  add(node: string, task: number, exit: ExitStatus): void {
    if (!this.tasks.exited(node, task, exit)) return;
    this.ports.onExit(exit);
    this.stopGathering ??= this.ports.clock.after(GATHER_MS, () => {
      this.stopGathering = null;
      // A terminal belongs to its task until that has given it back.
      if (!this.ports.speaker.overlay) this.say();
    });
  }

  /** Tells of what was not told yet. */
  say(): void {
    const row = this.ports.row();
    const fresh = this.tasks.takeFresh();
    if (row && !this.ports.isReasonStreamed && isEndedFromOutside(row)) this.sayCancelled(row, [...fresh.keys()][0]);
    for (const [node, exits] of fresh) {
      for (const line of failureLines(node, exits)) this.ports.speaker.error(line);
    }
  }

  /** Tells of nothing more by itself. */
  stop(): void {
    this.stopGathering?.();
  }

  private sayCancelled(row: JobRow, node: string | undefined): void {
    if (this.saidCancelled) return;
    this.saidCancelled = true;
    this.ports.speaker.error(cancelledLine(row, this.ports.utcOffsetMinutes, this.ports.stepId, node));
  }
}
