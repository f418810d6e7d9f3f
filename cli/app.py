"""The command `tenantry`: its groups, and shell completion for all of them."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from enum import StrEnum
from typing import Final

from cli import policy, recover, stack, tenants
from cli.running import EXIT_STATUSES, group, run
from cli.sandbox import app as sandbox

STATUSES: Final = "; ".join(f"{status} {meaning.split(':')[0]}" for status, meaning in EXIT_STATUSES.items())

app: Final = group(
    "Operate the multi-tenant platform: tenants, guardrails, recovery, and the local sandbox.",
    epilog=f"Exit status: {STATUSES}.",
)
GROUPS: Final = {
    "tenants": tenants.app,
    "policy": policy.app,
    "recover": recover.app,
    "sandbox": sandbox.app,
    "stack": stack.app,
}
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(shell: Shell) -> None:
    """Print a script for a shell to evaluate: the command `tenantry`, with completion."""
    from cli.completion import script

    print(script(shell), end="")


def main() -> None:
    run(app, "tenantry")
