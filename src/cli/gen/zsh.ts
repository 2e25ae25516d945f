/** The completion script for zsh: shows what the script for bash finds. */

import type { Entry } from "./catalogue.ts";
import { slurmNames } from "./slurm-names.ts";

/** All of the script. */
export function zshScript(entries: readonly Entry[]): string {
  const programs = entries.map(({ typed }) => typed).filter((typed) => !typed.includes(" "));
  const names = slurmNames(programs);
  return `#compdef ${[...programs, ...names].join(" ")}
# Completion of mgpu's commands for zsh. Made by "npm run generate" from the declarations of the options: do not edit.
# What fits is found by the script for bash, which lies beside mgpu's programs.

_mgpu() {
  local program=\${words[1]}
  [[ $program == */* ]] || program=\${commands[$program]}
  # Links lead to bin/ of the package.
  local script=\${program:A:h:h}/completions/mgpu.bash
  # A real Slurm's program of that name, for instance.
  if [[ ! -r $script ]]; then _default; return; fi
  local -a found pairs open
  local line value about mode offset before
  found=("\${(@f)$(bash $script --candidates "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  IFS=$'\\t' read -r mode offset before <<<"\${found[1]//$'\\t\\t'/$'\\t0\\t'}"
  before=\${found[1]#*$'\\t'*$'\\t'}
  # Goes on within the word.
  local typed=\${(q)before}
  [[ $PREFIX == $before* ]] && typed=$before
  IPREFIX+=$typed
  PREFIX=\${PREFIX#$typed}
  case $mode in
    file) _files; return ;;
    folder) _files -/; return ;;
    command)
      if (( offset < CURRENT - 1 )); then
        shift $offset words
        (( CURRENT -= offset ))
        _normal
      else
        _command_names -e
        _files
      fi
      return
      ;;
  esac
  for line in "\${(@)found[2,-1]}"; do
    value=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    value=\${value//:/\\\\:}
    case $value in
      *[=:]) open+=("$value:$about") ;;
      *) pairs+=("$value:$about") ;;
    esac
  done
  local status_=1
  (( $#pairs )) && _describe -V values pairs && status_=0
  (( $#open )) && _describe -V words open -S '' && status_=0
  return status_
}

# Sourced by eval, there is nothing to complete yet.
if [[ \${funcstack[1]} == _mgpu ]]; then _mgpu "$@"; else compdef _mgpu ${[...programs, ...names].join(" ")}; fi
`;
}
