/** Looking for a text in a job's output. Pure. */

import { promptFor } from "./deeds.ts";
import { bodyRows, type Model, type Step } from "./model.ts";
import { logRows } from "./wrap.ts";

/** `/` asks what to look for; then `n` and `N` go to the next and the previous place. `null` for other keys. */
export function searchKey(model: Model, key: string): Step | null {
  const { log } = model;
  if (!log) return null;
  if (key === "/") return plain({ ...model, prompt: promptFor("search", null) });
  if (log.search === "" || (key !== "n" && key !== "N")) return null;
  return plain(lookFor(model, log.search, key === "n" ? 1 : -1));
}

/**
 * The output scrolled to the place: upper and lower case are alike, and after the last place comes the first.
 * @param step 0: from the first row that is seen on, 1: behind it, -1: before it
 */
export function lookFor(model: Model, text: string, step: -1 | 0 | 1): Model {
  const { log } = model;
  if (!log || text === "") return model;
  const rows = logRows(log, model.columns).map((row) => row.toLowerCase());
  const wanted = text.toLowerCase();
  const most = Math.max(0, rows.length - bodyRows(model));
  const from = (log.isFollowing ? most : log.top) + step;
  const order = rows.map((_, at) => (step < 0 ? from - at : from + at));
  const places = order.map((at) => (at + 2 * rows.length) % rows.length);
  const found = places.find((at) => rows[at]?.includes(wanted));
  if (found === undefined) {
    return { ...model, log: { ...log, search: text }, message: { text: `there is no "${text}"`, isError: true } };
  }
  return { ...model, log: { ...log, search: text, top: found, isFollowing: false } };
}

function plain(model: Model): Step {
  return { model, effects: [] };
}
