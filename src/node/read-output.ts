/** node.read: part of a file of a job's output, for clients on machines that don't have it. */

import { RpcError } from "../protocol/errors.ts";
import type { Params, Result } from "../protocol/procedures.ts";
import { errnoText } from "../util/errno.ts";

/** Part of a file, read with a user's rights; `null` if there is none. Rejects with Node's error. */
export type ReadFile = (
  user: { readonly uid: number; readonly gid: number; readonly groups?: readonly number[] },
  path: string,
  from: number,
  bytes: number,
) => Promise<{ readonly data: Uint8Array; readonly size: number } | null>;

/** Answers in the system's words where the file can't be read. The controller has checked whose job names it. */
export async function readOutput(
  readFile: ReadFile,
  { path, user, from, bytes }: Params<"node.read">,
): Promise<Result<"node.read">> {
  try {
    const found = await readFile(user, path, from, bytes);
    return { window: found && { data: found.data, size: found.size } };
  } catch (error) {
    throw new RpcError("UNREADABLE", `${path}: ${errnoText(error)}`);
  }
}
