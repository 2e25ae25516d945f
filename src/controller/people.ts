/** Questions to the user database. */

import { RpcError } from "../protocol/errors.ts";

/** An answer of the user database. @throws RpcError UNREADABLE where there is none, which is not "no such user" */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new RpcError("UNREADABLE", error instanceof Error ? error.message : String(error), "try again in a while");
  }
}
