"""Commands of the tenant lifecycle: move, restore, suspend, offboard, rotate-key. Code loads on demand."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from typing import Annotated, Final

import typer

from cli.options import HERE, DryRun, Json, OneStack, Root, Tenant, complete_tenant, stack_with_tenant
from tenants.phases import MoveMethod
from tenants.states import PlacementKind

_app: Final = typer.Typer()

To = Annotated[PlacementKind | None, typer.Option("--to", help="Where the tenant's data is to be.")]
How = Annotated[
    MoveMethod | None,
    typer.Option("--by", help="following: logical replication. copy: an offline copy at the cutover."),
]
Abort = Annotated[bool, typer.Option("--abort", help="Abort the move, before the cutover.")]
Rollback = Annotated[bool, typer.Option("--rollback", help="Go back to the old database, after the cutover.")]
Status = Annotated[bool, typer.Option("--status", help="Only show how far the move has come.")]
SoakDays = Annotated[
    int | None, typer.Option("--soak-days", min=0, max=90, help="Days for which a rollback stays possible.")
]
ReadOnlySeconds = Annotated[
    int | None,
    typer.Option("--read-only-seconds", min=1, max=600, help="Most seconds without writes at the cutover."),
]
Ids = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Tenants' ids.", autocompletion=complete_tenant)
]
RetainUntil = Annotated[
    str | None, typer.Option("--retain-until", help="Last day on which the data must be kept: 2033-12-31.")
]
KeyDays = Annotated[
    int | None, typer.Option("--key-days", min=7, max=30, help="Days until the key is deleted.")
]
Cancel = Annotated[bool, typer.Option("--cancel", help="Cancel the deletion of the key.")]
Many = Annotated[bool, typer.Option("--many", help="Allow several tenants at once.")]


@_app.command()
def move(
    id_: Tenant,
    to: To = None,
    by: How = None,
    abort: Abort = False,
    rollback: Rollback = False,
    status: Status = False,
    soak_days: SoakDays = None,
    read_only_seconds: ReadOnlySeconds = None,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Move a tenant's database: begin with --to, then repeat for each stage, with a run in between."""
    from cli.lifecycle_commands import move_tenant, show_status
    from tenants.lifecycle.registry_changes import TransitionOptions

    where = stack_with_tenant(root, id_, stack)
    if status:
        raise typer.Exit(show_status(root, where, id_, as_json=json))
    if abort and rollback:
        raise typer.BadParameter("--abort is before the cutover, --rollback after it; take one")
    event = "abort" if abort else "rollback" if rollback else ""
    options = TransitionOptions(to=to, by=by, soak_days=soak_days, read_only_seconds=read_only_seconds)
    raise typer.Exit(move_tenant(root, where, id_, event, options, dry_run=dry_run, as_json=json))


@_app.command()
def restore(
    id_: Tenant,
    at: Annotated[str, typer.Option("--at", help="Moment in UTC: 2026-11-27T10:00:00Z.")],
    soak_days: SoakDays = None,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Restore a tenant to a point in time: begin, then `move ID` for each stage, with a run in between."""
    from cli.lifecycle_commands import moment, restore_tenant
    from tenants.lifecycle.registry_changes import TransitionOptions

    options = TransitionOptions(at=moment("--at", at), soak_days=soak_days)
    where = stack_with_tenant(root, id_, stack)
    raise typer.Exit(restore_tenant(root, where, id_, options, dry_run=dry_run, as_json=json))


@_app.command()
def suspend(
    id_: Tenant, stack: OneStack = None, dry_run: DryRun = False, json: Json = False, root: Root = HERE
) -> None:
    """Refuse a tenant's requests and logins; all its data stays."""
    _take_transition(id_, stack, root, "suspend", dry_run=dry_run, as_json=json)


@_app.command()
def resume(
    id_: Tenant, stack: OneStack = None, dry_run: DryRun = False, json: Json = False, root: Root = HERE
) -> None:
    """Serve a suspended tenant again; from a later stage of offboarding, go back to suspended."""
    _take_transition(id_, stack, root, "resume", dry_run=dry_run, as_json=json)


def _take_transition(
    id_: str, stack: str | None, root: Root, event: str, *, dry_run: bool, as_json: bool
) -> None:
    from cli.edits import take_transition
    from tenants.lifecycle.registry_changes import TransitionOptions

    where = stack_with_tenant(root, id_, stack)
    raise typer.Exit(
        take_transition(root, where, [id_], event, TransitionOptions(), dry_run=dry_run, as_json=as_json)
    )


@_app.command()
def offboard(
    ids: Ids,
    retain_until: RetainUntil = None,
    key_days: KeyDays = None,
    cancel: Cancel = False,
    many: Many = False,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Offboard a tenant, one stage at a time: suspended, exported, retained, closing, erasing, erased."""
    from cli.lifecycle_commands import day, offboard_tenants
    from tenants.lifecycle.registry_changes import TransitionOptions

    if len(ids) > 1 and not many:
        raise typer.BadParameter(f"{len(ids)} tenants would leave at once; add --many if that is meant")
    where = {stack_with_tenant(root, id_, stack) for id_ in ids}
    if len(where) > 1:
        raise typer.BadParameter(f"these tenants are in several stacks: {', '.join(sorted(where))}")
    options = TransitionOptions(retain_until=day("--retain-until", retain_until), key_days=key_days)
    raise typer.Exit(
        offboard_tenants(root, where.pop(), ids, options, cancel=cancel, dry_run=dry_run, as_json=json)
    )


@_app.command("rotate-key")
def rotate_key(
    id_: Tenant,
    status: Annotated[
        bool, typer.Option("--status", help="Only show what stays under earlier keys, and what to do.")
    ] = False,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Give a tenant a new KMS key after a compromise; the next run re-encrypts what can be re-encrypted."""
    from cli.lifecycle_commands import rotate_key, show_keys

    where = stack_with_tenant(root, id_, stack)
    if status:
        raise typer.Exit(show_keys(root, where, id_, as_json=json))
    raise typer.Exit(rotate_key(root, where, id_, dry_run=dry_run, as_json=json))


commands: Final = _app.registered_commands
