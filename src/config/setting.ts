/** What one setting of the daemons is, and how common kinds of texts are read. */

export interface Key<T> {
  /** `SECTION.NAME` in the configuration file. Those of `node` may also stand in `nodes.NAME`, for that node only. */
  readonly key: string;
  /** What it is for, as a sentence without its full stop: for the sample, the schema and the manual. */
  readonly about: string;
  /** A running controller takes a new value when it is told to read its configuration again. */
  readonly isLive?: true;
  readonly variable: string;
  readonly fallback: T;
  /** The value, or `undefined` if the text is none. */
  readonly parse: (text: string) => T | undefined;
  readonly expected: string;
  /** The inverse of `parse`, where the value is not its own text. */
  readonly format?: (value: T) => string;
}

/** A name as nodes and clusters have it. */
export function word(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text) ? text : undefined;
}

/** Each once, in the order given. */
export function words(text: string): readonly string[] | undefined {
  const all = text.split(",").map((one) => one.trim());
  return all.every((one) => /^[A-Za-z0-9_][A-Za-z0-9_.=:-]{0,62}$/.test(one)) ? [...new Set(all)] : undefined;
}

/** Absolute paths with commas between them, each once, without a slash at the end. */
export function absolutePaths(text: string): readonly string[] | undefined {
  const all = text.split(",").map((one) => one.trim());
  return all.every((one) => /^\/[^\0]*$/.test(one))
    ? [...new Set(all.map((one) => one.replace(/(?<=.)\/+$/, "")))]
    : undefined;
}

/** Seconds, to a thousandth. */
export function seconds(text: string): number | undefined {
  return /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}

/** A whole number, 0 included. */
export function whole(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** A whole number, at least 1. */
export function positive(text: string): number | undefined {
  const value = whole(text);
  return value ? value : undefined;
}

/** A port, which is meant of this machine only, or host:port. */
export function listenAt(text: string): { host: string; port: number } | undefined {
  const [, host = "", digits = ""] = /^(?:([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):)?(\d{1,5})$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === "" || number > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, "") || "127.0.0.1", port: number };
}
