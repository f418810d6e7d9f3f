"""Arguments and options that commands share, with their completions, and how the stack is chosen.

A stack is given the same way everywhere: as the argument STACK if a command is about stacks, as `--stack` or
`-s` with every command, and by the variable STACK for commands about one stack.
"""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from config.wording import allowed_or_near
from tenants.files import PROJECT_FILE, project_root, stacks


def checkout() -> Path:
    """The project that the current folder is in, as pulumi finds it, else the one of this code."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was removed
        return project_root()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return project_root()


HERE: Final = checkout()


def deployable(root: Path) -> list[str]:
    """Every stack that has a file of settings, sorted; `stacks` of `tenants.files` are those with tenants."""
    return sorted(p.name.split(".")[1] for p in root.glob("Pulumi.*.yaml"))


def complete_stack(incomplete: str) -> list[str]:
    return [s for s in stacks(HERE) if s.startswith(incomplete)]


def complete_deployable(incomplete: str) -> list[str]:
    return [s for s in deployable(HERE) if s.startswith(incomplete)]


def complete_tenant(ctx: typer.Context, incomplete: str) -> list[str]:
    from cli.queries import known_ids

    return [i for i in known_ids(HERE, ctx.params.get("stack")) if i.startswith(incomplete)]


def complete_change(incomplete: str) -> list[str]:
    from cli.field_arguments import suggestions

    return suggestions(HERE, incomplete)


Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STACK]...", help="All stacks without one.", autocompletion=complete_stack),
]
MoreStacks = Annotated[
    list[str] | None,
    typer.Option("--stack", "-s", help="The same as STACK.", autocompletion=complete_stack),
]
OneStack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="The stack, where several could be meant; default: the variable STACK.",
        autocompletion=complete_deployable,
    ),
]
StackName = Annotated[
    str | None,
    typer.Argument(
        metavar="[STACK]", help="The stack; default: the variable STACK.", autocompletion=complete_deployable
    ),
]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="The same as STACK.", autocompletion=complete_deployable),
]
Tenant = Annotated[str, typer.Argument(metavar="ID", help="A tenant's id.", autocompletion=complete_tenant)]
NewTenant = Annotated[str, typer.Argument(metavar="ID", help="The id, which never changes.")]
Changes = Annotated[
    list[str],
    typer.Argument(
        metavar="FIELD=VALUE...",
        help="Such as plan=premium, contacts.email=ops@acme.example; nothing after = takes a field out.",
        autocompletion=complete_change,
    ),
]
Locked = Annotated[
    bool | None, typer.Option("--locked/--no-locked", help="Ledgers must be complete. Default: if CI is set.")
]
Root = Annotated[Path, typer.Option("--root", help="The project's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]


def require_known_stacks(names: list[str] | None, root: Path) -> tuple[str, ...]:
    """The stacks that were named, or all that have tenants; a wrong name is wrong usage."""
    known = stacks(root)
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(
                f"stack {name} has no registry in tenants/; {allowed_or_near(name, known)}"
            )
    return tuple(dict.fromkeys(names)) if names else known


def named_stacks(names: list[str] | None, more: list[str] | None, root: Path) -> tuple[str, ...]:
    """The stacks that were named in either way, or all that have tenants."""
    return require_known_stacks([*(names or ()), *(more or ())], root)


def stack_from_environment() -> str | None:
    """The stack that the variable STACK names."""
    return os.environ.get("STACK") or None


def require_settings(name: str) -> str:
    """The name, if the project has settings for such a stack or for none at all; else wrong usage.

    A name may be qualified, as in `organization/project/dev`.
    """
    known, stack = deployable(HERE), name.rpartition("/")[2]
    if known and stack not in known:
        raise typer.BadParameter(f"there is no Pulumi.{stack}.yaml; {allowed_or_near(stack, known)}")
    return name


def named_stack(argument: str | None, option: str | None) -> str | None:
    """The one stack that was named as an argument, by `--stack`, or by the variable STACK."""
    if argument and option and argument != option:
        raise typer.BadParameter(f"{argument} and {option} are two stacks; name one")
    name = argument or option or stack_from_environment()
    return require_settings(name) if name else None


def require_stack(argument: str | None, option: str | None) -> str:
    """As `named_stack`, where no stack may be guessed."""
    name = named_stack(argument, option)
    if name is None:
        known = ", ".join(deployable(HERE)) or "there is none yet"
        raise typer.BadParameter(f"say which stack, as STACK or with --stack: {known}")
    return name


def single_stack(name: str | None, root: Path) -> str:
    """The stack that was named, by the variable STACK if not else, or the only one."""
    name, known = name or stack_from_environment(), stacks(root)
    if name is None and len(known) != 1:
        raise typer.BadParameter(f"say which with --stack: {', '.join(known) or 'there is no registry yet'}")
    return require_known_stacks([name] if name else None, root)[0]


def stack_with_tenant(root: Path, id_: str, stack: str | None) -> str:
    """The stack that was named, or the one that has the tenant; STACK settles it where several have."""
    from cli.queries import stack_of

    require_known_stacks([stack] if stack else None, root)
    return stack_of(root, id_, stack, stack_from_environment())
