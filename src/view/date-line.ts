/** The line that `squeue -l` and `sinfo -l` begin with: `Sat Nov 21 23:40:48 2026`. */

import { formatTimestamp, type UtcOffset } from "../core/time.ts";
import { civilDate } from "../util/civil.ts";

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
const DAY_MS = 86_400_000;

/** Local time in the C library's form, without a line break. */
export function formatDateLine(atMs: number, utcOffset: UtcOffset): string {
  const localMs = atMs + utcOffset(atMs) * 60_000;
  const { year, month, day } = civilDate(localMs);
  // 1970 began on a Thursday.
  const weekday = DAYS[Math.floor(localMs / DAY_MS) % DAYS.length];
  const time = formatTimestamp(atMs, utcOffset).split("T")[1];
  return `${weekday} ${MONTHS[month - 1]} ${String(day).padStart(2)} ${time} ${year}`;
}
