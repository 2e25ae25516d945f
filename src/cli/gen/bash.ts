/** The completion script for bash: one function over a table of all commands' options. Needs bash 4. */

import type { Option } from "../option.ts";
import { type Entry, isUseful } from "./catalogue.ts";
import { type Kind, kindOf, operandOf } from "./kinds.ts";

/** All of the script. */
export function bashScript(entries: readonly Entry[]): string {
  const cases = entries.map((entry) => {
    const table = entry.options.filter(isUseful).flatMap(rowsOf);
    const operand = entry.typed === "mgpu" ? "subcommand" : kindWord(operandOf(entry));
    return `    ${quote(entry.typed)})\n      operand=${quote(operand)}\n      table=(\n${table.map((row) => `        ${quote(row)}\n`).join("")}      )\n      ;;\n`;
  });
  const words = entries
    .filter(({ typed }) => typed.startsWith("mgpu "))
    .map(({ typed }) => typed.slice("mgpu ".length));
  const programs = entries.map(({ typed }) => typed).filter((typed) => !typed.includes(" "));
  return `${HEAD}
_mgpu_table() {
  case $1 in
${cases.join("")}  esac
}

_mgpu_subcommands=${quote([...words, "help", "version"].join(" "))}

${BODY}
complete -F _mgpu_complete ${programs.join(" ")}
`;
}

/** \`SPELLING|ARGUMENT|KIND|HELP\`; ARGUMENT is n(one), r(equired) or o(ptional). */
function rowsOf(option: Option): string[] {
  const { short, long, aliases = [], argument, help } = option;
  const spellings = [...(short === undefined ? [] : [`-${short}`]), `--${long}`, ...aliases.map((name) => `--${name}`)];
  const rest = `${argument.charAt(0)}|${kindWord(kindOf(option))}|${help.replaceAll("|", "/")}`;
  return spellings.map((spelling) => `${spelling}|${rest}`);
}

function kindWord(kind: Kind): string {
  if ("ask" in kind) return `ask ${kind.ask}`;
  return "words" in kind ? `words ${kind.words}` : kind.is;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const HEAD = `# Completion of mgpu's commands for bash. Made by "npm run generate" from the declarations of the options: do not edit.
`;

const BODY = `# Words of a kind that begin with $2, into COMPREPLY. Members of lists are completed one by one.
_mgpu_values() {
  local kind=$1 cur=$2 list= words word
  case $kind in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    command) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -c -f -- "$cur"); return ;;
    subcommand) words=$_mgpu_subcommands ;;
    words*) words=\${kind#words } ;;
    ask*) words=$(mgpu __complete "\${kind#ask }" 2>/dev/null | cut -f1) ;;
    *) return ;;
  esac
  case $cur in *,*) list=\${cur%,*}, cur=\${cur##*,} ;; esac
  for word in $words; do
    case $word in "$cur"*) COMPREPLY+=("$list$word") ;; esac
  done
  case "\${COMPREPLY[*]}" in *:) compopt -o nospace 2>/dev/null ;; esac
}

# The program's own completion, from its name on, which stands at $1.
_mgpu_program() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    _mgpu_values command "\${COMP_WORDS[COMP_CWORD]}"
  else
    _mgpu_values file "\${COMP_WORDS[COMP_CWORD]}"
  fi
}

_mgpu_complete() {
  local name=\${1##*/} operand= table=() row spelling argument kind help at=1 word cur prev pending=
  COMPREPLY=()
  _mgpu_table "$name"
  if [[ $name == mgpu && $COMP_CWORD -gt 1 ]]; then
    _mgpu_table "mgpu \${COMP_WORDS[1]}"
    at=2
  fi
  # Bash makes words of --option, = and value.
  local words=() index
  for ((index = at; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == = ]]; then pending=; continue; fi
    if [[ \${COMP_WORDS[index - 1]} == = && index -gt at ]]; then continue; fi
    if [[ -n $pending ]]; then pending=; continue; fi
    if [[ $word == -?* ]]; then
      for row in "\${table[@]}"; do
        IFS='|' read -r spelling argument kind help <<<"$row"
        if [[ $spelling == "$word" && $argument == r ]]; then pending=$kind; fi
      done
      continue
    fi
    # The first word of the user's own program: from there on it is the program's affair.
    if [[ $operand == command ]]; then
      _mgpu_program "$index"
      return
    fi
  done
  cur=\${COMP_WORDS[COMP_CWORD]} prev=
  if [[ $cur == = ]]; then cur= prev=\${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ $COMP_CWORD -gt 1 && \${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ -n $prev ]]; then
    for row in "\${table[@]}"; do
      IFS='|' read -r spelling argument kind help <<<"$row"
      if [[ $spelling == "$prev" ]]; then _mgpu_values "$kind" "$cur"; return; fi
    done
    return
  fi
  if [[ -n $pending ]]; then _mgpu_values "$pending" "$cur"; return; fi
  if [[ $cur != -* ]]; then
    if [[ $operand == command ]]; then _mgpu_program "$COMP_CWORD"; else _mgpu_values "$operand" "$cur"; fi
    return
  fi
  for row in "\${table[@]}"; do
    IFS='|' read -r spelling argument kind help <<<"$row"
    [[ $spelling == "$cur"* ]] || continue
    case $spelling$argument in --*[ro]) spelling+== ;; esac
    COMPREPLY+=("$spelling")
    # What is only listed, not inserted, may say what it means.
    if [[ $COMP_TYPE == 63 ]]; then COMPREPLY[-1]+="  ($help)"; fi
  done
  if ((\${#COMPREPLY[@]} == 1)); then
    COMPREPLY=("\${COMPREPLY[0]%%  (*}")
    case \${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
  fi
}`;
