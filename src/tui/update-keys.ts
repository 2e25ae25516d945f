/** What keys do: to an open question or prompt first, then to the view. Pure. */

import { completeCommand, runWords } from "./commands.ts";
import { actOn, attachTo, promptFor, readPrompt } from "./deeds.ts";
import { parseFilter } from "./filter.ts";
import {
  bodyRows,
  type Deed,
  type Effect,
  type Model,
  moveTo,
  type Prompt,
  relist,
  type Step,
  type View,
} from "./model.ts";
import { movement } from "./movement.ts";
import { movePast, relistPast, showPast, TIME_STEPS } from "./past.ts";
import { entryLabel, labelOf, SORT_KEYS, type SortKey } from "./rows.ts";
import { lookFor, searchKey } from "./search.ts";
import { nodesKey } from "./update-nodes.ts";
import { detailRows, logRows } from "./wrap.ts";

/** Letters of the sort menu. */
const SORT_LETTERS: Readonly<Record<string, SortKey>> = {
  ...{ i: "id", n: "name", u: "user", p: "partition", t: "state" },
  ...{ m: "time", g: "gpus", y: "priority", s: "submit" },
};

/** A step that changes the model alone. */
function only(model: Model, ...effects: readonly Effect[]): Step {
  return { model, effects };
}

/** One key. */
export function pressKey(model: Model, key: string): Step {
  if (key === "ctrl-c") return only(model, { type: "quit" });
  if (key === "ctrl-z") return only(model, { type: "suspend" });
  if (key === "ctrl-l") return only(model, { type: "repaint" });
  if (model.confirm) return answer(model, model.confirm, key);
  if (model.prompt) return typeInto(model, model.prompt, key);
  if (model.isSorting) return chooseSort({ ...model, isSorting: false }, key);
  const searched = model.view === "log" ? searchKey(model, key) : null;
  if (searched) return searched;
  const common = commonKey(model, key);
  if (common) return common;
  switch (model.view) {
    case "jobs":
      return jobsKey(model, key);
    case "job":
      return detailKey(model, key);
    case "nodes":
      return nodesKey(model, key);
    case "history":
      return historyKey(model, key);
    case "log":
      return logKey(model, key);
    case "help":
      return only({ ...model, helpTop: Math.max(0, model.helpTop + (movement(key, model) ?? 0)) });
  }
}

/** Shows a view; Esc leads back. */
export function show(model: Model, view: View): Model {
  return model.view === view ? model : { ...model, view, back: [...model.back, model.view] };
}

/** Shows the view before; whatever the one that is left was doing ends. */
function goBack(model: Model): Step {
  const view = model.back.at(-1) ?? "jobs";
  const next = { ...model, view, back: model.back.slice(0, -1) };
  return model.view === "log" ? only({ ...next, log: null }, { type: "log", job: null }) : only(next);
}

/** Shows the details of the job under the cursor, or of this one. */
export function showDetail(model: Model, jobId: number): Step {
  return only(show({ ...model, detail: { jobId, lines: [], top: 0 } }, "job"), { type: "detail", jobId });
}

/** Shows a job's output. */
export function showLog(model: Model, jobId: number, label: string, stream: "stdout" | "stderr" = "stdout"): Step {
  const isWrapped = model.log?.isWrapped ?? false;
  const log = {
    jobId,
    label,
    stream,
    isWrapped,
    path: "",
    lines: [],
    problem: "",
    isFollowing: true,
    top: 0,
    search: "",
  };
  return only(show({ ...model, log }, "log"), { type: "log", job: { jobId, stream } });
}

function answer(model: Model, deed: Deed, key: string): Step {
  const next = { ...model, confirm: null };
  if (key === "y" || key === "Y") return only({ ...next, marked: new Set() }, { type: "do", deed });
  return only({ ...next, message: { text: "nothing was changed", isError: false } });
}

function typeInto(model: Model, prompt: Prompt, key: string): Step {
  if (key === "escape") return only(edited({ ...model, prompt: null }, prompt, prompt.before));
  if (key === "enter") return finish({ ...model, prompt: null }, prompt);
  if (key === "tab" && prompt.kind === "command") {
    const { text, choices } = completeCommand(model, prompt.text);
    return only({ ...model, prompt: { ...prompt, text, choices } });
  }
  if (key === "backspace") {
    if (prompt.text === "") return only({ ...model, prompt: null });
    return only(edited(model, prompt, [...prompt.text].slice(0, -1).join("")));
  }
  if (key === "ctrl-u") return only(edited(model, prompt, ""));
  if (key === "ctrl-w") return only(edited(model, prompt, prompt.text.replace(/\S*\s*$/, "")));
  return [...key].length === 1 ? only(edited(model, prompt, prompt.text + key)) : only(model);
}

/** The list follows the filter as it is typed. */
function edited(model: Model, prompt: Prompt, text: string): Model {
  const next = model.prompt === null ? model : { ...model, prompt: { ...prompt, text, choices: [] } };
  return prompt.kind === "filter" ? withFilter(next, text) : next;
}

/** The list for a filter. */
export function withFilter(model: Model, filterText: string): Model {
  return resorted({ ...model, filterText });
}

function finish(model: Model, prompt: Prompt): Step {
  if (prompt.kind === "filter") {
    const { problem } = parseFilter(prompt.text);
    return only(problem === "" ? model : { ...model, message: { text: problem, isError: true } });
  }
  if (prompt.kind === "search") return only(lookFor(model, prompt.text, 0));
  if (prompt.kind === "command") return runWords(model, prompt.text);
  return readPrompt(model, prompt);
}

function chooseSort(model: Model, key: string): Step {
  if (key === "r") return only(resorted({ ...model, isReversed: !model.isReversed }));
  const sort = SORT_LETTERS[key];
  return only(sort === undefined ? model : resorted({ ...model, sort, isReversed: false }));
}

/** The list for another order. */
export function resorted(model: Model): Model {
  return relistPast(relist(model, parseFilter(model.filterText)));
}

/** Keys that mean the same everywhere. */
function commonKey(model: Model, key: string): Step | null {
  switch (key) {
    case "q":
      return model.view === "jobs" ? only(model, { type: "quit" }) : goBack(model);
    case "escape":
      return model.view === "jobs" ? null : goBack(model);
    case "?":
    case "f1":
      return only(show({ ...model, helpTop: 0 }, "help"));
    case ":":
      return only({ ...model, prompt: promptFor("command", null) });
    case "1":
      return only({ ...model, view: "jobs", back: [], log: null }, { type: "log", job: null });
    case "2":
    case "n":
      return only(show(model, "nodes"));
    case "3":
    case "h":
      return model.view === "history" ? null : showPast(model, model.past?.atMs ?? model.nowMs);
    default:
      return null;
  }
}

function jobsKey(model: Model, key: string): Step {
  const moved = movement(key, model);
  if (moved !== null) return only(moveTo(model, model.cursor + moved));
  const entry = model.entries[model.cursor];
  switch (key) {
    case "/":
      return only({
        ...model,
        prompt: { ...promptFor("filter", null), text: model.filterText, before: model.filterText },
      });
    case "escape":
      return only(withFilter({ ...model, marked: new Set(), anchor: null }, ""));
    case "s":
      return only({ ...model, isSorting: true });
    case "<":
    case ">": {
      const at = SORT_KEYS.indexOf(model.sort) + (key === ">" ? 1 : -1) + SORT_KEYS.length;
      return only(resorted({ ...model, sort: SORT_KEYS[at % SORT_KEYS.length] ?? "id" }));
    }
    case "r":
      return only(resorted({ ...model, isReversed: !model.isReversed }));
    case "m":
      return only(resorted({ ...model, isMine: !model.isMine }));
    case "e":
      return only(resorted({ ...model, hasEnded: !model.hasEnded }));
    case "*":
      return only({ ...model, marked: new Set(model.marked.size > 0 ? [] : model.entries.map((one) => one.key)) });
  }
  if (!entry) return only(model);
  switch (key) {
    case " ": {
      const marked = new Set(model.marked);
      if (!marked.delete(entry.key)) marked.add(entry.key);
      return only(moveTo({ ...model, marked }, model.cursor + 1));
    }
    case "v":
      return only(markRange(model, entry.key));
    case "z": {
      const unfolded = new Set(model.unfolded);
      const array = entry.row.arrayJobId;
      if (array === 0) return only(model);
      if (!unfolded.delete(array)) unfolded.add(array);
      return only(resorted({ ...model, unfolded, selected: unfolded.has(array) ? entry.row.id : array }));
    }
    case "enter":
    case "right":
      return showDetail(model, entry.row.id);
    case "l":
      return showLog(model, entry.row.id, entryLabel(entry));
    case "a":
      return attachTo(model, entry.row);
    default:
      return actOn(model, key);
  }
}

/** The first time a range begins, the second time all from there to the cursor are marked. */
function markRange(model: Model, key: number): Model {
  const from = model.entries.findIndex((one) => one.key === model.anchor);
  if (from < 0) {
    const text = "a range of marks begins here: go to its other end and press v again";
    return { ...model, anchor: key, marked: new Set([...model.marked, key]), message: { text, isError: false } };
  }
  const [first, last] = from < model.cursor ? [from, model.cursor] : [model.cursor, from];
  const keys = model.entries.slice(first, last + 1).map((one) => one.key);
  return { ...model, anchor: null, marked: new Set([...model.marked, ...keys]) };
}

function historyKey(model: Model, key: string): Step {
  const { past } = model;
  if (!past) return goBack(model);
  const step = TIME_STEPS[key];
  if (step !== undefined) return showPast(model, past.atMs + step);
  const moved = movement(key, model);
  if (moved !== null) return only(movePast(model, moved));
  switch (key) {
    case "/":
      return only({
        ...model,
        prompt: { ...promptFor("filter", null), text: model.filterText, before: model.filterText },
      });
    case "t":
      return only({ ...model, prompt: { ...promptFor("command", null), text: "at " } });
    case "m":
      return only(resorted({ ...model, isMine: !model.isMine }));
  }
  const row = past.entries[past.cursor]?.row;
  if (!row) return only(model);
  if (key === "enter") return showDetail(model, row.id);
  return key === "l" ? showLog(model, row.id, labelOf(row)) : only(model);
}

function detailKey(model: Model, key: string): Step {
  const { detail } = model;
  if (!detail) return goBack(model);
  const moved = movement(key, model);
  if (moved !== null) {
    const most = Math.max(0, detailRows(detail, model).length - bodyRows(model));
    return only({ ...model, detail: { ...detail, top: Math.max(0, Math.min(most, detail.top + moved)) } });
  }
  if (key === "left") return goBack(model);
  if (key === "enter") return only(model, { type: "detail", jobId: detail.jobId });
  const row = model.jobs.get(detail.jobId);
  // One that has left the queue's memory: accounting knows where its output is.
  if (!row) return key === "l" ? showLog(model, detail.jobId, String(detail.jobId)) : only(model);
  if (key === "l") return showLog(model, row.id, entryLabel({ key: row.id, row, members: [row] }));
  if (key === "a") return attachTo(model, row);
  return actOn(model, key, [row]);
}

function logKey(model: Model, key: string): Step {
  const { log } = model;
  if (!log) return goBack(model);
  const moved = movement(key, model);
  if (moved !== null) {
    const most = Math.max(0, logRows(log, model.columns).length - bodyRows(model));
    const from = log.isFollowing ? most : log.top;
    const top = Math.max(0, Math.min(most, from + moved));
    return only({ ...model, log: { ...log, top, isFollowing: top === most && moved > 0 } });
  }
  switch (key) {
    case "f":
      return only({
        ...model,
        log: {
          ...log,
          isFollowing: !log.isFollowing,
          top: Math.max(0, logRows(log, model.columns).length - bodyRows(model)),
        },
      });
    case "w":
      return only({ ...model, log: { ...log, isWrapped: !log.isWrapped, isFollowing: true } });
    case "o":
      return showLog(model, log.jobId, log.label, log.stream === "stdout" ? "stderr" : "stdout");
    case "left":
      return goBack(model);
    default:
      return only(model);
  }
}
