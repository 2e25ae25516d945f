/** The completion script for fish: one `complete` an option; values and operands are what the script for bash finds. */

import type { Option } from "../option.ts";
import { type Entry, isUseful } from "./catalogue.ts";
import { type Kind, kindOf, operandOf } from "./kinds.ts";
import { slurmNames } from "./slurm-names.ts";

/** All of the script. */
export function fishScript(entries: readonly Entry[]): string {
  const programs = entries.map(({ typed }) => typed).filter((typed) => !typed.includes(" "));
  return `# Completion of mgpu's commands for fish. Made by "npm run generate" from the declarations of the options: do not edit.
# Values and operands are found by the script for bash, which lies beside mgpu's programs.

function __mgpu_find
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l program (command -s $words[1]; or echo $words[1])
    set -l script (path dirname (path dirname (path resolve $program)))/completions/mgpu.bash
    set -l found (bash $script --candidates $words "$token" 2>/dev/null)
    set -l head (string split \\t -- $found[1])
    switch $head[1]
        case file
            __fish_complete_path (string replace -- "$head[3]" '' $token)
            return
        case folder
            __fish_complete_directories (string replace -- "$head[3]" '' $token)
            return
    end
    # Fish itself keeps --option= before the value.
    set -l before (string replace -r '^--[^=]*=' '' -- "$head[3]")
    for line in $found[2..-1]
        echo "$before$line"
    end
end

${entries.flatMap(linesOf).join("")}
# Slurm's names are completed where they lead to mgpu: beside a real Slurm, its own completion stays.
for name in ${slurmNames(programs).join(" ")}
    set -l path (command -s $name)
    and test (path resolve $path) = (path resolve (command -s mgpu-$name; or echo /dev/null))
    and complete -c $name -w mgpu-$name
end
`;
}

function linesOf(entry: Entry): string[] {
  const { typed } = entry;
  const [program = "", word] = typed.split(" ");
  const where =
    word === undefined ? `complete -c ${program}` : `complete -c mgpu -n '__fish_seen_subcommand_from ${word}'`;
  const own = typed === "mgpu" ? `complete -c mgpu -n __fish_use_subcommand` : where;
  const options = entry.options.filter(isUseful).map((option) => `${own} ${optionPart(option, typed)}\n`);
  const operand = typed === "mgpu" ? "-f -a '(__mgpu_find)'" : operandPart(operandOf(typed));
  return [...(operand === "" ? [] : [`${own} ${operand}\n`]), ...options];
}

function optionPart(option: Option, typed: string): string {
  const { short, long, aliases = [], argument, help } = option;
  const names = [
    ...(short === undefined ? [] : [`-s ${quote(short)}`]),
    ...[long, ...aliases].map((name) => `-l ${name}`),
  ];
  const value = argument === "none" ? "" : valuePart(kindOf(option, typed), argument === "required");
  return `${names.join(" ")}${value} -d ${quote(help)}`;
}

function valuePart(kind: Kind, isRequired: boolean): string {
  const needs = isRequired ? " -r" : "";
  if ("is" in kind && kind.is === "nothing") return `${needs} -f`;
  if ("is" in kind && kind.is === "file") return `${needs} -F`;
  return `${needs} -f -a '(__mgpu_find)'`;
}

function operandPart(kind: Kind): string {
  if (!("is" in kind)) return "-f -a '(__mgpu_find)'";
  if (kind.is === "command") return "-x -a '(__fish_complete_subcommand)'";
  if (kind.is === "folder") return "-f -a '(__fish_complete_directories)'";
  return kind.is === "file" ? "" : "-f";
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
