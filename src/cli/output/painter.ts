/** Colours and thousands separators, for people at a terminal: never in a pipe, never under Slurm's names. */

import type { Painter } from "../../view/printf.ts";
import { isSlurmName } from "../connect.ts";
import type { CommandContext } from "../context.ts";

const RED = 31;
const GREEN = 32;
const YELLOW = 33;
const CYAN = 36;
const GREY = 90;

/** By a state's long or short name, job or node, in lower case and without the marks behind it. */
const COLOURS: Readonly<Record<string, number>> = {
  ...colour(GREEN, "running r idle completed cd"),
  ...colour(YELLOW, "pending pd suspended s mixed mix configuring cf"),
  ...colour(CYAN, "completing cg allocated alloc reserved resv maint planned plnd comp"),
  ...colour(RED, "failed f node_fail nf out_of_memory oom timeout to boot_fail bf deadline dl down drained drain"),
  ...colour(RED, "draining drng fail failing failg"),
  ...colour(GREY, "cancelled ca preempted pr revoked rv unknown unk"),
};

/** How a table's texts are painted here; `undefined` where they must stay as they are. */
export function painterFor(
  { program, stdio, environment }: Pick<CommandContext, "program" | "stdio" | "environment">,
  options: { readonly isOwnFormat: boolean },
): Painter | undefined {
  if (!stdio.stdoutIsTerminal || isSlurmName(program)) return undefined;
  const isPlain = (environment.NO_COLOR ?? "") !== "" || environment.TERM === "dumb";
  return (text, meaning) => {
    if (meaning === "count") return options.isOwnFormat ? grouped(text) : text;
    return isPlain ? text : coloured(text);
  };
}

function colour(code: number, names: string): Record<string, number> {
  return Object.fromEntries(names.split(" ").map((name) => [name, code]));
}

function coloured(text: string): string {
  const [, before = "", word = "", after = ""] = /^( *)(.*?)( *)$/s.exec(text) ?? [];
  const code = COLOURS[word.toLowerCase().replace(/[*~#!%$@^+-]+$/, "")];
  return code === undefined ? text : `${before}\u001b[${code}m${word}\u001b[0m${after}`;
}

/** `12,345`, `64,000+`: in the blanks that the column has to spare, so that it stays as wide as it is. */
function grouped(text: string): string {
  const digits = text.trim();
  if (!/^\d{4,}\+?$/.test(digits)) return text;
  const apart = digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  if (apart.length > text.length) return text;
  return text.startsWith(" ") ? apart.padStart(text.length) : apart.padEnd(text.length);
}
