/** The machine's time zone. */

/** How far local time is ahead of UTC at a moment, in minutes; summer time included. */
export function utcOffsetMinutes(atMs: number): number {
  return -new Date(atMs).getTimezoneOffset();
}
