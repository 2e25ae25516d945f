/** Assertions state what is impossible. One that fails is a bug of mgpu, never of a user's input. */

/**
 * Throws when `condition` is false.
 * @param message what was impossible, for the log
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Makes the compiler check that a switch covers every member of a union. */
export function assertNever(value: never): never {
  throw new Error(`assertion failed: unexpected value ${JSON.stringify(value)}`);
}

/** The value, or an assertion failure that names what was missing. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`assertion failed: ${what} is missing`);
  return value;
}
