/** Equal neighbours of a list, counted together. */

export interface Run<T> {
  readonly value: T;
  /** At least 1. */
  readonly times: number;
}

/** `[2, 2, 1]` as 2 twice and 1 once. Compares with `===`. */
export function runsOf<T>(values: readonly T[]): readonly Run<T>[] {
  const runs: { value: T; times: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.value === value) last.times += 1;
    else runs.push({ value, times: 1 });
  }
  return runs;
}
