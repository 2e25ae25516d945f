/** What tests of grammars compare: the value that was read, or the problem. */

import type { Parsed } from "../../../src/core/parse.ts";

/** The value, or the problem's text. */
export function outcome<T>(parsed: Parsed<T>): T | string {
  return "value" in parsed ? parsed.value : parsed.problem;
}

/** The value; throws the problem. */
export function parsedValue<T>(parsed: Parsed<T>): T {
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}
