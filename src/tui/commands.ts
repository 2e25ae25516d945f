/** The command line behind `:`. Pure. */

import { nearest } from "../util/nearest.ts";
import { ask, attachTo, deedFor, readPrompt, targetsOf } from "./deeds.ts";
import type { Action, Deed, Model, Step } from "./model.ts";
import { labelOf, type Row, SORT_KEYS, type SortKey } from "./rows.ts";
import { resorted, show, showDetail, showLog, withFilter } from "./update-keys.ts";

type Run = (model: Model, words: readonly string[]) => Step;

const COMMANDS: Readonly<Record<string, Run>> = {
  quit: (model) => ({ model, effects: [{ type: "quit" }] }),
  jobs: (model) => plain({ ...model, view: "jobs", back: [] }),
  nodes: (model) => plain(show(model, "nodes")),
  help: (model) => plain(show({ ...model, helpTop: 0 }, "help")),
  mine: (model) => plain(resorted({ ...model, isMine: true })),
  all: (model) => plain(resorted({ ...model, isMine: false })),
  ended: (model) => plain(resorted({ ...model, hasEnded: !model.hasEnded })),
  filter: (model, words) => plain(withFilter({ ...model, view: "jobs", back: [] }, words.join(" "))),
  sort: sortBy,
  job: (model, words) => withJob(model, words, (row) => showDetail(model, row.id)),
  log: (model, words) => withJob(model, words, (row) => showLog(model, row.id, labelOf(row))),
  attach: (model, words) => withJob(model, words, (row) => attachTo(model, row)),
  cancel: (model, words) => act(model, { type: "cancel", signal: null }, words),
  hold: (model, words) => act(model, { type: "hold" }, words),
  release: (model, words) => act(model, { type: "release" }, words),
  requeue: (model, words) => act(model, { type: "requeue" }, words),
  nice: (model, [value = "", ...words]) => typed(model, "nice", value, words),
  limit: (model, [value = "", ...words]) => typed(model, "limit", value, words),
  drain: (model, [node = "", ...words]) => onNode(model, node, { type: "drain", reason: words.join(" ") }),
  resume: (model, [node = ""]) => onNode(model, node, { type: "resume" }),
};

/** Runs what was typed. */
export function runWords(model: Model, text: string): Step {
  const [word = "", ...words] = text.trim().split(/\s+/);
  if (word === "") return plain(model);
  const names = Object.keys(COMMANDS).filter((name) => name.startsWith(word));
  const name = names.includes(word) ? word : names.length === 1 || word === "q" ? names[0] : undefined;
  const run = name === undefined ? undefined : COMMANDS[name];
  if (run) return run(model, words);
  const guess = names.length > 1 ? names.join(", ") : nearest(word, Object.keys(COMMANDS));
  return told(model, `no command "${word}"${guess ? `; did you mean ${guess}?` : "; ? shows them"}`);
}

/** What was typed, with the name of the command made whole as far as it is certain. */
export function completeCommand(text: string): string {
  if (/\s/.test(text)) return text;
  const names = Object.keys(COMMANDS).filter((name) => name.startsWith(text));
  const [first = text] = names;
  if (names.length === 1) return `${first} `;
  let common = first;
  while (!names.every((name) => name.startsWith(common))) common = common.slice(0, -1);
  return names.length === 0 ? text : common;
}

function sortBy(model: Model, [word = ""]: readonly string[]): Step {
  const key = SORT_KEYS.find((one) => one.startsWith(word.replace(/^-/, "")));
  if (key === undefined || word === "") return told(model, `sort by one of ${SORT_KEYS.join(", ")}`);
  return plain(resorted({ ...model, sort: key as SortKey, isReversed: word.startsWith("-") }));
}

/** Jobs by their numbers as the list shows them; without any, those under the cursor or marked. */
function jobsNamed(model: Model, words: readonly string[]): readonly Row[] | string {
  if (words.length === 0) return targetsOf(model);
  const found: Row[] = [];
  for (const word of words.flatMap((one) => one.split(",")).filter((one) => one !== "")) {
    const rows = [...model.jobs.values()].filter(
      (row) => labelOf(row) === word || String(row.id) === word || String(row.arrayJobId || "") === word,
    );
    if (rows.length === 0) return `there is no job ${word} in the queue`;
    found.push(...rows);
  }
  return found;
}

function withJob(model: Model, words: readonly string[], run: (row: Row) => Step): Step {
  const rows = jobsNamed(model, words);
  if (typeof rows === "string") return told(model, rows);
  const [row] = rows;
  return row ? run(row) : told(model, "which job?");
}

function act(model: Model, action: Action, words: readonly string[]): Step {
  const rows = jobsNamed(model, words);
  return typeof rows === "string" ? told(model, rows) : ask(model, deedFor(model, action, rows));
}

function typed(model: Model, kind: "nice" | "limit", text: string, words: readonly string[]): Step {
  const rows = jobsNamed(model, words);
  if (typeof rows === "string") return told(model, rows);
  const deed: Deed = deedFor(model, { type: kind, value: 0 }, rows);
  return readPrompt(model, { kind, text, deed, before: "" });
}

function onNode(model: Model, name: string, action: Action): Step {
  if (!model.nodes.some((node) => node.name === name)) return told(model, `there is no node "${name}"`);
  if (action.type === "drain" && action.reason === "") return told(model, `say why: drain ${name} REASON`);
  return ask(model, deedFor(model, action, [], name));
}

function plain(model: Model): Step {
  return { model, effects: [] };
}

function told(model: Model, text: string): Step {
  return { model: { ...model, message: { text, isError: true } }, effects: [] };
}
