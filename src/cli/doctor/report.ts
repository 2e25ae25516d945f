/** The findings as people read them: letters besides colours, each trouble with its fix below it. */

import { textTable } from "../../view/text-table.ts";
import type { Finding, Verdict } from "./finding.ts";

const LETTERS: Readonly<Record<Verdict, string>> = { ok: "ok", warn: "warn", fail: "FAIL" };
const COLOURS: Readonly<Record<Verdict, number>> = { ok: 32, warn: 33, fail: 31 };
const LETTERS_WIDTH = Math.max(...Object.values(LETTERS).map(({ length }) => length));

/** A table beside the findings: `null` where there is nothing to compare. */
export interface Comparison {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Parts in the order in which their first finding came, the table of nodes behind the part called `nodes`. */
export function reportText(findings: readonly Finding[], comparison: Comparison | null, hasColours: boolean): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const parts = [...new Set(findings.map(({ where }) => where))].map((where) => {
    const lines = findings.filter((one) => one.where === where).map((one) => findingText(one, width, hasColours));
    return `${where}\n${lines.join("")}`;
  });
  const table = comparison && indent(textTable(comparison.header, comparison.rows));
  return `${[...parts, ...(table ? [`nodes side by side\n${table}`] : [])].join("\n")}\n${totals(findings)}`;
}

function findingText({ what, verdict, text, fix }: Finding, width: number, hasColours: boolean): string {
  const letters = LETTERS[verdict].padEnd(LETTERS_WIDTH);
  const mark = hasColours ? `\u001b[${COLOURS[verdict]}m${letters}\u001b[0m` : letters;
  const line = `  ${mark}  ${what.padEnd(width)}  ${text}\n`;
  return fix === "" ? line : `${line}${" ".repeat(LETTERS_WIDTH + width + 6)}fix: ${fix}\n`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function totals(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  const [warnings, failures] = [count("warn"), count("fail")];
  const parts = [
    `${count("ok")} ok`,
    `${warnings} ${warnings === 1 ? "warning" : "warnings"}`,
    `${failures} ${failures === 1 ? "failure" : "failures"}`,
  ];
  return `${parts.join(", ")}\n`;
}
