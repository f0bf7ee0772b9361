export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * Each script asks `ebb __complete WORDS…` for the candidates of the last word, one a line as `candidate<TAB>what it is`,
 * so that flags and names are never out of date. Where there is none, the shell offers files.
 */
export const completionScripts: Record<Shell, string> = {
  bash: `# bash completion for ebb: source <(ebb completion bash)
_ebb() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local -a candidates=()
  local line
  while IFS= read -r line; do
    candidates+=("\${line%%$'\\t'*}")
  done < <(ebb __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=($(compgen -W "\${candidates[*]}" -- "$current"))
}
complete -o bashdefault -o default -F _ebb ebb
`,
  zsh: `#compdef ebb
# zsh completion for ebb: ebb completion zsh > "\${fpath[1]}/_ebb"
_ebb() {
  local -a candidates
  local line
  for line in "\${(@f)$(ebb __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n "$line" ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then
    _describe ebb candidates
  else
    _files
  fi
}
if [[ "$funcstack[1]" == "_ebb" ]]; then _ebb "$@"; else compdef _ebb ebb; fi
`,
  fish: `# fish completion for ebb: ebb completion fish > ~/.config/fish/completions/ebb.fish
function __ebb_complete
  set -l words (commandline -opc) (commandline -ct)
  ebb __complete $words[2..-1] 2>/dev/null
end
complete -c ebb -a '(__ebb_complete)'
`,
};
