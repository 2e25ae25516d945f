/**
 * Candidates with their numbers side by side: what is free on each, in arrays that are quickly read. It notes which
 * candidates have changed, in order, so that whoever looks again looks only there.
 */

import type { Candidate } from "../../core/node-set.ts";
import { type NodeUsage, WHOLE_GPU } from "../../core/resources.ts";
import { ChangeLog, type Cursor } from "../../util/change-log.ts";
import type { Classes } from "./classes.ts";
import type { Needs } from "./needs.ts";

/** Changes that are remembered, as a multiple of the candidates: who missed more looks at all of them. */
const CHANGES_PER_CANDIDATE = 4;

const CHANGES_MIN = 64;

/** Candidates that are looked at before others have their turn. */
const CANDIDATES_A_STEP = 128;

/** Numbers of candidates, as they were when they were last refreshed. */
export class Board {
  readonly candidates: readonly Candidate[];
  /** What is free; of GPUs the sum in thousandths. */
  readonly #cpus: Float64Array;
  readonly #memoryMiB: Float64Array;
  readonly #gpus: Float64Array;
  readonly #classes: Int32Array;
  readonly #seen: (NodeUsage | null)[];
  readonly #classify: Classes;
  readonly #changes: ChangeLog;
  /** Another number after each change. */
  version = 0;
  /** Thousandths of GPUs, and CPUs, that are free on all of them together. */
  gpusInAll = 0;
  cpusInAll = 0;

  constructor(candidates: readonly Candidate[], classes: Classes) {
    this.candidates = candidates;
    this.#classify = classes;
    this.#cpus = new Float64Array(candidates.length);
    this.#memoryMiB = new Float64Array(candidates.length);
    this.#gpus = new Float64Array(candidates.length);
    this.#classes = new Int32Array(candidates.length).fill(UNKNOWN);
    this.#seen = candidates.map(() => null);
    this.#changes = new ChangeLog(Math.max(CHANGES_MIN, CHANGES_PER_CANDIDATE * candidates.length));
  }

  /**
   * Takes note of what has changed.
   * @param news where to look; `null` for everywhere
   */
  refresh(news: readonly number[] | null): void {
    if (news === null) this.#refreshFrom(0, this.candidates.length);
    else for (const at of news) this.#refreshFrom(at, at + 1);
  }

  /** The same everywhere, with what is worked out about candidates when it is asked for. Yields after some of them. */
  *prepare(): Generator<void, void> {
    const { length } = this.candidates;
    for (let from = 0; from < length; from += CANDIDATES_A_STEP) {
      const to = Math.min(length, from + CANDIDATES_A_STEP);
      this.#refreshFrom(from, to);
      for (let at = from; at < to; at++) this.classAt(at);
      yield;
    }
  }

  #refreshFrom(from: number, to: number): void {
    const [candidates, seen] = [this.candidates, this.#seen];
    for (let at = from; at < to; at++) {
      const { usage } = candidates[at] as Candidate;
      if (usage !== seen[at]) this.#note(at, usage);
    }
  }

  /** Whether a candidate has free what is needed at least. */
  has(at: number, { cpus, memoryMiB, gpus }: Needs): boolean {
    return (
      (this.#cpus[at] as number) >= cpus &&
      (this.#memoryMiB[at] as number) >= memoryMiB &&
      (gpus === 0 || (this.#gpus[at] as number) >= gpus)
    );
  }

  /** The number of what a candidate has and what is in use there. */
  classAt(at: number): number {
    const known = this.#classes[at] as number;
    if (known !== UNKNOWN) return known;
    const { node, usage } = this.candidates[at] as Candidate;
    const found = this.#classify.of(node, usage);
    this.#classes[at] = found;
    return found;
  }

  /** The changes that a reader does not know yet; `null` for all candidates. Then it knows them. */
  news(cursor: Cursor): readonly number[] | null {
    return this.#changes.news(cursor);
  }

  #note(at: number, usage: NodeUsage): void {
    const { inventory } = (this.candidates[at] as Candidate).node;
    let gpus = 0;
    // Of a GPU that is closed and in use less than nothing is free, which takes nothing from the others.
    for (const { index } of inventory.gpus) gpus += Math.max(0, WHOLE_GPU - (usage.gpus[index] ?? 0));
    const cpus = inventory.cpus - usage.cpus;
    const isFirst = this.#seen[at] === null;
    this.gpusInAll += gpus - (isFirst ? 0 : (this.#gpus[at] as number));
    this.cpusInAll += Math.max(0, cpus) - (isFirst ? 0 : Math.max(0, this.#cpus[at] as number));
    this.#seen[at] = usage;
    this.#cpus[at] = cpus;
    this.#memoryMiB[at] = inventory.memoryMiB - usage.memoryMiB;
    this.#gpus[at] = gpus;
    this.#classes[at] = UNKNOWN;
    this.version += 1;
    if (!isFirst) this.#changes.note(at);
  }
}

const UNKNOWN = -1;
