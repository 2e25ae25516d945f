/** Keys that move in lists and texts: the same everywhere. Pure. */

import { bodyRows, type Model } from "./model.ts";

/** How far a key moves in a list; `null` for other keys. */
export function movement(key: string, model: Model, page = bodyRows(model)): number | null {
  const moves: Readonly<Record<string, number>> = {
    ...{ j: 1, down: 1, k: -1, up: -1, "ctrl-e": 1, "ctrl-y": -1 },
    ...{ pgdn: page, "ctrl-f": page, pgup: -page, "ctrl-b": -page },
    ...{ "ctrl-d": Math.ceil(page / 2), "ctrl-u": -Math.ceil(page / 2) },
    ...{ g: Number.NEGATIVE_INFINITY, home: Number.NEGATIVE_INFINITY },
    ...{ G: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY },
  };
  return moves[key] ?? null;
}
