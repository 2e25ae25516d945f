/** Results as a table for people, or one JSON object a line for programs. */

import { barText, verdict } from "./bars.mjs";

/**
 * @typedef {object} Row
 * @property {string} bench
 * @property {string} case what was run
 * @property {string} metric
 * @property {string} unit
 * @property {number} ours
 * @property {number | null} reference the same metric of what it is compared with, measured in the same rounds
 * @property {string} referenceName
 * @property {number | null} ratio ours / reference
 * @property {number} samples
 * @property {number | null} spread median absolute deviation of ours, where the metric is a median
 */

/**
 * @param {Omit<Row, "ratio" | "spread"> & {spread?: number}} values
 * @returns {Row}
 */
export function row(values) {
  const { ours, reference } = values;
  const ratio = reference === null || reference === 0 ? null : ours / reference;
  return { ...values, ratio, spread: values.spread ?? null };
}

/** @param {readonly Row[]} rows */
export function toJsonLines(rows) {
  return rows
    .map((one) => {
      const { bench, metric, unit, ours, reference, ratio, referenceName, samples, spread } = one;
      const numbers = { ours: rounded(ours), reference: rounded(reference), ratio: rounded(ratio) };
      const line = { bench, case: one.case, metric, unit, ...numbers, referenceName, samples, spread: rounded(spread) };
      if (one.bar) Object.assign(line, { bar: barText(one), verdict: verdict(one) });
      return `${JSON.stringify(line)}\n`;
    })
    .join("");
}

const HEADINGS = ["case", "metric", "ours", "± MAD", "unit", "reference", "ratio", "compared with", "n", "bar"];
const IS_NUMBER = [false, false, true, true, false, true, true, false, true, false];

/** @param {readonly Row[]} rows of one bench */
export function toTable(rows) {
  const cells = rows.map((one, index) => [
    // A case is named once.
    one.case === rows[index - 1]?.case ? "" : one.case,
    one.metric,
    digits(one.ours),
    digits(one.spread),
    one.unit,
    digits(one.reference),
    one.ratio === null ? "" : one.ratio.toFixed(2),
    one.referenceName,
    String(one.samples),
    one.bar ? `${barText(one)}: ${verdict(one)}` : "",
  ]);
  const table = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((line) => line[column].length)));
  return table
    .map((line) => {
      const padded = line.map((text, column) =>
        IS_NUMBER[column] ? text.padStart(widths[column]) : text.padEnd(widths[column]),
      );
      return `${padded.join("  ").trimEnd()}\n`;
    })
    .join("");
}

/** Three digits or more, for people. */
export function digits(value) {
  if (value === null) return "";
  if (value >= 1000) return value.toFixed(0);
  return value >= 100 ? value.toFixed(1) : value.toFixed(2);
}

function rounded(value) {
  return value === null ? null : Number(value.toPrecision(5));
}
