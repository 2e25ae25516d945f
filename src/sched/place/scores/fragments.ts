/**
 * How much of a node's free GPUs typical jobs could not use: the fragmentation measure of Weng et al., "Beware of
 * Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023.
 *
 * For a kind of job that the node could not run at all everything that is free counts, else the GPUs with less free than
 * the job takes of each; the mean over all kinds by how common they are.
 */

import { matchesConstraint, parseConstraint } from "../../../core/constraint.ts";
import { activeFeatures, type Node } from "../../../core/node.ts";
import { type NodeUsage, WHOLE_GPU } from "../../../core/resources.ts";
import type { Kind, Typical } from "../workload.ts";
import type { Spot } from "./score.ts";

/** Fragments of nodes for one typical workload. What a node is without the request at hand is reckoned once. */
export class Fragments {
  readonly typical: Typical;
  readonly #admitted = new WeakMap<Node, readonly boolean[]>();
  readonly #now = new WeakMap<Node, { readonly usage: NodeUsage; readonly amount: number }>();

  constructor(typical: Typical) {
    this.typical = typical;
  }

  /** Thousandths of GPUs that become fragments if the request goes there; below 0 where it uses some up. */
  growth({ node, usage, cpus, gpus }: Spot): number {
    const left = freeBy(node, usage);
    for (const { gpu, thousandths } of gpus) {
      const at = node.inventory.gpus.indexOf(gpu);
      left[at] = (left[at] ?? 0) - thousandths;
    }
    return this.#amount(node, node.inventory.cpus - usage.cpus - cpus, left) - this.#before(node, usage);
  }

  /** Which kinds of jobs a node's features and GPU types allow, in their order. */
  admitted(node: Node): readonly boolean[] {
    let known = this.#admitted.get(node);
    if (!known) {
      const types = new Set(node.inventory.gpus.map(({ type }) => type));
      known = this.typical.map(
        ({ type, constraint }) => (type === null || types.has(type)) && isFeatured(node, constraint),
      );
      this.#admitted.set(node, known);
    }
    return known;
  }

  #before(node: Node, usage: NodeUsage): number {
    const known = this.#now.get(node);
    if (known?.usage === usage) return known.amount;
    const amount = this.#amount(node, node.inventory.cpus - usage.cpus, freeBy(node, usage));
    this.#now.set(node, { usage, amount });
    return amount;
  }

  #amount(node: Node, cpus: number, left: readonly number[]): number {
    let total = 0;
    for (const free of left) total += free;
    if (total === 0) return 0;
    const admitted = this.admitted(node);
    const { gpus } = node.inventory;
    const { typical } = this;
    let fragments = 0;
    for (let at = 0; at < typical.length; at++) {
      const kind = typical[at] as Kind;
      if (kind.gpus === 0 || cpus < kind.cpus || !admitted[at]) {
        fragments += kind.share * total;
        continue;
      }
      let usable = 0;
      let small = 0;
      for (let index = 0; index < left.length; index++) {
        const free = left[index] ?? 0;
        if (free >= kind.thousandths && (kind.type === null || gpus[index]?.type === kind.type)) usable += 1;
        else small += free;
      }
      fragments += kind.share * (usable < kind.gpus ? total : small);
    }
    return fragments;
  }
}

function freeBy(node: Node, usage: NodeUsage): number[] {
  return node.inventory.gpus.map(({ index }) => WHOLE_GPU - (usage.gpus[index] ?? 0));
}

function isFeatured(node: Node, text: string): boolean {
  if (text === "") return true;
  const parsed = parseConstraint(text);
  return "value" in parsed && matchesConstraint(parsed.value, new Set(activeFeatures(node)));
}
