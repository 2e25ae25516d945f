/** Orders of sinfo's rows: `-S #P,-t`. A letter is a column of --format; `#P` is the partitions' own order. */

import type { NodeColumn, NodeGroup } from "./node-groups.ts";
import { compareNames } from "./node-groups.ts";
import { nodeStateRank } from "./node-states.ts";

type Compare = (one: NodeGroup, other: NodeGroup) => number;

/** What a sort specification means; `unknown` holds the letters that are no columns. */
export interface NodeOrder {
  readonly compare: Compare;
  readonly unknown: readonly string[];
}

/** Reads a sort specification. @param partitions names in their own order */
export function parseNodeOrder(
  text: string,
  columns: Readonly<Record<string, NodeColumn>>,
  partitions: readonly string[],
): NodeOrder {
  const compares: Compare[] = [];
  const unknown: string[] = [];
  const places = new Map(partitions.map((name, index) => [name, index]));
  for (const [, sign = "", hash = "", letter = ""] of text.matchAll(/,|([+-]?)(#?)([^,]|$)/gu)) {
    if (letter === "") continue;
    const compare = hash === "" ? byColumn(letter, columns) : byPlace(letter, places);
    if (compare === undefined) unknown.push(letter);
    else compares.push(sign === "-" ? (one, other) => compare(other, one) : compare);
  }
  return {
    unknown,
    compare(one, other) {
      for (const compare of compares) {
        const order = compare(one, other);
        if (order !== 0) return order;
      }
      return 0;
    },
  };
}

function byPlace(letter: string, places: ReadonlyMap<string, number>): Compare | undefined {
  if (letter !== "P" && letter !== "R") return undefined;
  const place = ({ partition }: NodeGroup): number => places.get(partition.name) ?? 0;
  return (one, other) => place(one) - place(other);
}

function byColumn(letter: string, columns: Readonly<Record<string, NodeColumn>>): Compare | undefined {
  if (letter === "t" || letter === "T") return (one, other) => stateRank(one) - stateRank(other);
  if (letter === "N" || letter === "n") return (one, other) => compareNames(nameOf(one), nameOf(other));
  if (!Object.hasOwn(columns, letter)) return undefined;
  return (one, other) => compareTexts(columns[letter]?.text(one) ?? "", columns[letter]?.text(other) ?? "");
}

/** Numbers by value, anything else by its letters. */
function compareTexts(one: string, other: string): number {
  const [a, b] = [Number.parseFloat(one), Number.parseFloat(other)];
  if (!Number.isNaN(a) && !Number.isNaN(b) && a !== b) return a - b;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function stateRank({ nodes: [first] }: NodeGroup): number {
  return first ? nodeStateRank(first) : 0;
}

function nameOf({ nodes: [first] }: NodeGroup): string {
  return first?.name ?? "";
}
