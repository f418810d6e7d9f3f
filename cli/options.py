"""What the commands share: arguments and options with their completions, and which stack is meant."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from pathlib import Path
from typing import Annotated, Final

import typer

from config.wording import allowed_or_near
from tenants.files import project_root, stacks

HERE: Final = project_root()


def complete_stack(incomplete: str) -> list[str]:
    return [s for s in stacks(HERE) if s.startswith(incomplete)]


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
OneStack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="The stack, where there are several.", autocompletion=complete_stack),
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


def chosen(names: list[str] | None, root: Path) -> tuple[str, ...]:
    """The stacks that were named, or all; a wrong name is wrong usage."""
    known = stacks(root)
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(
                f"stack {name} has no registry in tenants/; {allowed_or_near(name, known)}"
            )
    return tuple(dict.fromkeys(names)) if names else known


def one(name: str | None, root: Path) -> str:
    """The stack that was named, or the only one."""
    known = stacks(root)
    if name is None and len(known) != 1:
        raise typer.BadParameter(f"say which with --stack: {', '.join(known) or 'there is no registry yet'}")
    return chosen([name] if name else None, root)[0]


def where_is(root: Path, id_: str, stack: str | None) -> str:
    """The stack that was named, or the one that has the tenant."""
    from cli.queries import stack_of

    chosen([stack] if stack else None, root)
    return stack_of(root, id_, stack)
