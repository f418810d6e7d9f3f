"""The stages of a move by replication. Each may be repeated, however the run before ended."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.replication import BehindError, Replication, drop_replication_role
from functions.common.serving import is_serving
from functions.common.tenant_session import both_as_tenant, drop_session_role, several_as_tenant
from functions.tenant_data.compare import Comparison
from functions.tenant_data.cutover import Clock, Switch, enable_login, restore_login
from functions.tenant_data.initial_copy import examine, replicate_whole
from functions.tenant_data.last_dump import AT_ONCE, LastDump
from functions.tenant_data.move import Move
from functions.tenant_data.neighbours import naming_blockers
from functions.tenant_data.request import MoveStage
from functions.tenant_data.stalled import explained

CATCH_UP: Final = 60.0  # seconds for a follower to have what was written until now


def prepare(move: Move) -> None:
    """Look, and change nothing."""
    examine(move, move.origin)


def replicate(move: Move) -> None:
    """The schema first, then its rows, then whatever changes. Over when the first copy is."""
    prepare(move)
    replicate_whole(move)
    move.notes.append("until the move is over, tables must not be changed; rows may")


def cutover(move: Move) -> None:
    _run(move, _switch(move, move.out, move.back))


def soak(move: Move) -> None:
    """The target serves, and the origin loses nothing of it."""
    _require(move, move.target, "cutover")
    _switch(move, move.out, move.back).finish()
    move.tools.step("way back")
    _follow(move, move.back)
    _healthy(move, move.back)


def rollback(move: Move) -> None:
    """The origin serves again, with all that was written at the target."""
    _run(move, _switch(move, move.back, None))


def abort(move: Move) -> None:
    """As if there had been no move; what was copied goes."""
    _require(move, move.origin, "rollback")
    move.tools.step("origin open")
    restore_login(move.origin)
    _take_down(move, gone=move.target)


def done(move: Move) -> None:
    """The origin is kept as a dump under the tenant's key, and goes."""
    _require(move, move.target, "cutover")
    if move.origin.has_role(move.request.role):
        move.tools.step("target open")
        enable_login(move.target, move.tools.store)
        record = move.record("dump")
        if move.back.subscribed is not None and record.load() is None:
            move.tools.step("level")
            clock = Clock(move.request.budget)
            clock.start()
            move.back.wait_caught_up(clock.late)
            move.back.pause()  # what is dumped in several calls is all of one moment
        move.tools.step("dump")
        move.origin.grant_tenant_role()
        with several_as_tenant(move.origin, move.tools.connect, AT_ONCE) as sessions:
            dump = LastDump(move.origin, move.tools.objects, record, move.tools.ends)
            move.report["dump"] = dump.write(sessions)
    _take_down(move, gone=move.origin)


def _take_down(move: Move, gone: DatabaseEndpoint) -> None:
    """Replication first, or what is dropped in one database would be dropped in the other."""
    for link in (move.out, move.back):
        move.tools.step(f"replication {link.direction}")
        link.drop()
        move.record(f"comparison-{link.direction}").forget()
    for endpoint in move.endpoints:
        move.tools.step(f"role of the move at the {endpoint.name}")
        drop_replication_role(endpoint)
        drop_session_role(endpoint)
    move.tools.step(f"place at the {gone.name}")
    gone.drop_tenant()
    for endpoint in move.endpoints:
        endpoint.revoke_tenant_role()


def _follow(move: Move, link: Replication) -> None:
    """From now on; the subscriber has all rows that there are."""
    link.source.grant_tenant_role()
    link.follower.grant_tenant_role()
    link.publish()
    with naming_blockers(link):
        link.subscribe(move.tools.reach, copy=False)


def _healthy(move: Move, link: Replication) -> None:
    """Whether the follower keeps up. Failures alone say little: a connection that was cut counts as one."""
    move.tools.step(f"level {link.direction}")
    until = link.until(time.monotonic() + min(move.tools.patience, CATCH_UP))
    try:
        link.wait_caught_up(until)
    except BehindError as behind:
        with both_as_tenant(link.source, link.follower, move.tools.connect) as ends:
            raise explained(behind, link, *ends) from None
    move.notes.append(f"the {link.follower.name} follows, {link.lag_bytes} bytes behind")


def _require(move: Move, endpoint: DatabaseEndpoint, stage: str) -> None:
    if not is_serving(move.tools.store, endpoint):
        raise MoveError(
            f"the {endpoint.name} does not serve tenant {move.request.tenant}; first comes {stage}"
        )


def _switch(move: Move, link: Replication, back: Replication | None) -> Switch:
    move.origin.grant_tenant_role()
    move.target.grant_tenant_role()
    clock = Clock(move.request.budget)
    tools = move.tools
    return Switch(
        link,
        back,
        tools.connect,
        move.reopen,
        tools.store,
        tools.step,
        clock,
        tools.patience,
        tools.left,
        lambda source, follower: Comparison(
            link, source, follower, move.record(f"comparison-{link.direction}"), tools.ends
        ),
        switch_catalog=move.switch_catalog,
        notes=move.notes,
    )


def _run(move: Move, switch: Switch) -> None:
    switch.run(lambda back: _follow(move, back))
    move.report["rows"], move.report["readOnlySeconds"] = switch.rows, switch.clock.seconds


STAGES: Final[Mapping[MoveStage, Callable[[Move], None]]] = {
    MoveStage.PREPARE: prepare,
    MoveStage.REPLICATE: replicate,
    MoveStage.CUTOVER: cutover,
    MoveStage.SOAK: soak,
    MoveStage.ROLLBACK: rollback,
    MoveStage.ABORT: abort,
    MoveStage.DONE: done,
}
