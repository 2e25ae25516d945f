/**
 * Long silences of a job's output: the user is told that the job lives, and after some of them in a row is let go.
 * A quiet job is healthy; it is never ended for it.
 */

import type { Cancel, Clock } from "../../platform/clock.ts";

export interface SilencePlan {
  /** Seconds without output that make a silence. */
  readonly waitS: number;
  /** Silences in a row after which the client leaves. */
  readonly countMax: number;
}

/** The predecessors' values. */
const WAIT_S = 300;
const COUNT_MAX = 30;

/** What the options of a command come to; `null` if silences are of no interest. */
export function silencePlan(values: {
  readonly "max-wait-time"?: number;
  readonly "max-consecutive-timeouts"?: number;
  readonly "exit-on-silence"?: boolean;
}): SilencePlan | null {
  const { "max-wait-time": waitS, "max-consecutive-timeouts": count, "exit-on-silence": exits } = values;
  if (waitS === undefined && count === undefined && !exits) return null;
  return { waitS: waitS ?? WAIT_S, countMax: exits ? 1 : (count ?? COUNT_MAX) };
}

export interface SilencePorts {
  readonly clock: Clock;
  /** The job is quiet for so many seconds; says how it stands. */
  tell(quietS: number): void;
  /** It was quiet for too long: leaves it to itself. */
  leave(quietS: number): void;
}

export class Silence {
  private readonly plan: SilencePlan;
  private readonly ports: SilencePorts;
  private heardAtMs: number;
  private count = 0;
  private cancel: Cancel = () => {};

  constructor(plan: SilencePlan, ports: SilencePorts) {
    this.plan = plan;
    this.ports = ports;
    this.heardAtMs = ports.clock.monotonic();
  }

  /** The tasks run from now on. */
  start(): void {
    this.heard();
    this.look(this.plan.waitS * 1000);
  }

  /** Something was printed. */
  heard(): void {
    this.heardAtMs = this.ports.clock.monotonic();
    this.count = 0;
  }

  stop(): void {
    this.cancel();
  }

  private look(ms: number): void {
    this.cancel = this.ports.clock.after(ms, () => {
      const waitMs = this.plan.waitS * 1000;
      const quietMs = this.ports.clock.monotonic() - this.heardAtMs;
      const restMs = waitMs * (this.count + 1) - quietMs;
      if (restMs > 0) return this.look(restMs);
      this.count++;
      const quietS = Math.floor(quietMs / 1000);
      if (this.count >= this.plan.countMax) return this.ports.leave(quietS);
      this.ports.tell(quietS);
      this.look(waitMs);
    });
  }
}
