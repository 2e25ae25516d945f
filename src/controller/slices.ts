/** Long work in slices, so that nothing else waits for long: after each, everything that has come up meanwhile has its turn. */

import type { Cancel, Clock } from "../platform/clock.ts";

/** Milliseconds after which a slice ends: well below what people or programs notice, far above what a turn costs. */
export const SLICE_MS = 8;

/** For loops that wait now and then: what is done before the first wait is done at once, as if there were none. */
export class Slice {
  readonly #clock: Pick<Clock, "after" | "monotonic">;
  #endMs: number;

  constructor(clock: Pick<Clock, "after" | "monotonic">) {
    this.#clock = clock;
    this.#endMs = clock.monotonic() + SLICE_MS;
  }

  get isOver(): boolean {
    return this.#clock.monotonic() >= this.#endMs;
  }

  /** Lets others have their turn; then the next slice begins. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => void this.#clock.after(0, resolve));
    this.#endMs = this.#clock.monotonic() + SLICE_MS;
  }
}

/** Does work that yields wherever it may be interrupted, and answers with what came of it. */
export async function slowly<T>(
  clock: Pick<Clock, "after" | "monotonic">,
  work: Iterator<unknown, T>,
  sliceMs = SLICE_MS,
): Promise<T> {
  for (let begun = clock.monotonic(); ; ) {
    const step = work.next();
    if (step.done) return step.value;
    if (clock.monotonic() - begun < sliceMs) continue;
    await new Promise<void>((resolve) => void clock.after(0, resolve));
    begun = clock.monotonic();
  }
}

/**
 * Does work that yields wherever it may be interrupted. The first slice runs at once.
 * @returns what gives the rest of the work up
 */
export function inSlices(
  clock: Pick<Clock, "after" | "monotonic">,
  work: Iterator<unknown, unknown>,
  done: () => void,
): Cancel {
  let cancel: Cancel = () => {};
  const slice = (): void => {
    const end = clock.monotonic() + SLICE_MS;
    while (!work.next().done) {
      if (clock.monotonic() < end) continue;
      cancel = clock.after(0, slice);
      return;
    }
    cancel = () => {};
    done();
  };
  slice();
  return () => cancel();
}
