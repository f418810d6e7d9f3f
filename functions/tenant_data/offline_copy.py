"""The stages of a move by offline copy: rows are copied while the tenant cannot write.

For what logical replication cannot carry: tables without a primary key, or a source that does not offer it.
The tenant cannot write for as long as the copy takes, so the budget of the cutover limits the size that can
be moved so. Nothing is replicated afterwards: a rollback gives up what was written since.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

from pg8000.native import identifier

from functions.common.catalog import Section
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.dump import one_moment
from functions.common.fingerprint import differences, fingerprint_of
from functions.common.schema import Table, definitions, make, set_sequences, tables
from functions.common.tenant_session import as_tenant, both_as_tenant
from functions.tenant_data import restore
from functions.tenant_data.cutover import Clock
from functions.tenant_data.initial_copy import examine
from functions.tenant_data.request import MoveStage

if TYPE_CHECKING:
    from functions.tenant_data.move import Move

IN_MEMORY: Final = 1 << 22  # bytes of a table's rows; more go through a file


def prepare(move: "Move") -> None:
    restore.require(move, move.origin)
    examine(move, move.origin, follows=False)


def rehearse(move: "Move") -> None:
    """Make the schema at the target and take it away again, while nobody waits for it."""
    prepare(move)
    move.tools.step("role")
    move.target.grant_tenant_role()
    move.tools.step("schema rehearsed")
    _clear(move)
    with as_tenant(move.target, move.tools.connect) as tenant:
        make(tenant.session, definitions(move.origin), keep=False)
    move.notes.append("nothing follows: rows are copied at the cutover, while the tenant cannot write")


def cutover(move: "Move") -> None:
    restore.switch(move, move.origin, move.target, lambda: None, lambda clock: _copy(move, clock))


def rollback(move: "Move") -> None:
    """As it was when it was left: nothing is compared, for nothing has followed."""
    restore.switch(move, move.target, move.origin, lambda: None)


def _copy(move: "Move", clock: Clock) -> None:
    """All of it, compared; an earlier run may have left half of it."""
    old, new = move.origin, move.target
    move.tools.step("target empty")
    _clear(move)
    found = definitions(old)
    with both_as_tenant(old, new, move.tools.connect) as (source, copy):
        with one_moment(source):
            move.tools.step("tables made")
            make(copy.session, [d for d in found if d.section < Section.INDEXES])
            for table in tables(old):
                move.tools.step(f"rows of {table.name}")
                _limit(clock, source, copy)
                _rows(source, copy, table)
            move.tools.step("the rest made")
            _limit(clock, source, copy)
            make(copy.session, [d for d in found if d.section >= Section.INDEXES])
        set_sequences(source, new)
        move.tools.step("rows equal")
        clock.late()
        held = fingerprint_of(source)
        clock.late()
        if wrong := differences(held, fingerprint_of(copy)):
            raise MoveError(f"the copy is not the same in {', '.join(wrong)}")
    move.report["rows"] = sum(held.rows.values())


def _limit(clock: Clock, *endpoints: DatabaseEndpoint) -> None:
    """A statement that would outlast the budget is ended, and with it the cutover."""
    clock.late()
    left = max(1, int((clock.budget - (clock.seconds or 0)) * 1000))
    for endpoint in endpoints:
        endpoint.run(f"SET statement_timeout = {left}")


def _rows(old: DatabaseEndpoint, copy: DatabaseEndpoint, table: Table) -> None:
    if not table.columns:
        return
    what = f"{old.named(table.name)} ({', '.join(identifier(c) for c in table.columns)})"
    chosen = ", ".join(identifier(c) for c in table.columns)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        source = f"COPY (SELECT {chosen} FROM ONLY {old.named(table.name)}) TO STDOUT"  # noqa: S608 - quoted
        old.session.run(source, stream=file)
        file.seek(0)
        copy.session.run(f"COPY {what} FROM STDIN", stream=_blocks(file))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(1 << 16):
        yield block


def _clear(move: "Move") -> None:
    restore.require(move, move.origin)
    move.target.empty_schema()


STAGES: Final[Mapping[MoveStage, Callable[["Move"], Any]]] = {
    MoveStage.PREPARE: prepare,
    MoveStage.REPLICATE: rehearse,
    MoveStage.CUTOVER: cutover,
    MoveStage.SOAK: restore.soak,
    MoveStage.ROLLBACK: rollback,
}
