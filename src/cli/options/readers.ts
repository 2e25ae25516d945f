/** Readers of texts that several options share. Pure. */

import { expected, type Parsed, parseCount } from "../../core/parse.ts";

/** Longest name of a partition, account and the like: what the wire carries. */
const NAME_LENGTH_MAX = 256;

/** An option without a value. */
export function flag(): Parsed<true> {
  return { value: true };
}

/** A count of at least 1. */
export function atLeastOne(text: string): Parsed<number> {
  return parseCount(text);
}

/** A count, 0 included. */
export function countFromZero(text: string): Parsed<number> {
  return parseCount(text, 0);
}

/** Any text, the empty one included. */
export function anyText(text: string): Parsed<string> {
  return { value: text };
}

/** A text that is not empty; `what` says what it is. */
export function someText(what: string): (text: string) => Parsed<string> {
  return (text) => (text === "" ? expected(what, text) : { value: text });
}

/** A name that the wire carries. */
export function nameText(text: string): Parsed<string> {
  return text === "" || text.length > NAME_LENGTH_MAX ? expected("a name", text) : { value: text };
}

/** `0` or `1`; `yes` and `no` too. */
export function zeroOrOne(text: string): Parsed<boolean> {
  if (/^(1|yes)$/i.test(text)) return { value: true };
  if (/^(0|no)$/i.test(text)) return { value: false };
  return expected("0 or 1", text);
}

/** What an option without effect may say, where nothing here depends on more than its shape. */
export function shaped(pattern: RegExp, what: string): (text: string) => Parsed<string> {
  return (text) => (pattern.test(text) ? { value: text } : expected(what, text));
}
