/** What is said of errors. */

/** What went wrong, for people. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
