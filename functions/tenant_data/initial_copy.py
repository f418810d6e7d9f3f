"""The start of a move: refuses what cannot be moved, creates the schema, copies the rows."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.going_on import GoesOn
from functions.common.refusals import OF_REPLICATION, refusals
from functions.common.replication import IDENTIFIER, CopyLostError
from functions.common.schema import definitions, difference, make, tables
from functions.common.serving import is_serving
from functions.common.tenant_session import as_tenant
from functions.tenant_data.neighbours import naming_blockers, waiting

if TYPE_CHECKING:
    from functions.tenant_data.move import Move

LOGICAL: Final = "logical"
GIB: Final = 2**30
FILLED: Final = 0.8  # of the target's storage: it grows by itself, and only once in six hours


def examine(move: "Move", source: DatabaseEndpoint, *, follows: bool = True) -> None:
    """Look, and change nothing; `source` is where the rows are to come from, and whether they follow."""
    move.tools.step("examined")
    source.grant_tenant_role()
    size = int(
        source.value(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_class c"
            " WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r'",
            schema=source.schema,
        )
    )
    wrong = list(refusals(source, but=() if follows else OF_REPLICATION))
    wrong += [
        *(_of_servers(source, move.target) if follows else ()),
        *_of_size(size, move.request.target_gib),
    ]
    if wrong:
        raise MoveError(f"tenant {move.request.tenant} cannot be moved: {'; '.join(wrong)}")
    move.report["tables"], move.report["bytes"] = len(tables(source)), size


def _of_servers(*endpoints: DatabaseEndpoint) -> Sequence[str]:
    levels = {endpoint.name: endpoint.value("SELECT current_setting('wal_level')") for endpoint in endpoints}
    deaf = [
        f"wal_level of the {name} is {level}, and rds.logical_replication asks for a reboot"
        for name, level in levels.items()
        if level != LOGICAL
    ]
    nameless = [
        f"the administrator of the {endpoint.name} may not call {IDENTIFIER}, by which slots of first copies"
        " are told apart (move with --by copy)"
        for endpoint in endpoints
        if not endpoint.value("SELECT has_function_privilege(:name, 'EXECUTE')", name=IDENTIFIER)
    ]
    return [*deaf, *nameless]


def _of_size(size: int, target_gib: int) -> Sequence[str]:
    if size <= FILLED * target_gib * GIB:
        return ()
    much = f"its {size / GIB:.1f} GiB leave too little of the {target_gib} GiB at the target"
    return (f"{much}; raise its storage",)


def replicate_whole(move: "Move") -> None:
    """The target gets all that is at the source, and what is written from now on. Raises `GoesOn` where the
    copy takes longer than this round.
    """
    move.tools.step("role")
    move.target.grant_tenant_role()
    move.tools.step("schema")
    _copy_schema(move, move.out.source)
    move.tools.step("published")
    move.out.publish()
    move.tools.step("subscribed")
    with naming_blockers(move.out):
        move.out.subscribe(move.tools.reach, copy=True)
    move.tools.step("copied")
    try:
        if not move.out.wait_copied(time.monotonic() + move.tools.patience):
            copying = _few(move.out.tables_copying)
            raise GoesOn(f"the first copy of {copying} is not over{waiting(move.out)}")
    except CopyLostError as lost:
        move.tools.step("replication taken down")
        move.out.drop()
        raise GoesOn(f"{lost}; the whole copy begins again") from lost


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} tables ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"


def _copy_schema(move: "Move", source: DatabaseEndpoint) -> None:
    target = move.target
    wanted, found = definitions(source), definitions(target)
    if found:
        if changed := difference(wanted, found):
            raise MoveError(
                f"the place at the target is not empty: {', '.join(changed)}; end it with --abort"
            )
        if move.out.subscribed is not None:
            return
        _empty(move)
    with as_tenant(target, move.tools.connect) as tenant:
        make(tenant.session, wanted)


def _empty(move: "Move") -> None:
    """Away with tables that nothing follows: they may have rows of a copy that was taken down.

    No table can be emptied alone: that would run what the tenant has hung on it, and empty what refers to it.
    """
    if is_serving(move.tools.store, move.target):
        raise MoveError(f"the {move.target.name} serves tenant {move.request.tenant}, and is not copied over")
    move.target.empty_schema()
