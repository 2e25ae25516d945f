/** The completion script for fish: one `complete` an option. */

import type { Option } from "../option.ts";
import { type Entry, isUseful } from "./catalogue.ts";
import { type Kind, kindOf, operandOf } from "./kinds.ts";

/** All of the script. */
export function fishScript(entries: readonly Entry[]): string {
  const subcommands = entries.filter(({ typed }) => typed.startsWith("mgpu "));
  const first = subcommands.map(({ typed, command }) => {
    return `complete -c mgpu -n __fish_use_subcommand -x -a ${typed.slice("mgpu ".length)} -d ${quote(command.summary)}\n`;
  });
  return `# Completion of mgpu's commands for fish. Made by "npm run generate" from the declarations of the options: do not edit.

function __mgpu_list
    set -l found (mgpu __complete $argv[1] 2>/dev/null)
    set -l token (commandline -ct | string replace -r '^--?[^=]*=' '')
    set -l before (string match -r '^.*,' -- $token)
    for line in $found
        echo "$before$line"
    end
end

complete -c mgpu -f
${first.join("")}${entries.flatMap(linesOf).join("")}`;
}

function linesOf(entry: Entry): string[] {
  const { typed } = entry;
  const [program = "", word] = typed.split(" ");
  const where =
    word === undefined ? `complete -c ${program}` : `complete -c mgpu -n '__fish_seen_subcommand_from ${word}'`;
  const own = typed === "mgpu" ? `complete -c mgpu -n __fish_use_subcommand` : where;
  const options = entry.options.filter(isUseful).map((option) => `${own} ${optionPart(option)}\n`);
  const operand = typed === "mgpu" ? "" : operandPart(operandOf(entry));
  return [...(operand === "" ? [] : [`${where} ${operand}\n`]), ...options];
}

function optionPart(option: Option): string {
  const { short, long, aliases = [], argument, help } = option;
  const names = [
    ...(short === undefined ? [] : [`-s ${quote(short)}`]),
    ...[long, ...aliases].map((name) => `-l ${name}`),
  ];
  const value = argument === "none" ? "" : valuePart(kindOf(option), argument === "required");
  return `${names.join(" ")}${value} -d ${quote(help)}`;
}

function valuePart(kind: Kind, isRequired: boolean): string {
  const needs = isRequired ? " -r" : "";
  if ("ask" in kind) return `${needs} -f -a '(__mgpu_list ${kind.ask})'`;
  if ("words" in kind) return `${needs} -f -a ${quote(kind.words)}`;
  if (kind.is === "folder") return `${needs} -f -a '(__fish_complete_directories)'`;
  return kind.is === "file" ? `${needs} -F` : `${needs} -f`;
}

function operandPart(kind: Kind): string {
  if ("ask" in kind) return `-f -a '(__mgpu_list ${kind.ask})'`;
  if ("words" in kind) return `-f -a ${quote(kind.words)}`;
  if (kind.is === "command") return "-x -a '(__fish_complete_subcommand)'";
  if (kind.is === "folder") return "-f -a '(__fish_complete_directories)'";
  return kind.is === "file" ? "" : "-f";
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
