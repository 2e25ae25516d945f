/**
 * What is typed behind `/`: words that must all hold. `state:R`, `user:bob,ann` compare a field, `gpu>2` a number,
 * any other word is looked for in all columns, and `!` turns each of them round.
 */

import { stateCode } from "../view/job-states.ts";
import { usedS } from "../view/job-times.ts";
import type { Row } from "./rows.ts";

export interface Filter {
  readonly tests: readonly Test[];
  /** What can't be understood, in words; empty if all can. */
  readonly problem: string;
}

type Test = (row: Row, nowMs: number) => boolean;

export const NO_FILTER: Filter = { tests: [], problem: "" };

/** Fields of text, by the names that may be typed. */
const TEXTS: Readonly<Record<string, (row: Row) => readonly string[]>> = {
  state: ({ state }) => [state, stateCode(state)],
  user: ({ user, uid }) => [user, String(uid)],
  name: ({ name }) => [name],
  partition: ({ partition }) => [partition],
  account: ({ account }) => [account],
  qos: ({ qos }) => [qos],
  reason: ({ reason }) => [reason],
  node: ({ nodeList }) => [nodeList],
  job: ({ id, arrayJobId }) => [String(id), String(arrayJobId)],
};

/** Fields that are found by a part of them; the others are compared whole. */
const PARTLY: ReadonlySet<string> = new Set(["name", "node", "reason"]);

const SECONDS_A_MINUTE = 60;

/** Numbers: GPUs and CPUs as such, times in minutes. */
const NUMBERS: Readonly<Record<string, (row: Row, nowMs: number) => number>> = {
  gpu: ({ gpus }) => gpus / 1000,
  cpu: ({ cpus }) => cpus,
  nodes: ({ nodes }) => nodes,
  prio: ({ priority }) => priority,
  time: (row, nowMs) => usedS(row, nowMs) / SECONDS_A_MINUTE,
  limit: ({ limitS }) => (limitS === 0 ? Number.POSITIVE_INFINITY : limitS / SECONDS_A_MINUTE),
};

const SHORT: Readonly<Record<string, string>> = {
  ...{ gpus: "gpu", cpus: "cpu", priority: "prio", st: "state", part: "partition", p: "partition", u: "user" },
  ...{ id: "job", node: "node", g: "gpu", n: "name", t: "state" },
};

/** Beginnings of words that a filter may have. */
export const FILTER_WORDS: readonly string[] = [
  ...Object.keys(TEXTS).map((name) => `${name}:`),
  ...Object.keys(NUMBERS).map((name) => `${name}>`),
];

/** Reads a filter; a word that is not understood leaves everything else in force. */
export function parseFilter(text: string): Filter {
  const problems: string[] = [];
  const tests = text
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "!")
    .flatMap((word) => {
      const isNegated = word.startsWith("!");
      const test = parseWord(isNegated ? word.slice(1) : word);
      if (typeof test === "string") {
        problems.push(test);
        return [];
      }
      return [isNegated ? (row: Row, nowMs: number) => !test(row, nowMs) : test];
    });
  return { tests, problem: problems.join("; ") };
}

/** Whether a job passes. */
export function matchesFilter({ tests }: Filter, row: Row, nowMs: number): boolean {
  return tests.every((test) => test(row, nowMs));
}

/** The test, or what is wrong with the word. */
function parseWord(word: string): Test | string {
  const [, name = "", operator = "", value = ""] = /^([a-z]+)(>=|<=|>|<|=|:)(.*)$/i.exec(word) ?? [];
  if (operator === "") return anywhere(word.toLowerCase());
  const lower = name.toLowerCase();
  const known = SHORT[lower] ?? lower;
  const number = Object.hasOwn(NUMBERS, known) ? NUMBERS[known] : undefined;
  if (number) return numberTest(known, number, operator, value);
  const texts = Object.hasOwn(TEXTS, known) ? TEXTS[known] : undefined;
  if (!texts) return `nothing is called "${name}"`;
  if (operator !== ":" && operator !== "=") return `${known} is no number: write ${known}:${value}`;
  const wanted = value.toLowerCase().split(",");
  const isWanted = (field: string): boolean =>
    wanted.some((one) => (PARTLY.has(known) ? field.includes(one) : field === one));
  return value === "" ? () => true : (row) => texts(row).some((field) => isWanted(field.toLowerCase()));
}

function numberTest(
  name: string,
  of: (row: Row, nowMs: number) => number,
  operator: string,
  value: string,
): Test | string {
  if (value === "") return () => true;
  const limit = Number(value);
  if (!Number.isFinite(limit)) return `${name} wants a number, not "${value}"`;
  return (row, nowMs) => {
    const number = of(row, nowMs);
    if (operator === ">") return number > limit;
    if (operator === "<") return number < limit;
    if (operator === ">=") return number >= limit;
    if (operator === "<=") return number <= limit;
    return number === limit;
  };
}

function anywhere(word: string): Test {
  return (row) =>
    [String(row.id), String(row.arrayJobId || ""), row.name, row.user, row.partition, row.state, stateCode(row.state)]
      .concat(row.nodeList, row.reason, row.account, row.qos)
      .some((field) => field.toLowerCase().includes(word));
}
