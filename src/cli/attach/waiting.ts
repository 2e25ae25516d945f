/**
 * Says why a job waits: as soon as the scheduler has a reason, and again when it has another one. The controller is
 * asked now and then, because a watcher hears only of changes of the job itself, and a reason is none.
 */

import type { Clock } from "../../platform/clock.ts";

export interface WaitingPorts {
  readonly jobId: number;
  readonly clock: Clock;
  /** The reason in the controller's words, empty if there is none yet; `null` once nobody can tell. */
  readonly ask: () => Promise<string | null>;
  readonly say: (text: string) => void;
}

/** Between two looks: a queue that moves fast shall not fill the screen. */
const LOOK_EVERY_MS = 10_000;

/** The same while there is no reason yet. */
const LOOK_AGAIN_MS = 1000;

export class Waiting {
  private readonly ports: WaitingPorts;
  private said = "";
  private isOver = false;
  private cancelLook: () => void = () => {};

  constructor(ports: WaitingPorts) {
    this.ports = ports;
  }

  /** Looks until it is stopped or nobody can tell any more. */
  async look(): Promise<void> {
    while (!this.isOver) {
      const reason = await this.ports.ask();
      if (reason === null) return;
      this.tell(reason);
      const ms = reason === "" ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
      await new Promise<void>((resolve) => {
        this.cancelLook = this.ports.clock.after(ms, resolve);
      });
    }
  }

  /** Says a reason unless it is the one that was said last. */
  tell(reason: string): void {
    if (this.isOver || reason === "" || reason === this.said) return;
    this.said = reason;
    const { jobId, say } = this.ports;
    say(reason.startsWith("waits ") ? `job ${jobId} ${reason}` : `job ${jobId} waits: ${reason}`);
  }

  /** The job waits no longer. */
  stop(): void {
    this.isOver = true;
    this.cancelLook();
  }
}
