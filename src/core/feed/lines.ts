/**
 * The text of a feed: `priority,script,conda_env,arguments,allowed_gpus`, a job a line, as a predecessor had it; or CSV
 * whose first line names its columns. Fields may be empty. `#` begins a comment line. Pure.
 */

import { nearest } from "../../util/nearest.ts";
import { gpuIndices } from "../gpu-pick.ts";
import { parseGpuWishes } from "../gres.ts";
import { quote } from "../parse.ts";
import { priorityWord } from "../priority-words.ts";
import type { FeedLine, LineProblem } from "./feed.ts";
import { splitFields } from "./fields.ts";
import { feedLines, type NumberedLine } from "./text.ts";

/** The columns in the order that they have without a line that names them. */
const COLUMNS = ["priority", "script", "conda_env", "arguments", "allowed_gpus"] as const;

/** Those that only a line of names brings. */
const MORE_COLUMNS = ["gpus", "name"] as const;

type Column = (typeof COLUMNS)[number] | (typeof MORE_COLUMNS)[number];

const ALL_COLUMNS: readonly Column[] = [...COLUMNS, ...MORE_COLUMNS];

/** Other words for columns. */
const ALIASES: Readonly<Record<string, Column>> = { args: "arguments", env: "conda_env", gpu_ids: "allowed_gpus" };

/** What a text can't have that becomes a file's name or an environment's. */
const CONTROL = /\p{Cc}/u;

const NAME_CHARS_MAX = 1024;

/** What a file says. */
export interface FeedText {
  readonly lines: readonly FeedLine[];
  /** By their lines. */
  readonly problems: readonly LineProblem[];
}

/** Reads a feed. What is wrong with one line is no matter for the others. */
export function readFeed(bytes: Uint8Array): FeedText {
  const read = feedLines(bytes);
  const problems = [...read.problems];
  const rows = read.lines.filter(({ text }) => !/^\s*(?:#|$)/.test(text));
  const header = headerOf(rows[0]);
  if (header && "problem" in header) return { lines: [], problems: [header.problem] };
  const lines: FeedLine[] = [];
  for (const row of header ? rows.slice(1) : rows) {
    const split = splitFields(row.text);
    const line = "problem" in split ? [split.problem] : lineOf(row.number, split.fields, header?.columns ?? null);
    if ("script" in line) lines.push(line);
    else problems.push({ line: row.number, text: line.join("; ") });
  }
  return { lines, problems: problems.sort((a, b) => a.line - b.line) };
}

/** The names of the columns, if the first line has them: one that says `script` where no script could be. */
function headerOf(
  row: NumberedLine | undefined,
): { readonly columns: readonly Column[] } | { readonly problem: LineProblem } | null {
  const split = row && splitFields(row.text);
  if (!split || "problem" in split) return null;
  const names = split.fields.map((field) => field.toLowerCase().replaceAll(/[ -]/g, "_"));
  const columns = names.map((name) => ALIASES[name] ?? ALL_COLUMNS.find((column) => column === name));
  const known = columns.filter((column) => column !== undefined);
  const isHeader = known.includes("script") ? known.length >= 2 || names[0] === "script" : isNearHeader(names, known);
  if (!isHeader) return null;
  const at = columns.indexOf(undefined);
  const problem = (text: string) => ({ problem: { line: row.number, text } });
  if (at >= 0) {
    const guess = nearest(names[at] ?? "", ALL_COLUMNS);
    const help = guess === undefined ? `known are ${ALL_COLUMNS.join(", ")}` : `did you mean ${guess}?`;
    return problem(`there is no column ${quote(split.fields[at] ?? "")}; ${help}`);
  }
  if (new Set(known).size < known.length) return problem("a column is named twice");
  return known.includes("script") ? { columns: known } : problem("there is no column script");
}

/** Whether names without `script` are still those of columns: no line of a job begins as they do. */
function isNearHeader(names: readonly string[], known: readonly Column[]): boolean {
  if (known.length === 0 || priorityWord(names[0] || "normal")) return false;
  return known.length >= 2 || names.some((name) => nearest(name, ["script"]) !== undefined);
}

/** A job, or all that is wrong with its line. */
function lineOf(number: number, fields: readonly string[], columns: readonly Column[] | null): FeedLine | string[] {
  if (columns && fields.length > columns.length) {
    return [`it has ${fields.length} fields for ${columns.length} columns; put quotes " around one that has commas`];
  }
  // Without names the GPUs come last, and their list may have commas.
  const row = columns ? fields : [...fields.slice(0, COLUMNS.length - 1), fields.slice(COLUMNS.length - 1).join(",")];
  const values = new Map((columns ?? COLUMNS).map((column, at) => [column, row[at] ?? ""]));
  const of = (column: Column): string => values.get(column) ?? "";
  const priority = priorityWord(of("priority") || "normal");
  const allowed = of("allowed_gpus") === "" ? [] : gpuIndices(of("allowed_gpus"))?.toSorted((a, b) => a - b);
  const problems = [
    ...(priority ? [] : [`priority: expected 0, 1 or 2, got ${quote(of("priority"))}`]),
    ...(of("script") === "" ? ["script: there is none"] : []),
    ...(["script", "conda_env", "name", "arguments"] as const).flatMap((column) => textProblem(column, of(column))),
    ...(allowed ? [] : [gpusProblem(of("allowed_gpus"), columns === null && fields.length > COLUMNS.length)]),
    ...countProblem(of("gpus")),
  ];
  if (problems.length > 0 || !priority || !allowed) return problems;
  const [script, condaEnv, args, gpus, name] = [of("script"), of("conda_env"), of("arguments"), of("gpus"), of("name")];
  return { line: number, priority, script, condaEnv, args, allowedGpus: allowed, gpus, name };
}

function textProblem(column: Column, text: string): string[] {
  if (CONTROL.test(column === "arguments" ? text.replaceAll("\t", " ") : text)) {
    return [`${column}: it has a control character`];
  }
  return column !== "arguments" && text.length > NAME_CHARS_MAX ? [`${column}: it is too long`] : [];
}

function gpusProblem(text: string, isRest: boolean): string {
  const hint = isRest ? '; put quotes " around arguments that have commas' : "";
  return `allowed_gpus: expected indices such as 0,2-3, got ${quote(text)}${hint}`;
}

function countProblem(text: string): string[] {
  if (text === "") return [];
  const wishes = parseGpuWishes(text);
  return "problem" in wishes ? [`gpus: ${wishes.problem}`] : [];
}
