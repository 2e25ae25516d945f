/** Nodes, and who has which of their GPUs: a letter a GPU, the same letter for the same job. */

import type { NodeRow } from "../../protocol/procedures.ts";
import { nodeStateShort } from "../../view/node-states.ts";
import { bodyRows, type Model } from "../model.ts";
import { gpusText, labelOf, type Row } from "../rows.ts";
import { clean, type Line, line, piece, type Role, reversed, type Segment, sized, spread } from "../text.ts";
import { bar, padded } from "./parts.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Of jobs that come after the last letter. */
const NO_LETTER = "+";

/** Colours in turn, so that neighbours differ; the letters alone say who it is. */
const ROLES: readonly Role[] = ["accent", "good", "warn", "mark", "bad"];

const FREE = ".";
const AWAY = "x";
const SHARED = "%";

const NAME_CELLS_MIN = 8;
const NAME_CELLS_MAX = 20;
const BAR_CELLS = 10;

/** Columns from which the list of holders stands beside the nodes; below it the node under the cursor tells its own. */
const LEGEND_COLUMNS_MIN = 100;
const LEGEND_CELLS = 44;

/** Who holds GPUs of a node: job by position of the GPU. */
type Held = ReadonlyMap<number, readonly number[]>;

interface Holders {
  readonly byNode: ReadonlyMap<string, Held>;
  readonly letters: ReadonlyMap<number, { readonly letter: string; readonly role: Role }>;
}

/** The column titles and the rows that are seen. */
export function drawNodes(model: Model, columns: number): { readonly title: Line; readonly body: Line[] } {
  const height = bodyRows(model);
  const holders = holdersOf(model);
  const hasLegend = columns >= LEGEND_COLUMNS_MIN;
  const nodesCells = hasLegend ? columns - LEGEND_CELLS - 1 : columns;
  const nameCells = Math.min(NAME_CELLS_MAX, Math.max(NAME_CELLS_MIN, ...model.nodes.map(({ name }) => name.length)));
  const title = line(
    piece(` ${sized("NODE", nameCells)} ${sized("STATE", 8)} ${sized("CPUS", 9)} ${sized("GPUS", 9)} `, "title"),
    piece("WHO HAS WHICH GPU", "title"),
  );
  if (model.nodes.length === 0)
    return { title, body: padded([line(piece("  no node has registered", "dim"))], height) };
  const perNode = hasLegend ? height : height - 2;
  const rows = model.nodes.slice(model.nodeTop, model.nodeTop + perNode).map((node, at) => {
    const drawn = drawNode(node, holders, nameCells, model.isAscii);
    return model.nodeTop + at === model.nodeCursor ? reversed(drawn) : drawn;
  });
  if (!hasLegend) return { title, body: [...padded(rows, perNode), ...padded(nodeLegend(model, holders), 2)] };
  const legend = padded(legendLines(model, holders, height), height);
  const body = padded(rows, height).map((row, at) => beside(row, legend[at] ?? line(), nodesCells));
  return { title, body };
}

/** Two columns, the left one `cells` wide. */
function beside(left: Line, right: Line, cells: number): Line {
  const joined = spread(left.segments, [piece(" ")], cells);
  return { segments: [...joined.segments, piece("|", "dim"), ...right.segments], isReverse: left.isReverse };
}

/** Letters go to jobs by their number, so that they stay while others come and go. */
function holdersOf({ jobs, nodes }: Model): Holders {
  const byNode = new Map<string, Map<number, number[]>>();
  const letters = new Map<number, { letter: string; role: Role }>();
  const known = new Set(nodes.map(({ name }) => name));
  const holding = [...jobs.values()].filter(({ gpuIds, endAt }) => gpuIds !== "" && endAt === null);
  for (const { id, gpuIds } of holding.sort((a, b) => a.id - b.id)) {
    for (const share of gpuIds.split(";")) {
      const at = share.lastIndexOf(":");
      const node = share.slice(0, at);
      if (!known.has(node)) continue;
      const held = byNode.get(node) ?? new Map<number, number[]>();
      byNode.set(node, held);
      for (const index of share
        .slice(at + 1)
        .split(",")
        .map(Number))
        held.set(index, [...(held.get(index) ?? []), id]);
    }
    const place = letters.size;
    letters.set(id, { letter: LETTERS[place] ?? NO_LETTER, role: ROLES[place % ROLES.length] ?? "plain" });
  }
  return { byNode, letters };
}

function drawNode(node: NodeRow, holders: Holders, nameCells: number, isAscii: boolean): Line {
  const { gpus, cpus } = node.inventory;
  const state = nodeStateShort(node);
  const granted = Object.values(node.usage.gpus).reduce((sum, thousandths) => sum + thousandths, 0);
  const total = gpus.length * 1000;
  return line(
    ` ${sized(node.name, nameCells)} `,
    piece(`${sized(state, 8)} `, stateRoleOf(state)),
    sized(`${node.usage.cpus}/${cpus}`, 10),
    sized(`${granted / 1000}/${gpus.length}`, 10),
    ...gpuCells(node, holders),
    ...(total > 0 ? [piece(`  ${bar(granted / total, BAR_CELLS, isAscii)}`, "dim")] : []),
    piece(node.reason === "" ? "" : `  ${clean(node.reason)}`, "warn"),
  );
}

function stateRoleOf(state: string): Role {
  if (/^idle/.test(state)) return "good";
  if (/^(mix|alloc)/.test(state)) return "accent";
  return /^(drain|drng|resv|maint)/.test(state) ? "warn" : "bad";
}

function gpuCells(node: NodeRow, { byNode, letters }: Holders): Segment[] {
  const held = byNode.get(node.name);
  const cells = node.inventory.gpus.map(({ index }): Segment => {
    const ids = held?.get(index) ?? [];
    const [id] = ids;
    if (ids.length > 1) return piece(SHARED, "title");
    const named = id === undefined ? undefined : letters.get(id);
    if (named) return piece(named.letter, named.role);
    return node.state === "DOWN" || !node.connected ? piece(AWAY, "bad") : piece(FREE, "dim");
  });
  return [piece("["), ...cells, piece("]")];
}

/** Who holds what, everywhere. */
function legendLines(model: Model, holders: Holders, height: number): Line[] {
  const entries = [...holders.letters].flatMap(([id]) => model.jobs.get(id) ?? []);
  const room = height - 2;
  const more = entries.length - room;
  return [
    line(piece(` ${FREE} free  ${SHARED} shared  ${AWAY} away`, "dim")),
    ...entries.slice(0, more > 0 ? room : entries.length).map((row) => legendLine(row, holders)),
    ...(more > 0 ? [line(piece(` and ${more} more`, "dim"))] : []),
  ];
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

/** Who holds what of the node under the cursor. */
function nodeLegend(model: Model, holders: Holders): Line[] {
  const node = model.nodes[model.nodeCursor];
  const ids = node ? new Set([...(holders.byNode.get(node.name)?.values() ?? [])].flat()) : new Set<number>();
  const parts = [...ids].flatMap((id) => {
    const row = model.jobs.get(id);
    const named = holders.letters.get(id);
    if (!row) return [];
    return [
      piece(named?.letter ?? NO_LETTER, named?.role ?? "plain"),
      piece(` ${labelOf(row)} ${row.user} ${clean(row.name)}   `),
    ];
  });
  const text = parts.length > 0 ? parts : [piece(`nobody holds a GPU of ${node?.name ?? "it"}`, "dim")];
  return [line(piece(` ${FREE} free  ${SHARED} shared  ${AWAY} away`, "dim")), line(" ", ...text)];
}
