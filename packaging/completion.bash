# Completion for segedge: the words are what --help lists, so they are always true.
_segedge() {
  local cur=${COMP_WORDS[COMP_CWORD]} words=() w
  for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do [[ $w == -* ]] || words+=("$w"); done
  local help
  help=$(segedge "${words[@]}" --help 2>/dev/null) || return 0
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '--(\[no-\])?[a-z][a-z0-9-]*' <<<"$help" | sed 's/\[no-\]//' | sort -u)" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(sed -nE '/^Commands:/,/^Run/s/^  ([a-z][a-z ]*[a-z])( .*)?$/\1/p' <<<"$help" | awk -v n="${#words[@]}" '{print $(n+1)}')" -- "$cur")
    [[ ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _segedge segedge
