/** Numbers as Slurm's accounting prints them: spans of time, CPU time, and amounts with units. */

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
const STEP = 1024;

/** Slurm's letters, each 1024 of the one before. */
const LETTERS = ["", "K", "M", "G", "T", "P"] as const;

/** How amounts are shown: in one unit (--units), as they are kept (--noconvert), or as Slurm finds fit. */
export interface Units {
  readonly unit: "K" | "M" | "G" | "T" | "P" | null;
  readonly noConvert: boolean;
}

/** Whole seconds as `[D-]HH:MM:SS`. */
export function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const time = [Math.floor(whole / HOUR_S) % 24, Math.floor(whole / MINUTE_S) % 60, whole % MINUTE_S];
  const text = time.map((part) => String(part).padStart(2, "0")).join(":");
  return whole >= DAY_S ? `${Math.floor(whole / DAY_S)}-${text}` : text;
}

/** CPU time in milliseconds: `MM:SS.mmm` below an hour where there is a rest, else as {@link elapsed}. */
export function cpuTime(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole % 1000 === 0 || whole >= HOUR_S * 1000) return elapsed(whole / 1000);
  return `${elapsed(whole / 1000).slice("00:".length)}.${String(whole % 1000).padStart(3, "0")}`;
}

/**
 * An amount with its unit, as Slurm converts it: by 1024 as long as the number is one that halves of 1024 divide, or
 * into the unit asked for; two decimals where it is not whole.
 * @param from the unit that `amount` is in
 */
export function amount(value: number, from: "" | "K" | "M", { unit, noConvert }: Units): string {
  if (value === 0) return "0";
  let [number, at] = [value, LETTERS.indexOf(from)];
  if (unit !== null) {
    const wanted = LETTERS.indexOf(unit);
    number *= STEP ** (at - wanted);
    at = wanted;
  } else if (!noConvert && Math.floor(number) % (STEP / 2) === 0) {
    for (; number >= STEP && at < LETTERS.length - 1; at++) number /= STEP;
  }
  return `${Number.isInteger(number) ? number : number.toFixed(2)}${LETTERS[at]}`;
}

/** Bytes of a disk: always in mebibytes, unless another unit is asked for. */
export function diskAmount(bytes: number, { unit, noConvert }: Units): string {
  if (noConvert && unit === null) return String(Math.round(bytes));
  const wanted = unit ?? "M";
  return `${(bytes / STEP ** LETTERS.indexOf(wanted)).toFixed(2)}${wanted}`;
}
