/** A queue of events: the earliest first, of the same moment the lowest rank, of these the one that was put in first. */

export interface Timed {
  readonly at: number;
  readonly rank: number;
}

interface Entry<T> {
  readonly value: T;
  readonly order: number;
}

export class EventHeap<T extends Timed> {
  readonly #entries: Entry<T>[] = [];
  #count = 0;

  get first(): T | undefined {
    return this.#entries[0]?.value;
  }

  push(value: T): void {
    const entry = { value, order: this.#count++ };
    const entries = this.#entries;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = entries[parentAt];
      if (!parent || !isBefore(entry, parent)) break;
      entries[at] = parent;
      at = parentAt;
    }
    entries[at] = entry;
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (top && last && entries.length > 0) this.#sink(last);
    return top?.value;
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const [left, right] = [entries[2 * at + 1], entries[2 * at + 2]];
      if (!left) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, entry)) break;
      entries[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    entries[at] = entry;
  }
}

function isBefore<T extends Timed>(one: Entry<T>, other: Entry<T>): boolean {
  const [a, b] = [one.value, other.value];
  if (a.at !== b.at) return a.at < b.at;
  return a.rank === b.rank ? one.order < other.order : a.rank < b.rank;
}
