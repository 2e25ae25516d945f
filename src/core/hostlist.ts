/**
 * Node lists as Slurm writes them: `n[1-2,10],login`.
 *
 * `fold` keeps the order and the duplicates of its names, writes at most one bracket a name and only at the end of
 * it (several launchers read the list with a simple pattern), and keeps zero padding. `expand` reads that back, and
 * also what people type: brackets in the middle, several of them.
 */

/** Most names that one list may stand for: more than any cluster has, few enough to hold in memory. */
export const HOSTS_MAX = 65_536;

/** Digits at a name's end that are folded as a number: few enough to count exactly. */
const DIGITS_MAX = 9;

interface Numbered {
  readonly prefix: string;
  /** As written, zeros included; empty for a name that ends in no digit. */
  readonly digits: string;
}

/** `["n1", "n2", "n10"]` as `n[1-2,10]`. */
export function fold(names: readonly string[]): string {
  const parts: string[] = [];
  let run: Numbered[] = [];
  for (const name of names) {
    const next = splitName(name);
    const belongs = run[0] !== undefined && run[0].prefix === next.prefix && run[0].digits !== "" && next.digits !== "";
    if (!belongs && run.length > 0) {
      parts.push(printRun(run));
      run = [];
    }
    run.push(next);
  }
  if (run.length > 0) parts.push(printRun(run));
  return parts.join(",");
}

/**
 * The names that a list stands for, in order.
 * @returns `undefined` if the text is no node list or stands for more than {@link HOSTS_MAX} names
 */
export function expand(text: string): string[] | undefined {
  const names: string[] = [];
  if (text === "") return names;
  const items = splitItems(text);
  if (!items) return undefined;
  for (const item of items) {
    const some = expandItem(item);
    if (!some || names.length + some.length > HOSTS_MAX) return undefined;
    for (const name of some) names.push(name);
  }
  return names;
}

function splitName(name: string): Numbered {
  let start = name.length;
  while (start > 0 && name.length - start < DIGITS_MAX && /\d/.test(name.charAt(start - 1))) start--;
  return { prefix: name.slice(0, start), digits: name.slice(start) };
}

/** Names with the same prefix, one after the other in the list. */
function printRun(run: readonly Numbered[]): string {
  const prefix = run[0]?.prefix ?? "";
  if (run.length === 1) return prefix + (run[0]?.digits ?? "");
  const ranges: { first: string; last: string }[] = [];
  for (const { digits } of run) {
    const open = ranges.at(-1);
    if (open && digits === successor(open.last, open.first.length)) open.last = digits;
    else ranges.push({ first: digits, last: digits });
  }
  const texts = ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`));
  return `${prefix}[${texts.join(",")}]`;
}

/** The next number as a range that starts with so many digits writes it. */
function successor(digits: string, width: number): string {
  return String(Number(digits) + 1).padStart(width, "0");
}

/** Splits at the commas outside brackets; `undefined` for an empty item or a bracket out of place. */
function splitItems(text: string): string[] | undefined {
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === "[") depth += 1;
    else if (letter === "]") depth -= 1;
    else if (letter === "," && depth === 0) {
      items.push(text.slice(start, at));
      start = at + 1;
    }
    if (depth < 0 || depth > 1) return undefined;
  }
  items.push(text.slice(start));
  return depth === 0 && items.every((item) => item !== "") ? items : undefined;
}

function expandItem(item: string): string[] | undefined {
  let names = [""];
  let at = 0;
  while (at < item.length) {
    const open = item.indexOf("[", at);
    const literal = item.slice(at, open < 0 ? item.length : open);
    const close = open < 0 ? item.length : item.indexOf("]", open);
    const numbers = open < 0 ? [""] : expandRanges(item.slice(open + 1, close));
    if (!numbers || names.length * numbers.length > HOSTS_MAX) return undefined;
    names = names.flatMap((name) => numbers.map((number) => name + literal + number));
    at = close + 1;
  }
  return names;
}

function expandRanges(text: string): string[] | undefined {
  const numbers: string[] = [];
  for (const range of text.split(",")) {
    const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range);
    if (!match) return undefined;
    const [, first = "", last = first] = match;
    const count = Number(last) - Number(first) + 1;
    if (count < 1 || numbers.length + count > HOSTS_MAX) return undefined;
    if (count === 1) numbers.push(first);
    else for (let at = 0; at < count; at++) numbers.push(String(Number(first) + at).padStart(first.length, "0"));
  }
  return numbers;
}
