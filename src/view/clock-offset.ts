/** How far the clock of a node is from the controller's, in words. */

/** Clocks that differ by less are as good as the same. */
const SAME_MS = 1000;

/**
 * `+3600.0s` for a clock that is ahead; empty for one that is as good as the same, or not known.
 * @param offsetMs milliseconds
 */
export function clockOffsetText(offsetMs: number | undefined): string {
  if (offsetMs === undefined || Math.abs(offsetMs) < SAME_MS) return "";
  return `${offsetMs > 0 ? "+" : "-"}${(Math.abs(offsetMs) / 1000).toFixed(1)}s`;
}
