/** The queue at a moment of the past: the moment with what ran and waited, then the list as it was. */

import { bodyRows, type Model } from "../model.ts";
import { asThen, momentText } from "../past.ts";
import { gpusText } from "../rows.ts";
import { type Line, line, piece, spread } from "../text.ts";
import { drawJobs } from "./jobs.ts";
import { padded } from "./parts.ts";

/** The column titles and the rows that are seen, the first of them the moment. */
export function drawPast(model: Model, columns: number): { readonly title: Line; readonly body: Line[] } {
  const { past } = model;
  const height = bodyRows(model);
  if (!past) return { title: line(), body: padded([], height) };
  const running = past.rows.filter(({ state }) => state === "RUNNING");
  const gpus = running.reduce((sum, row) => sum + row.gpus, 0);
  const waiting = past.rows.length - running.length;
  const state = past.isLoading ? "looking ..." : past.problem;
  const title = spread(
    [
      piece(` ${momentText(model, past.atMs)}  `, "title"),
      piece(`${agoText(model.nowMs - past.atMs)}   `, "accent"),
      piece(`${running.length} running`, "good"),
      piece(`  ${waiting} waiting`, "warn"),
      piece(`  ${gpus === 0 ? 0 : gpusText(gpus)} GPUs`, "accent"),
    ],
    [piece(`${state} `, past.problem === "" ? "dim" : "bad")],
    columns,
  );
  const then = asThen(model);
  const list = drawJobs({ ...then, isLoaded: true }, columns);
  return { title, body: [list.title, ...list.body] };
}

const MINUTE_MS = 60_000;

/** `3 h 20 min ago`. */
function agoText(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 1) return "now";
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  const parts = [
    ...(days > 0 ? [`${days} d`] : []),
    ...(hours > 0 ? [`${hours} h`] : []),
    ...(days === 0 && minutes % 60 > 0 ? [`${minutes % 60} min`] : []),
  ];
  return `${parts.join(" ")} ago`;
}
