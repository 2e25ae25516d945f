/** Parts of files that cross the wire. */

import * as v from "valibot";
import * as s from "./schemas.ts";

/** Most bytes of a file in one answer: far below the limit of a frame. */
const WINDOW_BYTES_MAX = 256 * 1024;

/** A part of a file that may be growing. */
export const fileWindow = { from: s.count, bytes: v.pipe(s.count, v.maxValue(WINDOW_BYTES_MAX)) };

/** `null` if there is no such file (yet). */
export const fileWindowAnswer = v.object({ window: v.nullable(v.object({ data: s.bytes, size: s.count })) });
