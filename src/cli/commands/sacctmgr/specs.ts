/** The words behind an entity of sacctmgr: names, `key=value`, `where` and `set`. */

/** One `key=value`, `key+=value` or `key-=value`. */
export interface Spec {
  readonly key: string;
  readonly operator: "=" | "+=" | "-=";
  readonly value: string;
  /** As it was typed. */
  readonly text: string;
}

/** What was typed behind the entity. */
export interface Specs {
  /** Words without `=`: names. */
  readonly names: readonly string[];
  /** What selects. */
  readonly where: readonly Spec[];
  /** What is to be set. */
  readonly set: readonly Spec[];
  readonly hasSet: boolean;
}

/** Sorts words: those before `set` (or behind `where`) select, those behind `set` set. */
export function readSpecs(words: readonly string[]): Specs {
  const names: string[] = [];
  const where: Spec[] = [];
  const set: Spec[] = [];
  let isSet = false;
  let hasSet = false;
  for (const word of words) {
    const lower = word.toLowerCase();
    if (lower === "where") isSet = false;
    else if (lower === "set") isSet = hasSet = true;
    else {
      const spec = specOf(word);
      if (spec) (isSet ? set : where).push(spec);
      else if (isSet) set.push({ key: word, operator: "=", value: "", text: word });
      else names.push(...listOf(word));
    }
  }
  return { names, where, set, hasSet };
}

/** Members of a comma-separated list, without quotes and empty ones. */
export function listOf(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.replace(/^(["'])(.*)\1$/, "$2"))
    .filter((one) => one !== "");
}

function specOf(text: string): Spec | null {
  const match = /^([A-Za-z_][\w]*)([+-]?=)(.*)$/s.exec(text);
  if (!match) return null;
  const [, key = "", operator = "=", value = ""] = match;
  return { key, operator: operator as Spec["operator"], value: value.replace(/^(["'])(.*)\1$/s, "$2"), text };
}
