/** Whether a listing is for programs: small, so that a plain table loads nothing of JSON and YAML. */

import type { OptionReader } from "../filters.ts";

/** Whether JSON or YAML was asked for. */
export function isMachineForm(options: OptionReader): boolean {
  return options.isGiven("json") || options.isGiven("yaml");
}
