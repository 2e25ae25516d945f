/** The views that are text to scroll: details of a job, its output, help. */

import { bodyRows, type Model, type View } from "../model.ts";
import { labelOf } from "../rows.ts";
import { clean, type Line, line, piece } from "../text.ts";
import { detailRows, logRows } from "../wrap.ts";
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
export function detailLines(model: Model, top: number): Line[] {
  const { detail } = model;
  if (!detail) return [];
  if (detail.lines.length === 0) return [line(piece("  asking the controller ...", "dim"))];
  return detailRows(detail, model).slice(top).map(detailLine);
}

/** Headings stand out, and so do names of fields. */
function detailLine(shown: string): Line {
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

type Section = readonly [view: View | null, heading: string, keys: readonly (readonly [string, string])[]];

const HELP: readonly Section[] = [
  [
    "jobs",
    "Jobs",
    [
      ["/", "filter: state:R user:bob,ann gpu>2 time>60 !word; Esc shows all again"],
      ["s, < >, r", "choose the order, the next or previous one, reverse it"],
      ["m, e", "only mine or everybody's; with jobs that are over"],
      ["z", "unfold or fold the array under the cursor"],
      ["space, v, *", "mark a job; begin and end a range; mark all that are shown, or none"],
      ["Enter", "details: all fields, why it waits, what it used, where its output is"],
      ["l, a", "its output, following it; attach to its terminal"],
      ["c, K, C", "cancel; send SIGKILL; send another signal"],
      ["H U R", "hold, release, requeue"],
      ["p, P, T", "set the nice value, the priority, the time limit"],
      ["", "what changes something asks first, and is done to all marked jobs"],
    ],
  ],
  [
    "job",
    "Details of a job",
    [
      ["Enter", "ask the controller again"],
      ["l, a", "its output; attach to its terminal"],
      ["c K C H U R", "cancel, kill, signal, hold, release, requeue"],
      ["p, P, T", "set the nice value, the priority, the time limit"],
    ],
  ],
  [
    "nodes",
    "Nodes and GPUs",
    [
      ["WHOSE", "a sign a GPU: the same letter is the same job"],
      ["", ". free, % shared, = paused, ! used by others than jobs, x away"],
      ["BUSY, MEMORY", "how busy each GPU is, how full its memory; ? is not known"],
      ["v", "begin with another of these maps"],
      ["left right", "choose a GPU of the node; below it stands with its last minutes"],
      ["p", "keep new jobs off the GPU, or let them onto it again"],
      ["d, u", "drain the node with a reason, resume it"],
      ["Enter", "the jobs on the node"],
    ],
  ],
  [
    "log",
    "Output",
    [
      ["f", "follow, or stay"],
      ["o, w", "standard output or error; wrap long lines"],
      ["/, n, N", "look for a text; the next place, the previous one"],
    ],
  ],
  [
    "history",
    "History",
    [
      ["left right", "an hour back, an hour on; [ ] a day, { } a week, - + ten minutes"],
      ["t", "a time: 14:00, yesterday's date, now-2hours, 2026-11-20 14:00"],
      ["Enter, l", "details of the job, its output"],
      ["/, m", "filter, only mine: as in the list of jobs"],
    ],
  ],
  [
    null,
    "Everywhere",
    [
      ["1, 2 n, 3 h", "jobs, nodes and GPUs, history"],
      ["j k, arrows", "down and up; PgUp PgDn, ^d ^u by pages; g G to the ends"],
      ["q, Esc", "back; in the list of jobs q leaves, and the plain table stays"],
      ["?", "help for what is shown"],
      ["^l ^z ^c", "repaint, suspend, leave at once"],
      [":", "command line; Tab completes names of commands, jobs, nodes and GPUs:"],
      ["", "job 12, log 12, attach 12, cancel 12, hold, release, requeue, priority 100 12, limit 2:00:00 12;"],
      ["", "sort gpus, filter user:bob, columns +account -nodes, mine, all, ended, at 2026-11-20 14:00;"],
      ["", "drain NODE REASON, resume NODE, pause NODE:GPU REASON, unpause NODE:GPU"],
    ],
  ],
];

const KEY_CELLS = 14;

/** All keys, those of the view that was left for this first. */
export function drawHelp(model: Model): Drawn {
  const asked = model.back.at(-1) ?? "jobs";
  const rank = ([view]: Section): number => (view === asked ? 0 : view === null ? 1 : 2);
  const sections = HELP.toSorted((a, b) => rank(a) - rank(b));
  const lines = sections.flatMap(([, heading, keys]) => [
    line(piece(` ${heading}`, "title")),
    ...keys.flatMap(([key, what]) =>
      wrapWords(what, model.columns - KEY_CELLS - 4).map((text, at) =>
        line("   ", piece((at === 0 ? key : "").padEnd(KEY_CELLS), "accent"), text),
      ),
    ),
    line(),
  ]);
  const height = bodyRows(model);
  const top = Math.min(model.helpTop, Math.max(0, lines.length - height));
  return { title: line(piece(" Keys", "title")), body: padded(lines.slice(top), height) };
}

/** In lines of at most so many letters, broken at blanks. */
function wrapWords(text: string, cells: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= cells) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
