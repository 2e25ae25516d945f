/** Numbers of a report, short enough for a table. */

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** `0s`, `42s`, `5.2m`, `3.4h`, `12.6d`: a duration of so many seconds, three digits. */
export function shortDuration(seconds: number): string {
  if (seconds < 100) return `${three(seconds)}s`;
  if (seconds < 100 * MINUTE_S) return `${three(seconds / MINUTE_S)}m`;
  if (seconds < 72 * HOUR_S) return `${three(seconds / HOUR_S)}h`;
  return `${three(seconds / DAY_S)}d`;
}

/** `1.23`, `45.6`, `789`: three digits, more only before the point. */
export function three(value: number): string {
  if (value === 0) return "0";
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `61.5%` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
