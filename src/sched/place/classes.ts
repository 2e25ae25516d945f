/** Nodes that a request can't tell from each other, but for their names, have the same number. */

import { activeFeatures, type Node, type NodeInventory, type NodeSettings } from "../../core/node.ts";
import type { NodeUsage } from "../../core/resources.ts";

/** Numbers that are remembered; then all are forgotten. None is ever given twice. */
const CLASSES_MAX = 200_000;

interface Numbered {
  readonly kind: number;
  readonly number: number;
}

/** Gives numbers to what nodes have and what is in use there. */
export class Classes {
  readonly #kinds = new Map<string, number>();
  readonly #kindOf = new WeakMap<
    NodeInventory,
    { readonly settings: NodeSettings | undefined; readonly kind: number }
  >();
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<NodeUsage, Numbered>();
  #next = 0;

  /** The number of a node with this usage. */
  of(node: Node, usage: NodeUsage): number {
    const kind = this.kindOf(node);
    const known = this.#known.get(usage);
    if (known?.kind === kind) return known.number;
    const number = this.#numberOf(usageKey(kind, usage));
    this.#known.set(usage, { kind, number });
    return number;
  }

  /** The same for nodes that differ in their names and usage alone. */
  kindOf(node: Node): number {
    const { inventory, settings } = node;
    const known = this.#kindOf.get(inventory);
    if (known && known.settings === settings) return known.kind;
    const key = kindKey(node);
    const kind = this.#kinds.get(key) ?? this.#kinds.size;
    this.#kinds.set(key, kind);
    this.#kindOf.set(inventory, { settings, kind });
    return kind;
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#numbers.size >= CLASSES_MAX) this.#numbers.clear();
    const number = this.#next++;
    this.#numbers.set(key, number);
    return number;
  }
}

function usageKey(kind: number, { cpus, memoryMiB, gpus }: NodeUsage): string {
  let key = `${kind} ${cpus} ${memoryMiB}`;
  for (const index in gpus) key += ` ${index}:${gpus[index]}`;
  return key;
}

function kindKey(node: Node): string {
  const { cpus, memoryMiB, gpus } = node.inventory;
  const sizes = gpus.map(({ index, type, memoryMiB: mib, links }) => [index, type, mib, links]);
  return JSON.stringify([cpus, memoryMiB, sizes, activeFeatures(node)]);
}
