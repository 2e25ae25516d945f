/** Orders of listings: `squeue -S P,t,-p`. Each letter is a column; `-` before it turns it round. */

/** One criterion; the first decides, later ones break ties. */
export interface SortKey<C> {
  readonly column: C;
  readonly descending: boolean;
}

/** Reads a sort specification; commas are optional. `unknown` holds the letters that are no columns. */
export function parseSort<C>(
  text: string,
  columns: Readonly<Record<string, C>>,
): { readonly keys: readonly SortKey<C>[]; readonly unknown: readonly string[] } {
  const keys: SortKey<C>[] = [];
  const unknown: string[] = [];
  for (const [, sign = "", letter = ""] of text.matchAll(/,|([+-]?)([^,]|$)/gu)) {
    if (sign === "" && letter === "") continue;
    if (Object.hasOwn(columns, letter)) keys.push({ column: columns[letter] as C, descending: sign === "-" });
    else unknown.push(letter || sign);
  }
  return { keys, unknown };
}

/** Compares two rows; rows that no key tells apart keep their order. */
export function comparator<R>(
  keys: readonly SortKey<{ sortKey(row: R): string | number }>[],
): (one: R, other: R) => number {
  return (one, other) => {
    for (const { column, descending } of keys) {
      const order = compareValues(column.sortKey(one), column.sortKey(other));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

function compareValues(one: string | number, other: string | number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
