/** How roles look: the sixteen colours that every terminal has, or none at all. Nothing is told by colour alone. */

import { cutLine, type Line, lineCells, type Role, sized } from "./text.ts";

/** SGR parameters, ECMA-48. */
const CODES: Readonly<Record<Role, string>> = {
  plain: "",
  dim: "2",
  title: "1",
  good: "32",
  warn: "33",
  bad: "31",
  accent: "36",
  mark: "35",
};

/** Those that mean something without colours. */
const COLOURLESS: Readonly<Partial<Record<Role, string>>> = { title: "1", bad: "1" };

/** Codes for a line that is the other way round. */
const REVERSE = "7";

/** The line as text of exactly `columns` cells, with or without colours. */
export function paintLine(one: Line, columns: number, hasColours: boolean): string {
  const shown = cutLine(one, columns);
  const fill = " ".repeat(Math.max(0, columns - lineCells(shown)));
  const codeOf = (role: Role): string => (hasColours ? CODES[role] : (COLOURLESS[role] ?? ""));
  const parts = [...shown.segments, { text: one.isReverse ? fill : "", role: "plain" as const }];
  return parts
    .filter(({ text }) => text !== "")
    .map(({ text, role }) => {
      const codes = [codeOf(role), one.isReverse ? REVERSE : ""].filter((code) => code !== "").join(";");
      return codes === "" ? text : `\x1b[${codes}m${text}\x1b[0m`;
    })
    .join("");
}

/** The line as plain text, without blanks at its end; the cursor's line begins with `>` in the first cell. */
export function plainLine(one: Line, columns: number): string {
  const text = cutLine(one, columns)
    .segments.map((segment) => segment.text)
    .join("");
  return sized(text, columns).trimEnd();
}
