/** The whole screen: header, column titles, the view, message or prompt, keys. Pure: a model makes lines. */

import { questionOf } from "../deeds.ts";
import type { Model, Prompt } from "../model.ts";
import { gpusText } from "../rows.ts";
import { cutLine, type Line, line, piece, type Segment, spread } from "../text.ts";
import { paintLine, plainLine } from "../theme.ts";
import { listCells } from "../wrap.ts";
import { drawJobs } from "./jobs.ts";
import { drawNodes } from "./nodes.ts";
import { keyHints } from "./parts.ts";
import { drawPast } from "./past.ts";
import { detailLines, drawDetail, drawHelp, drawLog } from "./texts.ts";

/** One line a row of the terminal. */
function drawScreen(model: Model): Line[] {
  const { columns, rows } = model;
  const { title, body } = drawView(model);
  const lines = [header(model), title, ...body, status(model), footer(model)];
  // A terminal of a few rows keeps what is asked, and the view.
  return lines.length > rows
    ? [...lines.slice(1, rows - 1), status(model)].slice(0, rows)
    : lines.map((one) => cutLine(one, columns));
}

/** The screen as text with escape sequences, a row each. */
export function paintScreen(model: Model, hasColours: boolean): string[] {
  return drawScreen(model).map((one) => paintLine(one, model.columns, hasColours));
}

/** The screen as plain text; the cursor's row is marked by `>` in a margin. */
export function plainScreen(model: Model): string {
  return drawScreen(model)
    .map((one) => `${one.isReverse ? ">" : "|"}${plainLine(one, model.columns)}`)
    .join("\n");
}

function drawView(model: Model): { readonly title: Line; readonly body: readonly Line[] } {
  const { columns } = model;
  switch (model.view) {
    case "jobs":
      return drawJobs(model, columns);
    case "job":
      return listCells(model) > 0 ? besideList(model) : drawDetail(model);
    case "nodes":
      return drawNodes(model, columns);
    case "log":
      return drawLog(model, columns);
    case "history":
      return drawPast(model, columns);
    case "help":
      return drawHelp(model);
  }
}

/** On a wide screen the list stays where it is while one job is looked at. */
function besideList(model: Model): { readonly title: Line; readonly body: readonly Line[] } {
  const cells = listCells(model);
  const list = drawJobs(model, cells);
  const detail = drawDetail(model);
  const joined = (left: Line, right: Line | undefined): Line => {
    const both = spread(left.segments, [piece(" ")], cells);
    const bar = { segments: [...both.segments, piece(model.isAscii ? "|" : "│", "dim")], isReverse: left.isReverse };
    return { ...bar, segments: [...bar.segments, ...(right?.segments ?? [])] };
  };
  const lines = detailLines(model, model.detail?.top ?? 0);
  return {
    title: joined(list.title, detail.title),
    body: list.body.map((row, at) => joined({ ...row, isReverse: false }, lines[at])),
  };
}

const counted = new WeakMap<Model["jobs"], ReadonlyMap<string, number>>();

/** Jobs by state; counted once for each list of jobs. */
function countsOf(jobs: Model["jobs"]): ReadonlyMap<string, number> {
  const known = counted.get(jobs);
  if (known) return known;
  const counts = new Map<string, number>();
  for (const { state } of jobs.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  counted.set(jobs, counts);
  return counts;
}

function header(model: Model): Line {
  const counts = countsOf(model.jobs);
  const gpus = model.nodes.reduce((sum, { inventory }) => sum + inventory.gpus.length, 0);
  const used = model.nodes.reduce(
    (sum, { usage }) => sum + Object.values(usage.gpus).reduce((one, thousandths) => one + thousandths, 0),
    0,
  );
  const left: Segment[] = [
    piece(" mgpu ", "title"),
    piece(` ${counts.get("RUNNING") ?? 0} running `, "good"),
    piece(` ${counts.get("PENDING") ?? 0} waiting `, "warn"),
    piece(` ${used === 0 ? 0 : gpusText(used)}/${gpus} GPUs granted `, "accent"),
  ];
  const flags = [
    ...(model.isDemo ? ["demonstration"] : []),
    ...(model.isReadOnly ? ["read-only"] : []),
    ...(model.isMine ? [`only ${model.user.name}'s`] : []),
    ...(model.hasEnded ? ["with ended"] : []),
    `by ${model.sort}${model.isReversed ? ", reversed" : ""}`,
  ];
  // What is wrong is told even where there is no room for both.
  if (model.trouble !== "") return line(piece(" mgpu ", "title"), piece(` ${model.trouble} `, "bad"));
  return spread(left, [piece(`${flags.join(", ")} `, "dim")], model.columns);
}

function status(model: Model): Line {
  if (model.confirm) return line(piece(` ${questionOf(model.confirm)} `, "bad"));
  if (model.prompt) return promptLine(model.prompt, model.isAscii);
  if (model.isSorting)
    return line(
      piece(" order by ", "title"),
      "i id  n name  u user  p partition  t state  m time  g gpus  y priority  s submission  r reverse",
    );
  if (model.message) return line(piece(` ${model.message.text}`, model.message.isError ? "warn" : "good"));
  if (model.view !== "jobs") return line();
  const marked = model.marked.size > 0 ? ` ${model.marked.size} marked ` : "";
  const filter = model.filterText === "" ? "" : ` / ${model.filterText} `;
  const place = `${model.entries.length === 0 ? 0 : model.cursor + 1}/${model.entries.length} `;
  return spread([piece(marked, "mark"), piece(filter, "accent")], [piece(place, "dim")], model.columns);
}

const PROMPTS: Readonly<Record<Prompt["kind"], string>> = {
  filter: "/",
  command: ":",
  nice: "nice value: ",
  priority: "priority (0 holds): ",
  limit: "time limit (minutes, H:MM:SS, D-HH, UNLIMITED): ",
  drain: "reason: ",
  pause: "reason (may be empty): ",
  signal: "signal (TERM, USR1, 12 ...): ",
  search: "look for: ",
};

function promptLine({ kind, text, choices }: Prompt, isAscii: boolean): Line {
  const cursor = piece(isAscii ? "_" : "▏", "accent");
  const offered = kind === "command" && text === "" && choices.length === 0 ? "Tab completes" : choices.join(" ");
  return line(piece(` ${PROMPTS[kind]}`, "title"), text, cursor, piece(offered === "" ? "" : `  ${offered}`, "dim"));
}

const HINTS: Readonly<Record<Model["view"], readonly (readonly [string, string])[]>> = {
  jobs: [
    ...([
      ["?", "help"],
      ["q", "quit"],
      ["/", "filter"],
      ["s", "sort"],
      ["Enter", "details"],
      ["l", "output"],
    ] as const),
    ...([
      ["n", "nodes"],
      ["h", "history"],
      ["c", "cancel"],
      ["a", "attach"],
      ["m", "mine"],
      ["H", "hold"],
      ["U", "release"],
      [":", "command"],
    ] as const),
  ],
  job: [
    ["Esc", "back"],
    ["j k", "scroll"],
    ["l", "output"],
    ["a", "attach"],
    ["c", "cancel"],
    ["H", "hold"],
    ["R", "requeue"],
    ["?", "help"],
  ],
  nodes: [
    ["Esc", "back"],
    ["?", "help"],
    ["Enter", "its jobs"],
    ["d", "drain"],
    ["u", "resume"],
    ["< >", "GPU"],
    ["p", "pause it"],
    ["v", "map"],
  ],
  history: [
    ["Esc", "back"],
    ["?", "help"],
    ["< >", "hour"],
    ["[ ]", "day"],
    ["- +", "10 min"],
    ["t", "time"],
    ["Enter", "details"],
    ["/", "filter"],
  ],
  log: [
    ["Esc", "back"],
    ["f", "follow"],
    ["o", "stdout/stderr"],
    ["w", "wrap"],
    ["/", "search"],
    ["g G", "ends"],
    ["?", "help"],
  ],
  help: [
    ["Esc", "back"],
    ["j k", "scroll"],
  ],
};

function footer(model: Model): Line {
  return line(" ", ...keyHints(HINTS[model.view], model.columns).segments);
}
