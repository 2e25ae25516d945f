/** The command line behind `:`. Pure. */

import { gpuIndices } from "../core/gpu-pick.ts";
import { nearest } from "../util/nearest.ts";
import { ask, attachTo, deedFor, promptFor, readPrompt, targetsOf } from "./deeds.ts";
import { FILTER_WORDS } from "./filter.ts";
import { type Action, COLUMN_NAMES, type ColumnName, type Deed, type Model, type Step } from "./model.ts";
import { showAt, showPast } from "./past.ts";
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
  history: (model) => showPast(model, model.past?.atMs ?? model.nowMs),
  at: (model, words) => showAt(model, words.join(" ")),
  columns: chooseColumns,
  filter: (model, words) => plain(withFilter({ ...model, view: "jobs", back: [] }, words.join(" "))),
  sort: sortBy,
  job: (model, words) => lookAt(model, words, (id) => showDetail(model, id)),
  log: (model, words) => lookAt(model, words, (id, label) => showLog(model, id, label)),
  attach: (model, words) => withJob(model, words, (row) => attachTo(model, row)),
  cancel: (model, words) => act(model, { type: "cancel", signal: null }, words),
  hold: (model, words) => act(model, { type: "hold" }, words),
  release: (model, words) => act(model, { type: "release" }, words),
  requeue: (model, words) => act(model, { type: "requeue" }, words),
  nice: (model, [value = "", ...words]) => typed(model, "nice", value, words),
  priority: (model, [value = "", ...words]) => typed(model, "priority", value, words),
  limit: (model, [value = "", ...words]) => typed(model, "limit", value, words),
  drain: (model, [node = "", ...words]) => onNode(model, node, { type: "drain", reason: words.join(" ") }),
  resume: (model, [node = ""]) => onNode(model, node, { type: "resume" }),
  pause: (model, [gpu = "", ...words]) => onGpu(model, gpu, { type: "pause", reason: words.join(" ") }),
  unpause: (model, [gpu = ""]) => onGpu(model, gpu, { type: "unpause" }),
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

/** What follows a command's name, for Tab. */
const OPERANDS: Readonly<Record<string, (model: Model, words: readonly string[]) => readonly string[]>> = {
  ...fromKeys(["job", "log", "attach", "cancel", "hold", "release", "requeue"], labelsIn),
  ...fromKeys(["nice", "limit", "priority"], (model, words) => (words.length > 1 ? labelsIn(model) : [])),
  ...fromKeys(["drain", "resume"], (model, words) => (words.length === 1 ? model.nodes.map(({ name }) => name) : [])),
  ...fromKeys(["pause", "unpause"], gpusIn),
  sort: () => SORT_KEYS,
  columns: () => ["default", ...COLUMN_NAMES],
  filter: () => FILTER_WORDS,
  at: () => ["now-1hour", "now-1day", "today", "00:00"],
};

function fromKeys<Value>(keys: readonly string[], value: Value): Record<string, Value> {
  return Object.fromEntries(keys.map((key) => [key, value]));
}

function labelsIn({ entries }: Model): string[] {
  return entries.flatMap(({ row, members }) => (members.length > 1 ? [String(row.arrayJobId)] : [labelOf(row)]));
}

function gpusIn({ nodes }: Model, words: readonly string[]): string[] {
  if (words.length > 1) return [];
  return nodes.flatMap(({ name, inventory }) => inventory.gpus.map(({ index }) => `${name}:${index}`));
}

/** What was typed, made whole as far as it is certain, and what may follow where it is not. */
export function completeCommand(model: Model, text: string): { readonly text: string; readonly choices: string[] } {
  const [, before = "", command = "", typed = ""] = /^(\s*(?:(\S+)\s+(?:.*[\s,])?[+-]?)?)([^\s,+]*)$/.exec(text) ?? [];
  const words = text.trim().split(/\s+/).slice(1);
  const operands = typed === "" ? [...words, ""] : words;
  const all = command === "" ? Object.keys(COMMANDS) : (OPERANDS[wholeName(command)]?.(model, operands) ?? []);
  const found = [...new Set(all)].filter((name) => name.startsWith(typed));
  const [first] = found;
  if (first === undefined) return { text, choices: [] };
  if (found.length === 1) return { text: `${before}${first}${first.endsWith(":") ? "" : " "}`, choices: [] };
  let common = first;
  while (!found.every((name) => name.startsWith(common))) common = common.slice(0, -1);
  return { text: before + common, choices: found };
}

/** The command that a beginning of its name means. */
function wholeName(word: string): string {
  const names = Object.keys(COMMANDS).filter((name) => name.startsWith(word));
  return names.includes(word) || names.length !== 1 ? word : (names[0] ?? word);
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

/** Also at a job that has left the queue, which goes by its number. */
function lookAt(model: Model, words: readonly string[], run: (id: number, label: string) => Step): Step {
  const [word = ""] = words;
  const isKnown = typeof jobsNamed(model, words) !== "string";
  if (!isKnown && words.length === 1 && /^[1-9]\d{0,9}$/.test(word)) return run(Number(word), word);
  return withJob(model, words, (row) => run(row.id, labelOf(row)));
}

function act(model: Model, action: Action, words: readonly string[]): Step {
  const rows = jobsNamed(model, words);
  return typeof rows === "string" ? told(model, rows) : ask(model, deedFor(model, action, rows));
}

function typed(model: Model, kind: "nice" | "limit" | "priority", text: string, words: readonly string[]): Step {
  const rows = jobsNamed(model, words);
  if (typeof rows === "string") return told(model, rows);
  const deed: Deed = deedFor(model, { type: kind, value: 0 }, rows);
  return readPrompt(model, { ...promptFor(kind, deed), text });
}

function onNode(model: Model, name: string, action: Action): Step {
  if (!model.nodes.some((node) => node.name === name)) return told(model, `there is no node "${name}"`);
  if (action.type === "drain" && action.reason === "") return told(model, `say why: drain ${name} REASON`);
  return ask(model, deedFor(model, action, [], name));
}

/** `NODE:GPU`, as mgpu gpu takes it. */
function onGpu(model: Model, word: string, action: Action): Step {
  const at = word.lastIndexOf(":");
  const node = model.nodes.find(({ name }) => name === word.slice(0, at));
  const indices = gpuIndices(word.slice(at + 1));
  if (!node || !indices) return told(model, `expected NODE:GPU such as node1:0 or node1:0-3, got "${word}"`);
  const missing = indices.filter((index) => !node.inventory.gpus.some((gpu) => gpu.index === index));
  if (missing.length > 0) return told(model, `node ${node.name} has no GPU ${missing.join(", ")}`);
  return ask(model, deedFor(model, action, [], node.name, indices));
}

/** `columns id,name,place`, `columns +account -partition`, `columns default`. */
function chooseColumns(model: Model, words: readonly string[]): Step {
  const parts = words.flatMap((word) => word.split(",")).filter((word) => word !== "");
  if (parts.length === 0) return told(model, `columns default, or some of ${COLUMN_NAMES.join(",")}; +name -name`);
  if (parts[0] === "default") return plain({ ...model, shownColumns: null });
  const isName = (word: string): word is ColumnName => (COLUMN_NAMES as readonly string[]).includes(word);
  const wrong = parts.find((word) => !isName(word.replace(/^[+-]/, "")));
  if (wrong !== undefined) {
    const guess = nearest(wrong.replace(/^[+-]/, ""), COLUMN_NAMES);
    return told(model, `no column "${wrong}"${guess ? `; did you mean ${guess}?` : `: ${COLUMN_NAMES.join(",")}`}`);
  }
  const isChange = parts.some((word) => /^[+-]/.test(word));
  const chosen = new Set<ColumnName>(isChange ? (model.shownColumns ?? DEFAULT_COLUMNS) : []);
  for (const word of parts) {
    const name = word.replace(/^[+-]/, "") as ColumnName;
    if (word.startsWith("-")) chosen.delete(name);
    else chosen.add(name);
  }
  // What takes the rest of the line stands last.
  const hasPlace = chosen.delete("place");
  const shown: ColumnName[] = [...chosen, ...(hasPlace ? (["place"] as const) : [])];
  return plain({ ...model, shownColumns: shown.length > 0 ? shown : null });
}

/** From which +name and -name start. */
const DEFAULT_COLUMNS: readonly ColumnName[] = [
  ...(["id", "partition", "name", "user", "state", "time", "nodes", "gpus", "place"] as const),
];

function plain(model: Model): Step {
  return { model, effects: [] };
}

function told(model: Model, text: string): Step {
  return { model: { ...model, message: { text, isError: true } }, effects: [] };
}
