/**
 * `mgpu feed --watch` with a controller that does not watch the file: it is on another machine and does not see it, or is
 * root's and watches no files of users. This command looks at the file then, for as long as it runs.
 */

import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import { NoController } from "../connect.ts";
import { type CommandContext, type FileFacts, UserError } from "../context.ts";

/** Between two looks. */
const LOOK_MS = 2000;

/**
 * Feeds a file again whenever it has changed and is at rest; returns when it is told to end.
 * @param fed {@link markOf} it before it was fed first: what changed since then is seen
 * @param feed reads and queues it, and says what came of it
 */
export async function follow(
  path: string,
  context: CommandContext,
  fed: string,
  feed: () => Promise<unknown>,
): Promise<void> {
  let isOver = false;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    context.session.onSignal(name, () => {
      isOver = true;
    });
  }
  let done = fed;
  let seen = done;
  while (!isOver) {
    await sleep(context.clock, LOOK_MS);
    const mark = markOf(path, context);
    const isSettled = mark === seen;
    seen = mark;
    if (isOver || mark === done || !isSettled) continue;
    if (await tryOnce(feed, context)) done = mark;
  }
}

/** Whether it was fed, or is wrong. A controller that is away is no end: it is tried again. */
async function tryOnce(feed: () => Promise<unknown>, { stdio, program }: CommandContext): Promise<boolean> {
  try {
    await feed();
    return true;
  } catch (error) {
    if (!(error instanceof UserError || error instanceof RpcError)) throw error;
    const texts = error instanceof UserError ? error.problems : [error.message];
    stdio.err(texts.map((text) => `${program}: error: ${text}\n`).join(""));
    return error instanceof UserError && !(error instanceof NoController);
  }
}

/** By what it is seen that a file has changed. */
export function markOf(path: string, { files }: CommandContext): string {
  try {
    const { size, mtimeMs }: FileFacts = files.stat(path);
    return `${size} ${mtimeMs}`;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}
