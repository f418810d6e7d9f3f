"""Scripts that give a shell the command `tenants`, with completion of stacks, ids, fields and values."""

import shlex
from pathlib import Path

_BASH = """\
tenants() {{ PYTHONPATH={root} {python} -m tenants "$@"; }}
_tenants_completion() {{
  local IFS=$'\\n'
  COMPREPLY=( $(COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD {variable}=complete_bash tenants) )
}}
complete -o default -F _tenants_completion tenants
"""
_ZSH = """\
tenants() {{ PYTHONPATH={root} {python} -m tenants "$@" }}
_tenants_completion() {{
  eval "$(_TYPER_COMPLETE_ARGS="${{words[1,$CURRENT]}}" {variable}=complete_zsh tenants)"
}}
compdef _tenants_completion tenants
"""
_FISH = """\
function tenants; PYTHONPATH={root} {python} -m tenants $argv; end
function _tenants_completion
  set -lx {variable} complete_fish
  set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
  set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
  tenants
end
complete --command tenants --no-files --arguments "(_tenants_completion get-args)" \\
  --condition "_tenants_completion is-args"
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str, python: str, root: Path, variable: str) -> str:
    """What the shell evaluates; `variable` is the one by which the program knows that it is asked."""
    return _SCRIPTS[shell].format(root=shlex.quote(str(root)), python=shlex.quote(python), variable=variable)
