/** What has changed, by number, for readers that come by now and then: each hears of what it does not know yet. */

/** A reader's place in a log. */
export interface Cursor {
  epoch: number;
  read: number;
}

/** A reader that knows nothing. */
export function newCursor(): Cursor {
  return { epoch: -1, read: 0 };
}

export class ChangeLog {
  readonly #most: number;
  #numbers: number[] = [];
  #epoch = 0;

  /** @param most changes that are remembered: who missed more hears that all may have changed */
  constructor(most: number) {
    this.#most = most;
  }

  note(number: number): void {
    this.#numbers.push(number);
    if (this.#numbers.length > this.#most) this.noteAll();
  }

  /** Everything may have changed. */
  noteAll(): void {
    this.#numbers = [];
    this.#epoch += 1;
  }

  /** What a reader does not know yet, in order; `null` for everything. Then it knows it. */
  news(cursor: Cursor): readonly number[] | null {
    const isLost = cursor.epoch !== this.#epoch;
    const news = isLost ? null : cursor.read === this.#numbers.length ? NOTHING : this.#numbers.slice(cursor.read);
    cursor.epoch = this.#epoch;
    cursor.read = this.#numbers.length;
    return news;
  }
}

const NOTHING: readonly number[] = [];
