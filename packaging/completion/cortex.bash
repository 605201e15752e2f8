# Completion for bash: asks the programs themselves, so it knows what they know.
# SPDX-License-Identifier: PostgreSQL

_cortex_commands() { "$1" --help 2>/dev/null | sed -nE 's/^  ([a-z][a-z-]*( [a-z][a-z-]*)?)  +.*/\1/p'; }

_cortex_options() { "$@" --help 2>/dev/null | sed -nE 's/^  (--[a-z-]+).*/\1/p'; }

_cortex() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} commands command= i
  commands=$(_cortex_commands "$program")
  # The longest command that the words before the cursor begin with.
  for ((i = 1; i <= 2 && i < COMP_CWORD; i++)); do
    command="${command:+$command }${COMP_WORDS[i]}"
    if grep -qxF -- "$command" <<<"$commands"; then break; fi
    if ((i == 2)); then command=${COMP_WORDS[1]}; fi
  done
  if [[ -n $commands && -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(sed 's/ .*//' <<<"$commands" | sort -u)" -- "$word")
  elif [[ -n $commands ]] && ! grep -qxF -- "$command" <<<"$commands"; then
    mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^$command //p" <<<"$commands")" -- "$word")
  elif [[ $word == -* ]]; then
    # shellcheck disable=SC2086
    mapfile -t COMPREPLY < <(compgen -W "$(_cortex_options "$program" $command)" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -F _cortex cortexctl cortex-login cortex-sync
