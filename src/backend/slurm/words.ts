/** A command line of Slurm's taken apart as getopt_long reads it, word for word, so that what is not ours goes on untouched. */

import type { OptionShape, Order } from "./hand-over.ts";

/** An option as it was typed. */
export interface Token {
  /** Its long name; empty for one that neither mgpu nor Slurm 22.05 knows: a newer Slurm may. */
  readonly long: string;
  readonly value: string;
  readonly words: readonly string[];
}

/** The options, and everything from the first operand on where that ends them. */
export interface TakenApart {
  readonly tokens: readonly Token[];
  readonly rest: readonly string[];
}

/** Takes a command line apart. Operands between options are tokens without a name. */
export function takeApart({ argv, options, stops }: Pick<Order, "argv" | "options" | "stops">): TakenApart {
  const tokens: Token[] = [];
  for (let at = 0; at < argv.length; ) {
    const word = argv[at] ?? "";
    if (word === "--") return { tokens, rest: argv.slice(at) };
    if (word === "-" || !word.startsWith("-")) {
      if (stops) return { tokens, rest: argv.slice(at) };
      tokens.push({ long: "", value: "", words: [word] });
      at += 1;
    } else {
      const found = word.startsWith("--")
        ? longToken(word, argv[at + 1], options)
        : letterTokens(word, argv[at + 1], options);
      tokens.push(...found.tokens);
      at += found.taken;
    }
  }
  return { tokens, rest: [] };
}

interface Taken {
  readonly tokens: readonly Token[];
  /** Words of the command line. */
  readonly taken: number;
}

function longToken(word: string, next: string | undefined, options: readonly OptionShape[]): Taken {
  const [, typed = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const shape = shapeOf(typed, options);
  const long = shape?.long ?? "";
  if (value !== undefined) return { tokens: [{ long, value, words: [word] }], taken: 1 };
  if (shape?.argument !== "required" || next === undefined)
    return { tokens: [{ long, value: "", words: [word] }], taken: 1 };
  return { tokens: [{ long, value: next, words: [word, next] }], taken: 2 };
}

/** By its name, another name of it, or a beginning that only it has. */
function shapeOf(typed: string, options: readonly OptionShape[]): OptionShape | undefined {
  const names = (one: OptionShape): readonly string[] => [one.long, ...(one.aliases ?? [])];
  const exact = options.find((one) => names(one).includes(typed));
  if (exact) return exact;
  const fitting = options.filter((one) => names(one).some((name) => name.startsWith(typed)));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** `-vN2` is `-v` and `-N2`. */
function letterTokens(word: string, next: string | undefined, options: readonly OptionShape[]): Taken {
  const tokens: Token[] = [];
  const letters = Array.from(word.slice(1));
  for (const [index, letter] of letters.entries()) {
    const shape = options.find(({ short }) => short === letter);
    const long = shape?.long ?? "";
    const rest = letters.slice(index + 1).join("");
    if (shape === undefined || shape.argument === "none") {
      tokens.push({ long, value: "", words: [`-${letter}`] });
      continue;
    }
    if (rest !== "" || shape.argument === "optional" || next === undefined) {
      tokens.push({ long, value: rest, words: [`-${letter}${rest}`] });
      return { tokens, taken: 1 };
    }
    tokens.push({ long, value: next, words: [`-${letter}`, next] });
    return { tokens, taken: 2 };
  }
  return { tokens, taken: 1 };
}
