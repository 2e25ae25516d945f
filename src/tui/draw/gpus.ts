/** The GPUs of one node, a line each: who holds it, how busy it is and was, its memory, why it gets no new jobs. */

import type { NodeRow } from "../../protocol/procedures.ts";
import { closedAs, type Gpu, type Holders, memoryPercent, NO_LETTER, type Samples, SIGNS, useOf } from "../gpus.ts";
import type { Model } from "../model.ts";
import { gpusText, labelOf } from "../rows.ts";
import { clean, type Line, line, piece, type Role, type Segment, sized, spread } from "../text.ts";

/** Eight heights. */
const BLOCKS = "▁▂▃▄▅▆▇█";
const DIGITS = "0123456789";

/** Of what the driver does not say. */
const UNKNOWN = "?";

/** Percent from which a GPU counts as used, and as busy. */
const USED = 10;
const BUSY = 75;

const TYPE_CELLS = 7;
const HOLDER_CELLS = 20;
const WIDE_HOLDER_CELLS = 34;
const WIDE = 110;

const MIB_A_GIB = 1024;

/** How a share of 0 to 100 looks: three steps by colour, eight (or ten) by its sign. */
export function levelCell(percent: number | null, isAscii: boolean): Segment {
  if (percent === null || percent < 0) return piece(UNKNOWN, "dim");
  const levels = isAscii ? DIGITS : BLOCKS;
  const level = Math.min(levels.length - 1, Math.floor((percent / 100) * levels.length));
  return piece(levels[level] ?? UNKNOWN, levelRole(percent));
}

function levelRole(percent: number): Role {
  if (percent < USED) return "dim";
  return percent < BUSY ? "accent" : "good";
}

/** A heading and a line for each GPU of the node under the cursor, from `from` on. */
export function drawGpus(model: Model, holders: Holders, height: number, columns: number): Line[] {
  const node = model.nodes[model.nodeCursor];
  if (!node || height < 2) return [];
  const { gpus } = node.inventory;
  const { free, shared, paused, blocked, away } = SIGNS;
  const signs = `${free} free ${shared} shared ${paused} paused ${blocked} others ${away} away `;
  const name = [piece(` GPUs of ${node.name}  `, "title"), piece(clean(node.reason), "warn")];
  const title = spread(name, [piece(signs, "dim")], columns);
  if (gpus.length === 0) return [title, line(piece(`  ${node.inventory.gpuProblem ?? "it has none"}`, "dim"))];
  const from = Math.max(0, Math.min(model.gpuCursor - height + 2, gpus.length - height + 1));
  const shown = gpus.slice(from, from + height - 1);
  return [
    title,
    ...shown.map((gpu, at) => drawGpu(model, { node, gpu, holders }, from + at === model.gpuCursor, columns)),
  ];
}

interface Shown {
  readonly node: NodeRow;
  readonly gpu: Gpu;
  readonly holders: Holders;
}

function drawGpu(model: Model, shown: Shown, isChosen: boolean, columns: number): Line {
  const { node, gpu } = shown;
  const { isAscii, samples } = model;
  const use = useOf(node, gpu.index);
  const percent = use?.utilisationPercent ?? null;
  return line(
    piece(isChosen ? ">" : " ", "title"),
    piece(`${String(gpu.index).padStart(3)} `, isChosen ? "title" : "plain"),
    piece(`${sized(gpu.type, TYPE_CELLS)} `, "dim"),
    ...holderPieces(model, shown, columns >= WIDE ? WIDE_HOLDER_CELLS : HOLDER_CELLS),
    ...sparkline(samples, node.name, gpu.index, sparkCells(columns), isAscii),
    piece(
      ` ${percent === null ? "  ?" : String(percent).padStart(3)}% `,
      percent === null ? "dim" : levelRole(percent),
    ),
    piece(memoryText(gpu, use?.memoryUsedMiB ?? null), "accent"),
    ...noteOf(node, gpu),
  );
}

function sparkCells(columns: number): number {
  if (columns < 60) return 0;
  if (columns < 100) return 14;
  return columns < 160 ? 30 : 60;
}

/** How busy it was, a sign for each time that its node told, the newest last. */
function sparkline(samples: Samples, node: string, index: number, cells: number, isAscii: boolean): Segment[] {
  const known = cells === 0 ? [] : (samples.get(`${node}:${index}`) ?? []).slice(-cells);
  return [
    piece(" ".repeat(1 + Math.max(0, cells - known.length))),
    ...known.map((percent) => levelCell(percent, isAscii)),
  ];
}

function memoryText(gpu: Gpu, usedMiB: number | null): string {
  const gib = (mib: number): string => (mib / MIB_A_GIB).toFixed(mib < 10 * MIB_A_GIB ? 1 : 0);
  return `${usedMiB === null ? "?" : gib(usedMiB)}/${gib(gpu.memoryMiB)}G`.padStart(9);
}

function holderPieces({ jobs }: Model, { node, gpu, holders }: Shown, cells: number): Segment[] {
  const ids = holders.byNode.get(node.name)?.get(gpu.index) ?? [];
  const rows = ids.flatMap((id) => jobs.get(id) ?? []);
  const [row] = rows;
  if (!row) {
    const isAway = node.state === "DOWN" || !node.connected;
    const sign = isAway ? SIGNS.away : (closedAs(node, gpu.index)?.sign ?? SIGNS.free);
    const word = isAway ? "away" : sign === SIGNS.free ? "free" : sign === SIGNS.paused ? "paused" : "in use by others";
    return [piece(`${sign} ${sized(word, cells - 2)}`, sign === SIGNS.free ? "dim" : "warn")];
  }
  const named = holders.letters.get(row.id);
  const part = (node.usage.gpus[gpu.index] ?? 0) / 1000;
  const text =
    rows.length > 1
      ? rows.map(labelOf).join(",")
      : `${labelOf(row)} ${row.user} ${clean(row.name)}${part < 1 ? ` (${gpusText(1000 * part)})` : ""}`;
  return [
    piece(`${rows.length > 1 ? SIGNS.shared : (named?.letter ?? NO_LETTER)} `, named?.role ?? "plain"),
    piece(sized(text, cells - 2)),
  ];
}

/** Why it gets no new jobs, or who else is on it. */
function noteOf(node: NodeRow, gpu: Gpu): Segment[] {
  const closed = closedAs(node, gpu.index);
  const strangers = useOf(node, gpu.index)?.strangers ?? [];
  const who = strangers.map(({ program, pid }) => `${clean(program) || "process"} ${pid}`).join(", ");
  const parts = [...(closed ? [clean(closed.why)] : []), ...(who === "" ? [] : [`others: ${who}`])];
  return parts.length === 0 ? [] : [piece(`  ${parts.join("; ")}`, "warn")];
}

/** A cell of the map of memory. */
export function memoryCell(node: NodeRow, gpu: Gpu, isAscii: boolean): Segment {
  return levelCell(memoryPercent(gpu, useOf(node, gpu.index)), isAscii);
}
