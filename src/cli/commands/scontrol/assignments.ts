/** `Key=value` words of scontrol's update, create and delete, and tables that say what each key changes. */

import type { Parsed } from "../../../core/parse.ts";
import { UserError } from "../../context.ts";
import { didYouMean } from "../../usage.ts";
import { findKeyword } from "./keywords.ts";

/** How a value was given: `Key=`, `Key+=` or `Key-=`. */
export type Operator = "=" | "+=" | "-=";

/** `Key=value` as typed. */
export interface Assignment {
  readonly key: string;
  readonly operator: Operator;
  readonly text: string;
  /** The whole word. */
  readonly word: string;
}

/** Reads a key's text as some changes, or says what is wrong with it. */
export type EntityField<C> = (text: string, assignment: Assignment) => Parsed<Partial<C>>;

/** Fewest letters of a shortened key. */
const KEY_LETTERS_MIN = 3;

/** Reads one word. @throws UserError for a word without `=` */
export function readAssignment(word: string): Assignment {
  const match = /^([A-Za-z][A-Za-z_-]*?)(\+=|-=|=)(.*)$/s.exec(word);
  // Slurm takes `Nice` without a value.
  if (!match && /^nice$/i.test(word)) return { key: word, operator: "=", text: "", word };
  if (!match) throw new UserError(`invalid option:${word}`, "changes look like TimeLimit=1:00:00 or TimeLimit+=30");
  const [, key = "", operator = "=", text = ""] = match;
  return { key, operator: operator as Operator, text, word };
}

/** Reads words; a key and its value may be two of them, as in Slurm: `JobId 12`. @throws UserError */
export function readAssignments(words: readonly string[]): Assignment[] {
  const all: Assignment[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const next = words[at + 1];
    const isKey = /^[A-Za-z]+$/.test(word) && next !== undefined && !next.includes("=");
    if (isKey) at++;
    all.push(readAssignment(isKey ? `${word}=${next}` : word));
  }
  return all;
}

/** The value of a key in a table whose keys are in lower case; shortened keys are found too. */
export function lookUpKey<T>(table: Readonly<Record<string, T>>, key: string): T | "unknown" | "ambiguous" {
  const isShort = key.length < KEY_LETTERS_MIN && !Object.hasOwn(table, key.toLowerCase());
  const found = isShort ? "unknown" : findKeyword(table, key);
  return typeof found === "string" ? found : found.value;
}

/**
 * All changes in one.
 * @param unknown the words for a key that the table has not
 * @param withSteps keys that may be given with += and -=, in full or shortened
 * @throws UserError with every problem
 */
export function readChanges<C extends object>(
  table: Readonly<Record<string, EntityField<C>>>,
  assignments: readonly Assignment[],
  unknown: (word: string) => readonly string[] = unknownParameter,
  withSteps: readonly string[] = [],
): Partial<C> {
  let sum: Partial<C> = {};
  const problems: string[] = [];
  const unknownKeys: string[] = [];
  for (const assignment of assignments) {
    const { key, operator, text, word } = assignment;
    const field = lookUpKey(table, key);
    if (field === "unknown") {
      problems.push(...unknown(word));
      unknownKeys.push(key);
    } else if (field === "ambiguous") problems.push(`${key} may mean several things: write more of it`);
    else if (operator !== "=" && !withSteps.some((one) => one.startsWith(key.toLowerCase())))
      problems.push(`${key}${operator}: write ${key}= with the whole new value`);
    else {
      const parsed = field(text, assignment);
      if ("problem" in parsed) problems.push(`${key}: ${parsed.problem}`);
      else sum = { ...sum, ...parsed.value };
    }
  }
  const hint = didYouMean(unknownKeys, Object.keys(table));
  if (problems.length > 0) throw new UserError([...new Set(problems)], hint);
  return sum;
}

/** A field that is refused, with what to do instead. */
export function refused(why: string): () => { readonly problem: string } {
  return () => ({ problem: `not supported by mgpu: ${why}` });
}

function unknownParameter(word: string): readonly string[] {
  return [`Update of this parameter is not supported: ${word}`, "Request aborted"];
}
