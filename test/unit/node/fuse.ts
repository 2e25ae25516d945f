/** Kills a simulated process after so many operations: from then on nothing it waits for ever answers. */

import type { Clock } from "../../../src/platform/clock.ts";

export class Fuse {
  blown = false;
  count = 0;
  private readonly limit: number;

  /** @param limit operations that still begin or end; Infinity for a process that lives on */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.limit = limit;
  }

  blow(): void {
    this.blown = true;
  }

  /** Does one operation; the process may die before it, or after it and before it learns of that. */
  async pass<T>(operation: () => Promise<T>): Promise<T> {
    if (this.burn()) return never();
    try {
      return await operation();
    } finally {
      if (this.burn()) await never();
    }
  }

  /** All methods of a port made operations. */
  guard<T extends object>(port: T): T {
    const methods = Object.entries(port).filter(([, value]) => typeof value === "function");
    const guarded = methods.map(([name, method]) => [name, (...args: unknown[]) => this.pass(() => method(...args))]);
    return { ...port, ...Object.fromEntries(guarded) };
  }

  /** A clock that dies with the process. */
  clock(clock: Clock): Clock {
    const after: Clock["after"] = (ms, callback) => clock.after(ms, () => this.blown || callback());
    return { now: () => clock.now(), monotonic: () => clock.monotonic(), after };
  }

  private burn(): boolean {
    this.count += 1;
    if (this.count > this.limit) this.blown = true;
    return this.blown;
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
