/** The views that are text to scroll: details of a job, its output, help. */

import { bodyRows, type Model } from "../model.ts";
import { labelOf } from "../rows.ts";
import { clean, type Line, line, piece } from "../text.ts";
import { logRows } from "../wrap.ts";
import { padded } from "./parts.ts";

interface Drawn {
  readonly title: Line;
  readonly body: Line[];
}

/** Everything about one job. */
export function drawDetail(model: Model): Drawn {
  const { detail } = model;
  const row = detail ? model.jobs.get(detail.jobId) : undefined;
  const title = line(
    piece(
      ` Job ${row ? `${labelOf(row)}  ${clean(row.name)}  ${row.user}  ${row.state}` : (detail?.jobId ?? "")}`,
      "title",
    ),
  );
  return { title, body: padded(detailLines(model, detail?.top ?? 0), bodyRows(model)) };
}

/** The text of the details from some line on. */
export function detailLines({ detail }: Model, top: number): Line[] {
  if (!detail) return [];
  if (detail.lines.length === 0) return [line(piece("  asking the controller ...", "dim"))];
  return detail.lines.slice(top).map(detailLine);
}

/** Headings stand out, and so do names of fields. */
function detailLine(text: string): Line {
  const shown = clean(text);
  if (/^\S/.test(shown) && !shown.includes("=")) return line(piece(` ${shown}`, "title"));
  const parts = shown.split(/(\b[A-Z][A-Za-z/:]*=)/);
  return line(" ", ...parts.map((part, at) => (at % 2 === 1 ? piece(part, "accent") : piece(part))));
}

/** A job's output. */
export function drawLog(model: Model, columns: number): Drawn {
  const { log } = model;
  if (!log) return { title: line(), body: padded([], bodyRows(model)) };
  const height = bodyRows(model);
  const rows = logRows(log, columns);
  const top = log.isFollowing ? Math.max(0, rows.length - height) : Math.min(log.top, Math.max(0, rows.length - 1));
  const state = log.isFollowing ? "following" : `line ${top + 1} of ${rows.length}`;
  const title = line(
    piece(` Job ${log.label} ${log.stream}  `, "title"),
    piece(`${log.path}  `, "accent"),
    piece(state, "dim"),
  );
  if (log.problem !== "") return { title, body: padded([line(piece(`  ${log.problem}`, "warn"))], height) };
  if (rows.length === 0) {
    const text = log.path === "" ? "looking for the output ..." : "nothing was written yet";
    return { title, body: padded([line(piece(`  ${text}`, "dim"))], height) };
  }
  return {
    title,
    body: padded(
      rows.slice(top, top + height).map((text) => highlighted(clean(text), log.search)),
      height,
    ),
  };
}

/** A row with the first place of what was looked for. */
function highlighted(text: string, search: string): Line {
  const at = search === "" ? -1 : text.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return line(text);
  const end = at + search.length;
  return line(text.slice(0, at), piece(text.slice(at, end), "mark"), text.slice(end));
}

const HELP: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Everywhere",
    [
      ["j k, arrows", "down and up; PgUp PgDn, ^d ^u by pages; g G to the ends"],
      ["q, Esc", "back; in the list of jobs q leaves, and the plain table stays"],
      [":", "command line, Tab completes: job 12, cancel 12, sort gpus, drain NODE REASON"],
      ["1, n", "jobs, nodes and GPUs"],
      ["^l ^z ^c", "repaint, suspend, leave at once"],
    ],
  ],
  [
    "Jobs",
    [
      ["/", "filter: state:R user:bob,ann gpu>2 time>60 !word; Esc shows all again"],
      ["s, < >, r", "choose the order, the next or previous one, reverse it"],
      ["m, e", "only mine or everybody's; with jobs that are over"],
      ["z", "unfold or fold the array under the cursor"],
      ["space, *", "mark a job; mark all that are shown, or none"],
      ["Enter", "details: all fields, why it waits, where its output is"],
      ["l, a", "its output, following it; attach to its terminal"],
      ["c, K, C", "cancel; send SIGKILL; send another signal"],
      ["H U R", "hold, release, requeue"],
      ["p, T", "set the nice value, the time limit"],
    ],
  ],
  [
    "Nodes",
    [
      ["Enter", "the jobs on the node"],
      ["d, u", "drain with a reason, resume"],
      ["letters", "one a GPU: the same letter is the same job; . free, % shared, x away"],
    ],
  ],
  [
    "Output",
    [
      ["f", "follow, or stay"],
      ["o, w", "standard output or error; wrap long lines"],
      ["/, n, N", "look for a text; the next place, the previous one"],
    ],
  ],
];

const KEY_CELLS = 14;

/** All keys. */
export function drawHelp(model: Model): Drawn {
  const lines = HELP.flatMap(([heading, keys]) => [
    line(piece(` ${heading}`, "title")),
    ...keys.map(([key, what]) => line("   ", piece(key.padEnd(KEY_CELLS), "accent"), what)),
    line(),
  ]);
  const height = bodyRows(model);
  const top = Math.min(model.helpTop, Math.max(0, lines.length - height));
  return { title: line(piece(" Keys", "title")), body: padded(lines.slice(top), height) };
}
