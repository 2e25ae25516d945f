/**
 * How a holder comes to its end. Its node daemon asks it to; or somebody ends it with a signal; or another holder
 * listens in its place; or nobody has talked to it for long and there is nothing that anybody could want. What runs is
 * never left behind: then it says so in its log, stays, and ends after it.
 */

import { LAST_READERS_MS, LEAVE_LOOK_MS, SHUTDOWN_ANSWER_MS } from "./limits.ts";
import type { HolderPorts } from "./ports.ts";
import type { Registry } from "./registry.ts";
import { isSettled } from "./retention.ts";

/** Steps named in the log. */
const NAMED_MAX = 16;

export class Leaving {
  /** Resolves at the end: close the server, and exit. */
  readonly ended: Promise<void>;
  private readonly ports: HolderPorts;
  private readonly registry: Registry;
  private end: () => void = () => {};
  private isDecided = false;
  /** Why it is to end as soon as nothing runs; empty if it is not. */
  private wish = "";
  private isDiscarding = false;
  private isWaiting = false;

  constructor(ports: HolderPorts, registry: Registry) {
    this.ports = ports;
    this.registry = registry;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** Whether the end can't be stopped any more. */
  get isEnding(): boolean {
    return this.isDecided;
  }

  /**
   * The node daemon asks. True if it will end now; otherwise it stays as it is, or with `discard` until nothing runs:
   * nobody will be there to ask again.
   */
  agree(discard: boolean): boolean {
    if (discard ? this.registry.isBusy : !this.registry.isIdle) {
      if (discard) this.leave("mgpu is being ended", true);
      return false;
    }
    // All is known to who asked: only those who read just now are waited for.
    this.finish(() => !this.registry.hasReaders);
    return true;
  }

  /**
   * Ends as soon as nothing runs, unless something new is launched before.
   * @param discard how steps ended, and their output, does not matter to anybody any more
   */
  leave(why: string, discard = false): void {
    if (this.isDecided) return;
    this.wish = why;
    this.isDiscarding = discard;
    if (this.registry.isBusy) {
      const names = this.registry.all().filter((step) => step.phase !== "ended");
      const steps = names.slice(0, NAMED_MAX).map((step) => step.name);
      this.ports.log.warn("steps run here: staying until they have ended", { why, steps, running: names.length });
    }
    this.look();
  }

  /** A new launch shows that this holder is needed after all. */
  stay(): void {
    this.wish = "";
  }

  /** Ends if nobody could want anything of it any more. */
  leaveIfUseless(): void {
    if (!this.registry.isBusy && this.hasNothing()) this.leave("nobody has been here for long");
  }

  private look(): void {
    if (this.wish === "" || this.isWaiting || this.isDecided) return;
    if (!this.registry.isBusy) {
      this.ports.log.info("ending", { why: this.wish });
      // Output and exits may still be asked for, but not for ever.
      return this.finish(() => (this.isDiscarding ? !this.registry.hasReaders : this.hasNothing()));
    }
    this.isWaiting = true;
    this.ports.clock.after(LEAVE_LOOK_MS, () => {
      this.isWaiting = false;
      this.look();
    });
  }

  private hasNothing(): boolean {
    return !this.registry.hasReaders && this.registry.all().every(isSettled);
  }

  private finish(isDone: () => boolean): void {
    if (this.isDecided) return;
    this.isDecided = true;
    const limitMs = this.ports.clock.monotonic() + LAST_READERS_MS;
    const later = (): void => {
      // The answer to whoever asked leaves first.
      this.ports.clock.after(SHUTDOWN_ANSWER_MS, () => {
        if (isDone() || this.ports.clock.monotonic() >= limitMs) this.end();
        else later();
      });
    };
    later();
  }
}
