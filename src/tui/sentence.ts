/** What is said of errors. */

import { RpcError } from "../protocol/errors.ts";

/** What went wrong, for people: with what the controller adds to Slurm's words. */
export function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message.replace(/\.$/, "");
  return error instanceof RpcError && error.hint !== undefined ? `${message} (${error.hint})` : message;
}
