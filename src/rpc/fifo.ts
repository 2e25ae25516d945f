/** A first-in-first-out queue in constant time a step; an array's own `shift` moves every element. */

/** Taken elements are let go in batches of at least this many. */
const COMPACT_LENGTH = 64;

export class Fifo<T> {
  private items: T[] = [];
  private next = 0;

  get length(): number {
    return this.items.length - this.next;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** The oldest element, left in place. */
  peek(): T | undefined {
    return this.items[this.next];
  }

  /** Takes the oldest element. */
  shift(): T | undefined {
    if (this.next === this.items.length) return undefined;
    const item = this.items[this.next++];
    if (this.next === this.items.length) this.clear();
    else if (this.next >= COMPACT_LENGTH && this.next * 2 >= this.items.length) {
      this.items = this.items.slice(this.next);
      this.next = 0;
    }
    return item;
  }

  clear(): void {
    this.items = [];
    this.next = 0;
  }
}
