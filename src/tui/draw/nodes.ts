/**
 * Nodes with maps of their GPUs, a sign a GPU: whose job it is (the same letter is the same job), how busy it is, how
 * full its memory is. Below, the GPUs of the node under the cursor.
 */

import type { NodeRow } from "../../protocol/procedures.ts";
import { nodeStateShort } from "../../view/node-states.ts";
import { closedAs, type Gpu, type Holders, holdersOf, NO_LETTER, SIGNS, useOf } from "../gpus.ts";
import { GPU_MAPS, type GpuMap, gpuRows, type Model, nodeRows } from "../model.ts";
import { gpusText, labelOf, type Row } from "../rows.ts";
import { clean, type Line, line, piece, type Role, reversed, type Segment, sized, spread } from "../text.ts";
import { drawGpus, levelCell, memoryCell } from "./gpus.ts";
import { padded } from "./parts.ts";

const NAME_CELLS_MIN = 5;
const NAME_CELLS_MAX = 20;

/** Columns from which the list of holders stands beside the nodes. */
const LEGEND_COLUMNS_MIN = 110;
const LEGEND_CELLS = 44;

const MAP_TITLES: Readonly<Record<GpuMap, string>> = { jobs: "WHOSE", use: "BUSY", memory: "MEMORY" };

/** The column titles and the rows that are seen. */
export function drawNodes(model: Model, columns: number): { readonly title: Line; readonly body: Line[] } {
  const [height, below] = [nodeRows(model), gpuRows(model)];
  const hasLegend = columns >= LEGEND_COLUMNS_MIN;
  const nodesCells = hasLegend ? columns - LEGEND_CELLS - 1 : columns;
  const table = tableOf(model, nodesCells);
  const title = line(
    piece(` ${sized("NODE", table.nameCells)} ${sized("STATE", 6)} ${sized("CPUS", 8)} ${sized("GPUS", 6)} `, "title"),
    ...table.maps.map((map) => piece(sized(MAP_TITLES[map], table.mapCells), "title")),
  );
  if (model.nodes.length === 0) {
    return { title, body: padded([line(piece("  no node has registered", "dim"))], height + below) };
  }
  const holders = holdersOf(model.jobs, model.nodes);
  const rows = model.nodes.slice(model.nodeTop, model.nodeTop + height).map((node, at) => {
    const drawn = drawNode(node, holders, table, model.isAscii);
    return model.nodeTop + at === model.nodeCursor ? reversed(drawn) : drawn;
  });
  const gpus = padded(drawGpus(model, holders, below, columns), below);
  if (!hasLegend) return { title, body: [...padded(rows, height), ...gpus] };
  const legend = padded(legendLines(model, holders, height), height);
  const body = padded(rows, height).map((row, at) => beside(row, legend[at] ?? line(), nodesCells, model.isAscii));
  return { title, body: [...body, ...gpus] };
}

interface Table {
  readonly nameCells: number;
  readonly mapCells: number;
  /** Those that there is room for, the chosen one first. */
  readonly maps: readonly GpuMap[];
}

function tableOf({ nodes, gpuMap }: Model, columns: number): Table {
  const nameCells = Math.min(NAME_CELLS_MAX, Math.max(NAME_CELLS_MIN, ...nodes.map(({ name }) => name.length)));
  const most = Math.max(0, ...nodes.map(({ inventory }) => inventory.gpus.length));
  const mapCells = Math.max(most + 2, MAP_TITLES.memory.length) + 1;
  const room = Math.max(1, Math.floor((columns - nameCells - 25) / mapCells));
  const chosen = GPU_MAPS.indexOf(gpuMap);
  const maps = [...GPU_MAPS.slice(chosen), ...GPU_MAPS.slice(0, chosen)].slice(0, room);
  return { nameCells, mapCells, maps };
}

/** Two columns, the left one `cells` wide. */
function beside(left: Line, right: Line, cells: number, isAscii: boolean): Line {
  const joined = spread(left.segments, [piece(" ")], cells);
  return {
    segments: [...joined.segments, piece(isAscii ? "|" : "│", "dim"), ...right.segments],
    isReverse: left.isReverse,
  };
}

function drawNode(node: NodeRow, holders: Holders, { nameCells, mapCells, maps }: Table, isAscii: boolean): Line {
  const { gpus, cpus } = node.inventory;
  const state = nodeStateShort(node);
  const granted = Object.values(node.usage.gpus).reduce((sum, thousandths) => sum + thousandths, 0);
  return line(
    ` ${sized(node.name, nameCells)} `,
    piece(`${sized(state, 6)} `, stateRoleOf(state)),
    sized(`${node.usage.cpus}/${cpus}`, 9),
    sized(`${granted / 1000}/${gpus.length}`, 7),
    ...maps.flatMap((map) => {
      const cells = gpus.map((gpu) => cellOf(map, node, gpu, holders, isAscii));
      return [piece("["), ...cells, piece(`]${" ".repeat(Math.max(0, mapCells - 2 - cells.length))}`)];
    }),
    piece(noteOf(node), "warn"),
  );
}

function stateRoleOf(state: string): Role {
  if (/^idle/.test(state)) return "good";
  if (/^(mix|alloc)/.test(state)) return "accent";
  return /^(drain|drng|resv|maint)/.test(state) ? "warn" : "bad";
}

function cellOf(map: GpuMap, node: NodeRow, gpu: Gpu, holders: Holders, isAscii: boolean): Segment {
  if (map === "use") return levelCell(useOf(node, gpu.index)?.utilisationPercent ?? null, isAscii);
  if (map === "memory") return memoryCell(node, gpu, isAscii);
  const ids = holders.byNode.get(node.name)?.get(gpu.index) ?? [];
  const [id] = ids;
  if (ids.length > 1) return piece(SIGNS.shared, "title");
  const named = id === undefined ? undefined : holders.letters.get(id);
  if (named) return piece(named.letter, named.role);
  if (node.state === "DOWN" || !node.connected) return piece(SIGNS.away, "bad");
  const closed = closedAs(node, gpu.index);
  return closed ? piece(closed.sign, "warn") : piece(SIGNS.free, "dim");
}

/** Why it is down or drained, and how many of its GPUs get no new jobs. */
function noteOf(node: NodeRow): string {
  const closed = node.inventory.gpus.flatMap(({ index }) => closedAs(node, index) ?? []);
  const paused = closed.filter(({ sign }) => sign === SIGNS.paused).length;
  const blocked = closed.length - paused;
  const parts = [
    ...(node.reason === "" ? [] : [clean(node.reason)]),
    ...(paused > 0 ? [`${paused} paused`] : []),
    ...(blocked > 0 ? [`${blocked} used by others`] : []),
  ];
  return parts.join(", ");
}

/** Who holds what, everywhere. */
function legendLines(model: Model, holders: Holders, height: number): Line[] {
  const entries = [...holders.letters].flatMap(([id]) => model.jobs.get(id) ?? []);
  const room = height - 1;
  const isCut = entries.length > height;
  const shown = entries.slice(0, isCut ? room : entries.length).map((row) => legendLine(row, holders));
  return [...shown, ...(isCut ? [line(piece(` and ${entries.length - room} more`, "dim"))] : [])];
}

function legendLine(row: Row, { letters }: Holders): Line {
  const named = letters.get(row.id);
  const text = `${labelOf(row)} ${row.user} ${clean(row.name)}`;
  return line(
    " ",
    piece(named?.letter ?? NO_LETTER, named?.role ?? "plain"),
    ` ${sized(text, LEGEND_CELLS - 14)} `,
    piece(`${gpusText(row.gpus)} GPU`, "dim"),
  );
}
