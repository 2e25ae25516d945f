/** What the completion script for bash does with its tables. */

export const BASH_BODY =
  String.raw`# The names of the cluster, into lines. They are kept in a file for a minute; after some seconds a new one is fetched meanwhile.
_mgpu_names() {
  local file=$\{MGPU_CONTROLLER:-$\{MGPU_HOME:-default}} now
  file=$\{XDG_CACHE_HOME:-$HOME/.cache}/mgpu/completion/$\{file//\//%}
  lines=()
  [[ -r $file ]] && mapfile -t lines <"$file"
  printf -v now '%(%s)T' -1
  if ((now - $\{lines[0]:-0} > 60)); then
    "$_mgpu_program" __complete >/dev/null 2>&1 </dev/null
    lines=()
    [[ -r $file ]] && mapfile -t lines <"$file"
  elif ((now - lines[0] > 5)); then
    ("$_mgpu_program" __complete >/dev/null 2>&1 </dev/null &)
  fi
}

# Keeps a value that goes on from "$member".
_mgpu_offer() {
  case $1 in "$member"*) values+=("$1") abouts+=("$2") ;; esac
}

# Names of a kind; $2 is put before each.
_mgpu_ask() {
  local lines line
  _mgpu_names
  local kind=$1$'\t' prefix=$2 wanted
  case $prefix in
    '') wanted=$kind$member ;;
    "$member"*) wanted=$kind ;;
    *)
      [[ $member == "$prefix"* ]] || return
      wanted=$kind$\{member#"$prefix"}
      ;;
  esac
  # Hundreds of lines: no function is called for each.
  for line in "$\{lines[@]}"; do
    [[ $line == "$wanted"* ]] || continue
    line=$\{line#*$'\t'}
    values+=("$prefix$\{line%%$'\t'*}") abouts+=("$\{line#*$'\t'}")
  done
}

# The number of a node within brackets: n[1-4,7
_mgpu_number() {
  local inner=$\{cur##*\[} base=$\{cur%\[*} lines line digits
  base=$\{base##*,}
  member=$\{inner##*[,-]}
  before+=$\{cur%"$member"}
  _mgpu_names
  for line in "$\{lines[@]:1}"; do
    case $line in
      nodes$'\t'"$base"[0-9]*)
        line=$\{line#*$'\t'}
        digits=$\{line%%$'\t'*}
        digits=$\{digits#"$base"}
        case $digits in *[!0-9]*) continue ;; esac
        _mgpu_offer "$digits" "$\{line#*$'\t'}"
        if [[ $digits == "$member" ]]; then values+=("$digits]") abouts+=('the end of the list'); fi
        ;;
    esac
  done
}

# What fits "$cur" of a kind. Members of lists are completed one by one.
_mgpu_values() {
  local kind=$1 member=$cur word rule rules
  case $kind in
    file | folder) mode=$kind; return ;;
    command) mode=command offset=$\{#words[@]}; return ;;
    grammar*)
      _mgpu_grammar "$\{kind#grammar }"
      for rule in "$\{rules[@]}"; do
        # The pattern is one: not quoted.
        if [[ $operands == $\{rule%%|*} ]]; then _mgpu_values "$\{rule#*|}"; return; fi
      done
      return
      ;;
  esac
  if [[ $kind == 'ask nodes' && $cur == *\[* && $\{cur##*\[} != *\]* ]]; then _mgpu_number; return; fi
  case $cur in *,*) member=$\{cur##*,} before+=$\{cur%,*}, ;; esac
  case $kind in
    'words @subcommands')
      for word in "$\{_mgpu_subcommands[@]}"; do _mgpu_offer "$\{word%%|*}" "$\{word#*|}"; done
      ;;
    words*) for word in $\{kind#words }; do _mgpu_offer "$word" ''; done ;;
    ask*) _mgpu_ask "$\{kind#ask }" '' ;;
    gres)
      _mgpu_offer gpu: 'GPUs of any type'
      _mgpu_ask gpus gpu:
      ;;
    dependency)
      if [[ $member == *:* ]]; then
        before+=$\{member%:*}: member=$\{member##*:}
        _mgpu_ask jobs ''
        return
      fi
      _mgpu_offer afterok: 'after jobs that end well'
      _mgpu_offer afterany: 'after jobs that end'
      _mgpu_offer afternotok: 'after jobs that fail'
      _mgpu_offer after: 'after jobs have begun'
      _mgpu_offer aftercorr: 'each task after its like'
      _mgpu_offer singleton 'one job of this name at a time'
      ;;
  esac
}

# The kind of the next operand is that of a program of the user's own.
_mgpu_is_command() {
  local rules rule
  if [[ $operand == command ]]; then return 0; fi
  [[ $operand == grammar* ]] || return 1
  _mgpu_grammar "$\{operand#grammar }"
  for rule in "$\{rules[@]}"; do
    if [[ $operands == $\{rule%%|*} ]]; then [[ $\{rule#*|} == command ]]; return; fi
  done
  return 1
}

# What fits "$cur" behind "$\{words[@]}": values with what they are in abouts, each going on from "$before", which is part
# of the word. Another mode than words: file, folder, or command with the offset of the user's program.
_mgpu_find() {
  local name=$\{words[0]##*/} at=1 operands= pending= ended= operand table index word row rest kind
  values=() abouts=() mode=words offset=0 before=
  case $name in mgpu*) ;; *) name=mgpu-$name ;; esac
  _mgpu_table "$name"
  if [[ $name == mgpu && $\{#words[@]} -gt 1 ]]; then
    _mgpu_table "mgpu $\{words[1]}"
    if [[ -n $operand ]]; then at=2; else _mgpu_table mgpu; fi
  fi
  for ((index = at; index < $\{#words[@]}; index++)); do
    word=$\{words[index]}
    if [[ -n $pending ]]; then pending=; continue; fi
    if [[ -z $ended && $word == -- ]]; then ended=1; continue; fi
    if [[ -z $ended && $word == -?* ]]; then
      for row in "$\{table[@]}"; do
        case $row in "$word|r|"*) rest=$\{row#*|r|} pending=$\{rest%%|*} ;; esac
      done
      continue
    fi
    # From there on it is the program's affair.
    if _mgpu_is_command; then mode=command offset=$index; return; fi
    operands+="$\{word,,} "
  done
  if [[ -n $pending ]]; then _mgpu_values "$pending"; return; fi
  if [[ -z $ended && $cur == --*=* ]]; then
    for row in "$\{table[@]}"; do
      case $row in
        "$\{cur%%=*}|"[ro]'|'*)
          rest=$\{row#*|?|} before=$\{cur%%=*}= cur=$\{cur#*=}
          _mgpu_values "$\{rest%%|*}"
          return
          ;;
      esac
    done
    return
  fi
  if [[ -z $ended && $cur == -* ]]; then
    for row in "$\{table[@]}"; do
      case $row in "$cur"*)
        word=$\{row%%|*} rest=$\{row#*|}
        case $word$\{rest%%|*} in --*[ro]) [[ $\{rest%%|*} == n ]] || word+== ;; esac
        values+=("$word") abouts+=("$\{row##*|}")
        ;;
      esac
    done
    return
  fi
  if [[ $operand == grammar* && $cur == *=* ]]; then
    word=$\{cur%%=*} before=$\{cur%%=*}= cur=$\{cur#*=}
    word=$\{word%[+-]}
    _mgpu_key "$\{word,,}"
    _mgpu_values "$kind"
    return
  fi
  _mgpu_values "$operand"
}

_mgpu_complete() {
  local values abouts mode offset before words=() cur rest=$\{COMP_LINE:0:COMP_POINT} starts=() index word whole
  COMPREPLY=()
  # Bash parts words at = and : as well. What follows without a blank is one word.
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=$\{rest#"$\{rest%%[![:blank:]]*}"}
    if [[ $word != "$rest" || index -eq 0 ]]; then words+=('') starts+=("$index"); fi
    rest=$word
    if ((index == COMP_CWORD)); then word=$rest; else word=$\{COMP_WORDS[index]}; fi
    words[-1]+=$word
    rest=$\{rest#"$word"}
  done
  cur=$\{words[-1]}
  whole=$cur
  unset 'words[-1]'
  _mgpu_program=mgpu
  # The mgpu that lies beside what is typed: under Slurm's names, or by a path.
  case $\{words[0]} in */mgpu*) _mgpu_program=$\{words[0]%/*}/mgpu ;; esac
  _mgpu_find
  case $mode in
    file | folder)
      compopt -o filenames 2>/dev/null
      rest=-f
      [[ $mode == folder ]] && rest=-d
      mapfile -t values < <(compgen "$rest" -- "$cur")
      ;;
    command)
      if ((offset < $\{#words[@]})) && declare -F _command_offset >/dev/null; then
        _command_offset "$\{starts[offset]}"
        return
      fi
      compopt -o filenames 2>/dev/null
      if ((offset < $\{#words[@]})); then mapfile -t values < <(compgen -f -- "$cur")
      else mapfile -t values < <(compgen -c -f -- "$cur"); fi
      ;;
  esac
  # Bash replaces what follows the last of its own borders only.
  rest=
  for ((index = $\{#whole} - 1; index >= 0; index--)); do
    word=$\{whole:index:1}
    if [[ ($word == = || $word == :) && $COMP_WORDBREAKS == *"$word"* ]]; then rest=$\{whole:0:index+1}; break; fi
  done
  if [[ $COMP_TYPE != 63 && -z $before$rest ]]; then COMPREPLY=("$\{values[@]}") values=(); fi
  for index in "$\{!values[@]}"; do
    word=$before$\{values[index]}
    word=$\{word#"$rest"}
    # What is only listed, not inserted, may say what it means.
    if [[ $COMP_TYPE == 63 && $\{#values[@]} -gt 1 && -n $\{abouts[index]-} ]]; then word+="  ($\{abouts[index]})"; fi
    COMPREPLY+=("$word")
  done
  case "$\{COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac
}

# Slurm's names are completed where they lead to mgpu: beside a real Slurm, its own completion stays.
_mgpu_slurm_names() {
  local name
  for name; do
    hash "$name" "mgpu-$name" 2>/dev/null || continue
    if [[ $\{BASH_CMDS[$name]} -ef $\{BASH_CMDS[mgpu-$name]} ]]; then complete -F _mgpu_complete "$name"; fi
  done
}

if [[ $\{1-} == --candidates && $0 == */mgpu.bash ]]; then
  # MODE TAB OFFSET TAB BEFORE, then VALUE TAB ABOUT.
  words=("$\{@:2:$#-2}") cur=$\{!#} _mgpu_program=$\{0%/completions/mgpu.bash}/bin/mgpu
  _mgpu_find
  printf '%s\t%s\t%s\n' "$mode" "$offset" "$before"
  for index in "$\{!values[@]}"; do printf '%s\t%s\n' "$\{values[index]}" "$\{abouts[index]}"; done
else`.replaceAll("$\\{", "${");
