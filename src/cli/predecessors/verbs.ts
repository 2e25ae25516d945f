/** What the verbs of mgpu's predecessors have in common: they call a command of today with its own options. */

import { type Command, type CommandContext, UserError } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { runCommand } from "../run.ts";
import { EXIT_USAGE } from "../usage.ts";

/** `--NAME=VALUE` for each of the named options that was given, in their order. */
export function passOn({ values }: ParsedOptions, names: readonly string[]): string[] {
  return names.flatMap((name) =>
    (values.get(name) ?? []).map((text) => (text === "" ? `--${name}` : `--${name}=${text}`)),
  );
}

/** Another name of a command. Messages begin with the name that was typed. */
export function alias(name: string, { name: meant, ...command }: Command): Command {
  const examples = command.examples.map((line) => line.replace(meant, name));
  return { ...command, name, summary: `${command.summary} (another name of ${meant})`, examples };
}

/** Runs a command of today under the name that was typed. */
export async function runAs(
  load: () => Promise<{ readonly command: Command }>,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  return runCommand((await load()).command, argv, context);
}

/** The one word that a verb takes. @throws UserError for none, or more */
export function oneWord({ operands: [word, ...more] }: ParsedOptions, what: string, example: string): string {
  if (word !== undefined && more.length === 0 && word !== "") return word;
  const problem = word ? `expected one ${what}, got ${more.length + 1} words` : `expected ${what}`;
  throw new UserError(problem, example, EXIT_USAGE);
}

/** An option with a value. */
export function valued(long: string, metavar: string, help: string): Option {
  return { long, argument: "required", metavar, help };
}

/** A flag. */
export function flagged(long: string, help: string): Option {
  return { long, argument: "none", help };
}
