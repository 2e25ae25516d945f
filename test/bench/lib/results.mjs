/** RESULTS.md: the table of issue 10, written by the command that measured it, never by hand. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { barText, verdict } from "./bars.mjs";
import { ROOT } from "./machine.mjs";
import { digits } from "./report.mjs";

const PATH = join(ROOT, "test/bench/RESULTS.md");

/** Benches that together have all rows. */
export const NEEDED = ["slurm", "scale"];

/**
 * @param {readonly (import("./report.mjs").Row & {work?: string})[]} rows those without `work` are left out
 * @param {{ran: readonly string[], header: string, loads: string, quick: boolean}} run the header is that of lib/machine.mjs
 * @returns {string} the file's path
 */
export function writeResults(rows, { ran, header, loads, quick }) {
  const lines = header.split("\n").filter((line) => line.startsWith("# "));
  const table = rows.filter((row) => row.work !== undefined);
  const missed = table.filter((row) => verdict(row) === "MISSED").length;
  const text = `<!-- Made by \`npm run bench -- ${ran.join(" ")}${quick ? " --quick" : ""}\`. Do not edit. -->

# Beside Slurm, and by the bars of issue 10

${lines.map((line) => `- ${line.slice(2)}`).join("\n")}
- load of the machine in one minute, at the beginning and at the end: ${loads}
- ${quick ? "a quick run: smaller numbers" : "a full run"}; ${table.filter((row) => row.bar).length} bars, ${missed} missed${ran.length < NEEDED.length ? `; not measured this time: ${NEEDED.filter((name) => !ran.includes(name)).join()}` : ""}

The reference is measured in the same rounds, in turns with ours. On a machine that others use, minima, CPU time and ratios tell of
the program, medians of the company. \`ratio\` is ours divided by the reference's. Beside Slurm both clusters have one node of 128 CPUs,
tuned for throughput (test/bench/lib/slurm.mjs), and are warm. Batch jobs come to ours over one connection, to Slurm from four clients with
\`sbatch\`, which is faster than it runs them; an array is one \`sbatch\` for both.

| work | measured | ours | reference | ratio | bar | |
| --- | --- | ---: | ---: | ---: | --- | --- |
${table.map(lineOf).join("\n")}
`;
  writeFileSync(PATH, text);
  return PATH;
}

function lineOf(row) {
  const { work, metric, unit, ours, reference, referenceName, ratio } = row;
  const other = reference === null ? "" : `${digits(reference)} (${referenceName})`;
  const cells = [
    ...[work, `${metric}${unit === "" ? "" : `, ${unit}`}`, digits(ours), other],
    ...[ratio === null ? "" : ratio.toFixed(2), barText(row), verdict(row)],
  ];
  return `| ${cells.join(" | ")} |`;
}
