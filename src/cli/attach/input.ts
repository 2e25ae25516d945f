/**
 * Our standard input to the tasks. Each chunk goes to every part of the step and is read only when all of them have
 * room, so that nothing piles up anywhere; tasks that read no more are left out.
 */

import type { Input } from "../context.ts";
import type { AttachedStep } from "./step.ts";

/** Largest part of the input in one call. */
const CHUNK_BYTES_MAX = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** What of an attached part takes input. */
export type InputTaker = Pick<AttachedStep, "point" | "input">;

/**
 * Forwards until the end of the input, or until no task reads it.
 * @param task the only one that gets it, else `null`
 * @param passesEnd whether the end of our input is the end of theirs
 */
export async function forwardInput(
  input: Input,
  steps: readonly InputTaker[],
  task: number | null,
  passesEnd = true,
): Promise<void> {
  let readers = steps.filter(({ point }) => task === null || point.tasks.includes(task));
  let offset = 0;
  const send = async (data: Uint8Array, eof: boolean): Promise<void> => {
    const results = await Promise.all(readers.map((step) => step.input(task, offset, data, eof)));
    readers = readers.filter((_, index) => results[index]);
    offset += data.length;
    if (readers.length === 0) input.stop();
  };
  if (readers.length === 0) return;
  await input.read(async (chunk) => {
    for (let at = 0; at < chunk.length && readers.length > 0; at += CHUNK_BYTES_MAX) {
      await send(chunk.subarray(at, at + CHUNK_BYTES_MAX), false);
    }
  });
  if (readers.length > 0 && passesEnd) await send(NOTHING, true);
}
