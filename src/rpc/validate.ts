/** Checks what crossed the wire against its schema. Unknown fields are dropped: a newer peer may send more. */

import * as v from "valibot";
import { type ErrorCode, RpcError } from "../protocol/errors.ts";

/** A message quotes what was received, which may be as long as a frame. */
const MESSAGE_CHARS_MAX = 300;

/**
 * The value as the schema describes it.
 * @param where which message it is part of, for the error: "params of job.submit"
 * @throws RpcError with `code` and the path of the first bad field
 */
export function validate(schema: v.GenericSchema, value: unknown, code: ErrorCode, where: string): unknown {
  const checked = v.safeParse(schema, value, { abortEarly: true });
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  const path = v.getDotPath(issue);
  throw new RpcError(code, `${path === null ? "" : `${path} in `}${where}: ${shorten(issue.message)}`);
}

function shorten(message: string): string {
  return message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}...` : message;
}
