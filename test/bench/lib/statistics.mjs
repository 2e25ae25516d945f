/** What is said of a list of samples. On a shared machine the minimum says what the work costs, the median what one gets. */

/** @param {readonly number[]} samples */
export function minimum(samples) {
  return Math.min(...samples);
}

/** @param {readonly number[]} samples */
export function maximum(samples) {
  return Math.max(...samples);
}

/** @param {readonly number[]} samples */
export function median(samples) {
  if (samples.length === 0) return Number.NaN;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median absolute deviation: how far a typical sample lies from the median.
 * @param {readonly number[]} samples
 */
export function spread(samples) {
  const center = median(samples);
  return median(samples.map((sample) => Math.abs(sample - center)));
}
