/** What is said where the state folder does not take what must be stored. */

import { RpcError } from "../protocol/errors.ts";
import { JournalMoved } from "./store/journal.ts";

/** Why nothing can be stored, and what to do about it. */
export interface StorageProblem {
  readonly text: string;
  readonly hint: string;
}

/** In words, for an error of the disk. */
export function storageProblem(error: unknown): StorageProblem {
  if (error instanceof JournalMoved) {
    const hint =
      "put it back as it was, or end mgpu with mgpu down --force: the next command starts it with a new state";
    return { text: `the state folder can't be used: ${error.message}`, hint };
  }
  const text = `the state folder can't be written: ${error instanceof Error ? error.message : String(error)}`;
  return { text, hint: "nothing acknowledged is lost; free space or mend the folder, then try again" };
}

/** The error of a call whose result could not be stored. */
export function storageError({ text, hint }: StorageProblem): RpcError {
  return new RpcError("STORAGE", text, hint);
}
