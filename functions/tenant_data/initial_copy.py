"""The start of a move: refuses what cannot be moved, creates the schema, copies the rows."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from functions.common.catalog import Section
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.going_on import GoesOn
from functions.common.protected_columns import unprotected
from functions.common.refusals import OF_REPLICATION, refusals
from functions.common.replication import CopyLostError
from functions.common.schema import definitions, difference, make, tables
from functions.common.serving import is_serving
from functions.common.tenant_session import as_tenant, both_as_tenant
from functions.tenant_data.expected_time import of_following, too_large, too_long_offline
from functions.tenant_data.neighbours import naming_blockers, waiting
from functions.tenant_data.rehearsal import rehearse
from functions.tenant_data.stalled import reason
from functions.tenant_data.target_checks import of_extensions, of_locks, of_servers, of_size, size_of

if TYPE_CHECKING:
    from functions.tenant_data.move import Move

# What is made after the rows, by whether they follow: foreign keys and triggers are not for who replicates; a
# copy has everything from indexes on made over its rows.
SECTION_OF_ROWS: Final = {True: Section.FOREIGN, False: Section.INDEXES}


def examine(move: "Move", source: DatabaseEndpoint, *, follows: bool = True) -> None:
    """Look, rehearse, and change nothing; `source` is where the rows are to come from, and whether they
    follow.
    """
    move.tools.step("examined")
    source.grant_tenant_role()
    size = size_of(source)
    wrong = list(refusals(source, but=() if follows else OF_REPLICATION))
    missing, other_extensions = of_extensions(source, move.target)
    wrong += [
        *(of_servers(source, move.target) if follows else ()),
        *of_size(size, move.target, move.request.target_gib),
        *_of_time(move, size, follows=follows),
        *of_locks(source, move.target),
        *missing,
        *_of_protected(move, source),
    ]
    # What is known to be wrong would fail in the rehearsal too, in other words.
    wrong = wrong or rehearse(move, source, SECTION_OF_ROWS[follows])
    if wrong:
        raise MoveError(f"tenant {move.request.tenant} cannot be moved: {'; '.join(wrong)}")
    move.notes.extend(other_extensions)
    if follows:
        move.notes.append(of_following(size))
    move.report["tables"], move.report["bytes"] = len(tables(source)), size


def _of_time(move: "Move", size: int, *, follows: bool) -> Sequence[str]:
    if not follows:
        return too_long_offline(size, move.request.budget)
    return () if move.restored else too_large(size)  # rows of a backup are wanted, however many they are


def _of_protected(move: "Move", source: DatabaseEndpoint) -> Sequence[str]:
    if not move.request.protected.columns:
        return ()
    with as_tenant(source, move.tools.connect) as session:
        return unprotected(session, move.request.protected)


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
        if not move.out.wait_copied(time.monotonic() + move.tools.patience, lambda: _explain(move)):
            copying = _few(move.out.tables_copying)
            raise GoesOn(f"the first copy of {copying} is not over{waiting(move.out)}")
    except CopyLostError as lost:
        move.tools.step("replication taken down")
        move.out.drop()
        raise GoesOn(f"{lost}; the whole copy begins again") from lost


def _explain(move: "Move") -> None:
    """Raise `MoveError` where the copy fails for a reason that does not pass."""
    link = move.out
    with both_as_tenant(link.source, link.follower, move.tools.connect) as ends:
        why = reason(link, *ends)
    if why:
        raise MoveError(f"{why}; put that right, and run again, or end the move with --abort")


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
