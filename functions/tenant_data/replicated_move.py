"""The stages of a move by replication. Each may be run again at any time, however the run before ended."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from functions.common.database_endpoint import MoveError, Side
from functions.common.dump import last_dump
from functions.common.replication import Link, drop_mover
from functions.common.serving import lives
from functions.tenant_data.cutover import Clock, Switch, open_again, open_with
from functions.tenant_data.initial_copy import examine, follow_whole
from functions.tenant_data.move import Move
from functions.tenant_data.request import Stage

CATCH_UP: Final = 60.0  # seconds for a follower to have what was written until now


def prepare(move: Move) -> None:
    """Look, and change nothing."""
    examine(move, move.origin)


def replicate(move: Move) -> None:
    """The schema first, then its rows, then whatever changes."""
    prepare(move)
    if not follow_whole(move):
        move.notes.append(f"the first copy of {len(move.out.copying)} tables goes on")
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
    open_again(move.origin)
    _take_down(move, gone=move.target)


def done(move: Move) -> None:
    """The origin is kept as a dump under the tenant's key, and goes."""
    _require(move, move.target, "cutover")
    if move.origin.has_role(move.request.role):
        move.tools.step("target open")
        open_with(move.target, move.tools.store)
        if move.back.subscribed is not None:
            move.tools.step("level")
            clock = Clock(move.request.budget)
            clock.start()
            move.back.wait_level(clock.late)
        move.tools.step("dump")
        move.origin.act_for_tenant()
        move.told["dump"] = last_dump(move.origin, move.tools.objects)
    _take_down(move, gone=move.origin)


def _take_down(move: Move, gone: Side) -> None:
    """Replication first, or what is dropped at one end would be dropped at the other."""
    for link in (move.out, move.back):
        move.tools.step(f"replication {link.direction}")
        link.drop()
    for side in move.sides:
        move.tools.step(f"role of the move at the {side.name}")
        drop_mover(side)
    move.tools.step(f"place at the {gone.name}")
    gone.drop_tenant()
    for side in move.sides:
        side.leave_tenant()


def _follow(move: Move, link: Link) -> None:
    """From now on; the other end has all that there is."""
    link.source.act_for_tenant()
    link.follower.act_for_tenant()
    link.publish()
    link.subscribe(move.tools.reach, copy=False)


def _healthy(move: Move, link: Link) -> None:
    """Whether the follower keeps up. Failures alone say little: a connection that was cut counts as one."""
    move.tools.step(f"level {link.direction}")
    link.wait_level(link.until(time.monotonic() + min(move.tools.patience, CATCH_UP)))
    move.notes.append(f"the {link.follower.name} follows, {link.behind} bytes behind")


def _require(move: Move, side: Side, stage: str) -> None:
    if not lives(move.tools.store, side):
        raise MoveError(f"the {side.name} does not serve tenant {move.request.tenant}; first comes {stage}")


def _switch(move: Move, link: Link, back: Link | None) -> Switch:
    move.origin.act_for_tenant()
    move.target.act_for_tenant()
    clock = Clock(move.request.budget)
    tools = move.tools
    return Switch(link, back, tools.store, tools.step, clock, tools.patience, notes=move.notes)


def _run(move: Move, switch: Switch) -> None:
    switch.run(lambda back: _follow(move, back))
    move.told["rows"], move.told["readOnlySeconds"] = switch.rows, switch.clock.seconds


STAGES: Final[Mapping[Stage, Callable[[Move], None]]] = {
    Stage.PREPARE: prepare,
    Stage.REPLICATE: replicate,
    Stage.CUTOVER: cutover,
    Stage.SOAK: soak,
    Stage.ROLLBACK: rollback,
    Stage.ABORT: abort,
    Stage.DONE: done,
}
