"""Shell scripts that define the command `tenantry`, with completion."""

import shlex
import sys
from pathlib import Path
from typing import Final

from cli.running import COMPLETION

_BASH = """\
tenantry() {{ {launcher} "$@"; }}
_tenantry_completion() {{
  local IFS=$'\\n'
  COMPREPLY=( $(COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD {variable}=complete_bash {launcher}) )
}}
complete -o default -F _tenantry_completion tenantry
"""
_ZSH = """\
tenantry() {{ {launcher} "$@" }}
_tenantry_completion() {{
  eval "$(_TYPER_COMPLETE_ARGS="${{words[1,$CURRENT]}}" {variable}=complete_zsh {launcher})"
}}
compdef _tenantry_completion tenantry
"""
_FISH = """\
function tenantry; {launcher} $argv; end
function _tenantry_completion
  set -lx {variable} complete_fish
  set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
  set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
  {launcher}
end
complete --command tenantry --no-files --arguments "(_tenantry_completion get-args)" \\
  --condition "_tenantry_completion is-args"
"""
_SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """What the shell evaluates: a function that calls this environment's `tenantry`, and its completion."""
    launcher = Path(sys.executable).with_name("tenantry")
    return _SCRIPTS[shell].format(launcher=shlex.quote(str(launcher)), variable=COMPLETION)
