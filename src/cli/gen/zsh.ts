/** The completion script for zsh: a specification of _arguments for each command. */

import type { Option } from "../option.ts";
import { type Entry, isUseful } from "./catalogue.ts";
import { type Kind, kindOf, operandOf } from "./kinds.ts";

/** All of the script. */
export function zshScript(entries: readonly Entry[]): string {
  const programs = entries.map(({ typed }) => typed).filter((typed) => !typed.includes(" "));
  const subcommands = entries.filter(({ typed }) => typed.startsWith("mgpu "));
  const functions = entries.filter(({ typed }) => typed !== "mgpu").map(functionOf);
  const listed = subcommands.map(({ typed, command }) => {
    return `    ${quote(`${typed.slice("mgpu ".length)}:${command.summary.replaceAll(":", "\\:")}`)}\n`;
  });
  return `#compdef ${programs.join(" ")}
# Completion of mgpu's commands for zsh. Made by "npm run generate" from the declarations of the options: do not edit.

_mgpu_ask() {
  local -a found
  local line
  for line in \${(f)"$(mgpu __complete $1 2>/dev/null)"}; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -t $1 $1 found -S ''
}

${functions.join("\n")}
_mgpu_main() {
  local -a subcommands=(
${listed.join("")}    'help:Show what a command does'
    'version:Show the version'
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'mgpu command' subcommands
    return
  fi
  local word=$words[2]
  shift words
  (( CURRENT-- ))
  (( $+functions[_mgpu_of_mgpu_$word] )) && _mgpu_of_mgpu_$word
}

if [[ $service == mgpu ]]; then
  _mgpu_main
else
  _mgpu_of_\${service//-/_}
fi
`;
}

function functionOf(entry: Entry): string {
  const specs = entry.options.filter(isUseful).flatMap(specsOf);
  const operand = operandOf(entry);
  const rest = isCommand(operand) ? "'(-)1: :_command_names -e' '*:: :_normal'" : quote(`*: :${actionOf(operand)}`);
  const flags = entry.command.operands === "stop" ? "-s -S -A '-*'" : "-s -S";
  const lines = specs.map((spec) => `    ${quote(spec)} \\\n`).join("");
  return `_mgpu_of_${entry.typed.replaceAll(/[- ]/g, "_")}() {\n  _arguments ${flags} \\\n${lines}    ${rest}\n}\n`;
}

function isCommand(kind: Kind): boolean {
  return "is" in kind && kind.is === "command";
}

/** One spelling after the other; any may be given again. */
function specsOf(option: Option): string[] {
  const { short, long, aliases = [], argument, metavar = "value", help } = option;
  const told = `[${help.replaceAll(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:")}]`;
  const name = metavar.replaceAll(/[:[\]\\]/g, " ");
  const value = {
    none: "",
    required: `:${name}:${actionOf(kindOf(option))}`,
    optional: `::${name}:${actionOf(kindOf(option))}`,
  };
  const mark = { none: "", required: "=", optional: "=-" }[argument];
  const letter = { none: "", required: "+", optional: "-" }[argument];
  return [
    ...(short === undefined ? [] : [`*-${short}${letter}${told}${value[argument]}`]),
    ...[long, ...aliases].map((spelling) => `*--${spelling}${mark}${told}${value[argument]}`),
  ];
}

function actionOf(kind: Kind): string {
  if ("ask" in kind) return `_sequence _mgpu_ask ${kind.ask}`;
  if ("words" in kind) return `_sequence compadd - ${kind.words}`;
  return { file: "_files", folder: "_files -/", command: "_command_names -e", nothing: " " }[kind.is];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
