/** Small things that several views draw. */

import { type Line, line, piece, type Role } from "../text.ts";

/** How states look; their letters say the same. */
const STATE_ROLES: Readonly<Record<string, Role>> = {
  RUNNING: "good",
  COMPLETED: "dim",
  PENDING: "warn",
  COMPLETING: "accent",
  CONFIGURING: "accent",
  SUSPENDED: "accent",
  CANCELLED: "dim",
};

/** A job state's role; all that is not named went wrong. */
export function stateRole(state: string): Role {
  return STATE_ROLES[state] ?? "bad";
}

/** `j down  k up`: keys and what they do, as many as there is room for; none is cut. */
export function keyHints(hints: readonly (readonly [key: string, what: string])[], cells: number): Line {
  let left = cells;
  const shown = hints.filter(([key, what]) => {
    left -= key.length + what.length + 3;
    return left >= 0;
  });
  return line(...shown.flatMap(([key, what]) => [piece(key, "accent"), piece(` ${what}  `, "dim")]));
}

/** Empty lines up to a height. */
export function padded(lines: readonly Line[], height: number): Line[] {
  const shown = lines.slice(0, height);
  return [...shown, ...Array.from({ length: height - shown.length }, () => line())];
}
