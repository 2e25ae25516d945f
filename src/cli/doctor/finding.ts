/** What `mgpu doctor` finds. */

/** - `ok`: as it should be
 *  - `warn`: works, but may surprise somebody
 *  - `fail`: something does not work */
export type Verdict = "ok" | "warn" | "fail";

export interface Finding {
  /** Which part of the report it belongs to: `this machine`, `the way to gpu0:7411`, `nodes`. */
  readonly where: string;
  /** In a word or two: `open files`. */
  readonly what: string;
  readonly verdict: Verdict;
  readonly text: string;
  /** What to do, in one line; empty where nothing is to be done. */
  readonly fix: string;
}

/** Findings of one part, one after the other. */
export interface Notes {
  readonly all: readonly Finding[];
  ok(what: string, text: string): void;
  warn(what: string, text: string, fix: string): void;
  fail(what: string, text: string, fix: string): void;
}

/** None yet. */
export function notesOf(where: string): Notes {
  const all: Finding[] = [];
  return {
    all,
    ok: (what, text) => void all.push({ where, what, verdict: "ok", text, fix: "" }),
    warn: (what, text, fix) => void all.push({ where, what, verdict: "warn", text, fix }),
    fail: (what, text, fix) => void all.push({ where, what, verdict: "fail", text, fix }),
  };
}
