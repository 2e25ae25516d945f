/**
 * The completion script for bash: one function over a table of all commands' options. Needs bash 4.2. The scripts for zsh
 * and fish ask it too, run as a program: there is one place that knows what fits.
 */

import type { Option } from "../option.ts";
import { BASH_BODY } from "./bash-body.ts";
import { type Entry, isUseful } from "./catalogue.ts";
import { BY_KEY, GRAMMARS } from "./grammars.ts";
import { type Kind, kindOf, operandOf } from "./kinds.ts";
import { slurmNames } from "./slurm-names.ts";

/** All of the script. */
export function bashScript(entries: readonly Entry[]): string {
  const programs = entries.map(({ typed }) => typed).filter((typed) => !typed.includes(" "));
  const subcommands = entries.filter(({ typed }) => typed.startsWith("mgpu "));
  const listed = [
    ...subcommands.map(
      ({ typed, command }) => `${typed.slice("mgpu ".length)}|${command.summary.replaceAll("|", "/")}`,
    ),
    "help|Show what a command does",
    "version|Show the version",
  ];
  return `# Completion of mgpu's commands for bash. Made by "npm run generate" from the declarations of the options: do not edit.
# Run as a program, "bash mgpu.bash --candidates WORD... CURRENT" prints what fits: zsh and fish ask this way.

# SPELLING|ARGUMENT|KIND|HELP; ARGUMENT is n(one), r(equired) or o(ptional).
_mgpu_table() {
  operand= table=()
  case $1 in
${entries.map(tableCase).join("")}  esac
}

# PATTERN|KIND: what may stand after operands that fit the pattern.
_mgpu_grammar() {
  case $1 in
${Object.entries(GRAMMARS)
  .map(([name, rules]) =>
    arrayCase(
      name,
      "rules",
      rules.map(([pattern, kind]) => `${pattern}|${kindWord(kind)}`),
    ),
  )
  .join("")}  esac
}

# What may stand behind KEY=.
_mgpu_key() {
  case $1 in
${Object.entries(BY_KEY)
  .map(([key, kind]) => `    ${key}) kind=${quote(kindWord(kind))} ;;\n`)
  .join("")}    *) kind=nothing ;;
  esac
}

_mgpu_subcommands=(
${listed.map((row) => `  ${quote(row)}\n`).join("")})

${BASH_BODY}
  complete -F _mgpu_complete ${programs.join(" ")}
  _mgpu_slurm_names ${slurmNames(programs).join(" ")}
fi
`;
}

function tableCase(entry: Entry): string {
  const rows = entry.options.filter(isUseful).flatMap((option) => rowsOf(option, entry.typed));
  return arrayCase(entry.typed, `operand=${quote(kindWord(operandOf(entry.typed)))} table`, rows);
}

function arrayCase(name: string, head: string, rows: readonly string[]): string {
  return `    ${quote(name)})\n      ${head}=(\n${rows.map((row) => `        ${quote(row)}\n`).join("")}      )\n      ;;\n`;
}

function rowsOf(option: Option, typed: string): string[] {
  const { short, long, aliases = [], argument, help } = option;
  const spellings = [...(short === undefined ? [] : [`-${short}`]), `--${long}`, ...aliases.map((name) => `--${name}`)];
  const rest = `${argument.charAt(0)}|${kindWord(kindOf(option, typed))}|${help.replaceAll("|", "/")}`;
  return spellings.map((spelling) => `${spelling}|${rest}`);
}

function kindWord(kind: Kind): string {
  if ("ask" in kind) return `ask ${kind.ask}`;
  if ("grammar" in kind) return `grammar ${kind.grammar}`;
  return "words" in kind ? `words ${kind.words}` : kind.is;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
