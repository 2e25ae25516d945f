/** Bars: what a number is to reach at least, or at most. A row that has one says whether it does. */

/**
 * @typedef {object} Bar
 * @property {"ratio" | "ours"} of what is compared with it
 * @property {number} [atMost]
 * @property {number} [atLeast]
 */

/**
 * @template {import("./report.mjs").Row} R
 * @param {R} row
 * @param {string} work its line of the issue, in few words
 * @param {Bar} [bar] none for a number that is only reported
 * @returns {R & {work: string, bar?: Bar}}
 */
export function barred(row, work, bar) {
  return { ...row, work, ...(bar ? { bar } : {}) };
}

/** `met`, `MISSED`, or nothing for a row without a bar. @param {import("./report.mjs").Row & {bar?: Bar}} row */
export function verdict({ bar, ratio, ours }) {
  if (!bar) return "";
  const value = bar.of === "ratio" ? ratio : ours;
  const isMet = value !== null && value <= (bar.atMost ?? Infinity) && value >= (bar.atLeast ?? -Infinity);
  return isMet ? "met" : "MISSED";
}

/** `at most 1.5 x`, `at least 10000 1/s`. */
export function barText({ bar, unit }) {
  if (!bar) return "";
  const side = bar.atMost === undefined ? `at least ${bar.atLeast}` : `at most ${bar.atMost}`;
  return `${side} ${bar.of === "ratio" ? "×" : unit}`.trim();
}
