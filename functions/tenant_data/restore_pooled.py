"""The stages of a restore of a pooled tenant: only its rows are copied out of the restored shard.

RDS restores a whole instance, with the rows of every tenant of the shard. Only this function can reach it:
all tenants' logins there are disabled first, and it is deleted with the move. The tenant's own schema is
copied from there into an instance of its own, under its own key, by the code of a move, and compared row by
row; then the services are switched as to any other restored instance.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pg8000.native import identifier

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.schema import set_sequences
from functions.common.serving import is_serving
from functions.common.tenant_session import both_as_tenant
from functions.tenant_data import restore
from functions.tenant_data.compare import Comparison
from functions.tenant_data.cutover import restore_login
from functions.tenant_data.initial_copy import examine, replicate_whole
from functions.tenant_data.request import MoveStage
from functions.tenant_data.stalled import naming_the_reason

if TYPE_CHECKING:
    from functions.tenant_data.move import Move


def prepare(move: "Move") -> None:
    """What was restored has the logins of then: nobody's works there from now on."""
    source = move.out.source
    restore.require(move, move.origin)
    move.tools.step("restored closed")
    _shut(source)
    if not source.has_role(move.request.role):
        raise MoveError(
            f"tenant {move.request.tenant} was not on its shard at {move.request.restored_to};"
            " end it with --abort"
        )
    move.origin.grant_tenant_role()
    examine(move, source)
    restore.require_tables(move, source)
    restore.count(move, source)


def copy(move: "Move") -> None:
    prepare(move)
    _fill(move)
    move.notes.append("nothing follows: what is written at the origin from now on is not at the target")


def cutover(move: "Move") -> None:
    """Not before the target has every row of then; after it the restored instance is not needed any more."""
    if not is_serving(move.tools.store, move.target):
        restore_login(move.origin)  # a call that was killed has left it closed, and what follows takes time
        _fill(move)
    restore.cutover(move)
    _end_copy(move)


def soak(move: "Move") -> None:
    restore.soak(move)
    _end_copy(move)


def _fill(move: "Move") -> None:
    """Copy what was not copied yet, and compare all of it; raises `GoesOn` until it is all there."""
    replicate_whole(move)
    with both_as_tenant(move.out.source, move.target, move.tools.connect) as (source, copy):
        move.tools.step("sequences")
        set_sequences(source, move.target)
        move.tools.step("rows equal")
        record = move.record("comparison-out")
        comparison = Comparison(move.out, source, copy, record, move.tools.ends)
        with naming_the_reason(move.out, source, copy):
            comparison.narrow(move.tools.patience)
        move.report["copiedRows"] = comparison.finish(lambda: None)
    move.out.stop_capture()
    record.forget()


def _end_copy(move: "Move") -> None:
    move.tools.step("replication out")
    move.out.drop()


def _shut(endpoint: DatabaseEndpoint) -> None:
    """Every tenant's login, by the names that they are given."""
    roles = endpoint.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%' AND rolcanlogin")
    for (role,) in roles:
        endpoint.run(f"ALTER ROLE {identifier(str(role))} NOLOGIN")
    for (role,) in roles:
        endpoint.end_sessions(str(role))


STAGES: Final[Mapping[MoveStage, Callable[["Move"], Any]]] = {
    MoveStage.PREPARE: prepare,
    MoveStage.REPLICATE: copy,
    MoveStage.CUTOVER: cutover,
    MoveStage.SOAK: soak,
}
