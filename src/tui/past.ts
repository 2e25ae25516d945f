/** The history view: the queue at a moment, moved by hours and days. Pure. */

import { parseMoment } from "../core/begin-time.ts";
import { formatTimestamp } from "../core/time.ts";
import { parseFilter } from "./filter.ts";
import { type Message, type Model, moveTo, type PastState, relist, type Step } from "./model.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How far keys move the moment, in milliseconds. */
export const TIME_STEPS: Readonly<Record<string, number>> = {
  left: -HOUR_MS,
  right: HOUR_MS,
  "<": -HOUR_MS,
  ">": HOUR_MS,
  "-": -10 * MINUTE_MS,
  "+": 10 * MINUTE_MS,
  "[": -DAY_MS,
  "]": DAY_MS,
  "{": -7 * DAY_MS,
  "}": 7 * DAY_MS,
};

/** Shows the queue at a moment, which is never later than now. */
export function showPast(model: Model, wantedMs: number): Step {
  const atMs = Math.max(0, Math.min(wantedMs, model.nowMs));
  const kept = model.past ?? { rows: [], entries: [], selected: null, cursor: 0, top: 0 };
  const past: PastState = { ...kept, atMs, isLoading: true, problem: "" };
  const isShown = model.view === "history";
  const back = isShown ? model.back : [...model.back, model.view];
  return { model: { ...model, view: "history", back, past }, effects: [{ type: "past", atMs }] };
}

/** The moment that words name: `14:00`, `yesterday`, `now-2hours`, `2026-11-20 14:00`. */
export function showAt(model: Model, text: string): Step {
  const parsed = parseMoment(text, model.nowMs, model.utcOffset, "past");
  if ("problem" in parsed) return told(model, parsed.problem);
  // A time of day that is still to come was meant of yesterday.
  const isTimeOfDay = /^\d{1,2}:\d\d/.test(text) && parsed.value - model.nowMs < DAY_MS;
  const atMs = parsed.value > model.nowMs && isTimeOfDay ? parsed.value - DAY_MS : parsed.value;
  if (atMs > model.nowMs) return told(model, `${momentText(model, atMs)} is still to come`);
  return showPast(model, atMs);
}

/** `2026-11-20 14:00:00`. */
export function momentText({ utcOffset }: Pick<Model, "utcOffset">, atMs: number): string {
  return formatTimestamp(atMs, utcOffset).replace("T", " ");
}

/** The model with the past in the place of the present, for whatever lists jobs. */
export function asThen(model: Model): Model {
  const { past } = model;
  if (!past) return model;
  const { entries, selected, cursor, top, atMs, rows } = past;
  const jobs = new Map(rows.map((row) => [row.id, row]));
  // One row less: the moment stands above the list.
  const place = { rows: model.rows - 1, entries, selected, cursor, top };
  return { ...model, ...place, jobs, nowMs: atMs, marked: new Set(), hasEnded: true };
}

/** The present as it is, the past as it was changed. */
function backFromThen(model: Model, then: Model): Model {
  const { past } = model;
  if (!past) return model;
  const { entries, selected, cursor, top } = then;
  return { ...model, past: { ...past, entries, selected, cursor, top } };
}

/** The list of then made anew: another filter or order. */
export function relistPast(model: Model): Model {
  return model.past ? backFromThen(model, relist(asThen(model), parseFilter(model.filterText))) : model;
}

/** An answer to a question that is still the newest. */
export function takePast(model: Model, { atMs, rows, problem }: Extract<Message, { type: "past" }>): Model {
  const { past } = model;
  if (past?.atMs !== atMs) return model;
  return relistPast({ ...model, past: { ...past, isLoading: false, rows, problem } });
}

/** The cursor of the list of then, moved by so many rows. */
export function movePast(model: Model, by: number): Model {
  const then = asThen(model);
  return backFromThen(model, moveTo(then, then.cursor + by));
}

function told(model: Model, text: string): Step {
  return { model: { ...model, message: { text, isError: true } }, effects: [] };
}
