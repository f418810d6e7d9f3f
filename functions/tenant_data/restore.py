"""The stages of a restore: the target is an instance that began as the origin was at a moment.

Nothing follows anything here. Both ends are counted table by table, for a person to see what comes back and
what is given up; then the services are led over by the same switch as a move's, the tenant's secret. The
origin stays as it was when it was left, and a rollback leads back to it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pg8000.native import literal

from functions.common.database_endpoint import MoveError, Side
from functions.common.passwords import verifier
from functions.common.schema import tables
from functions.common.secret_store import Store
from functions.common.serving import lives
from functions.tenant_data.cutover import Clock, end_tenants_sessions, led_to, open_again, open_with
from functions.tenant_data.request import Stage

if TYPE_CHECKING:
    from functions.tenant_data.move import Move


def prepare(move: "Move") -> None:
    """What was restored has the tenant's login of then, which nobody is to use before the switch."""
    require(move, move.origin)
    for side in (move.origin, move.target):
        side.act_for_tenant()
    move.tools.step("restored closed")
    move.target.run(f"ALTER ROLE {move.target.role} NOLOGIN")
    end_tenants_sessions(move.target)
    require_tables(move, move.target)
    count(move, move.target)


def require_tables(move: "Move", restored: Side) -> None:
    if not tables(restored):
        raise MoveError(
            f"tenant {move.request.tenant} had no tables at {move.request.restored_to}; end it with --abort"
        )


def compare(move: "Move") -> None:
    prepare(move)
    move.notes.append("nothing follows: what is written at the origin from now on is not at the target")


def cutover(move: "Move") -> None:
    switch(move, move.origin, move.target, lambda: count(move, move.target))


def soak(move: "Move") -> None:
    require(move, move.target)
    _finish(move, move.origin, move.target)
    move.notes.append("the origin stays as it was left; a rollback gives up what was written since")


def rollback(move: "Move") -> None:
    switch(move, move.target, move.origin, lambda: count(move, move.target))


def switch(
    move: "Move",
    old: Side,
    new: Side,
    before: Callable[[], None],
    meanwhile: Callable[[Clock], None] = lambda _: None,
) -> None:
    """Called again, it goes on where it was killed; before the secret says so, all is undone.

    `before` is what takes time, while the tenant writes; `meanwhile` what is done while it cannot.
    """
    clock, store = Clock(move.request.budget), move.tools.store
    for side in (old, new):
        side.act_for_tenant()
    if lives(store, new):
        move.notes.append("was switched by an earlier run")
    else:
        before()
        try:
            _window(move, old, new, clock, meanwhile)
        except Exception:
            if not lives(store, new):  # else it was the answer alone that failed
                raise
    _finish(move, old, new)
    clock.stop()
    move.told["readOnlySeconds"] = clock.seconds


def _window(move: "Move", old: Side, new: Side, clock: Clock, meanwhile: Callable[[Clock], None]) -> None:
    store = move.tools.store
    clock.start()
    try:
        move.tools.step("closed")
        old.run(f"ALTER ROLE {old.role} NOLOGIN")
        end_tenants_sessions(old)
        meanwhile(clock)
        clock.late()
        move.tools.step("password")
        content = led_to(store, old, new)
        new.run(f"ALTER ROLE {new.role} NOLOGIN PASSWORD {literal(verifier(content['password']))}")
        move.tools.step("switch")
        store.write(move.request.tenant_secret, content)
    except Exception:
        if lives(store, old):
            open_again(old)
        raise


def _finish(move: "Move", old: Side, new: Side) -> None:
    move.tools.step("open")
    open_with(new, move.tools.store)
    move.tools.step("old end")
    old.run(f"ALTER ROLE {old.role} NOLOGIN")
    end_tenants_sessions(old)


def count(move: "Move", restored: Side) -> None:
    """Rows of each table now and as restored; None where there is no such table."""
    move.tools.step("counted")
    here, there = (_rows(side) for side in (move.origin, restored))
    move.told["restoredTo"] = move.request.restored_to
    move.told["counts"] = {
        name: {"origin": here.get(name), "target": there.get(name)} for name in sorted(here | there)
    }
    move.told["rows"] = sum(there.values())


def _rows(side: Side) -> dict[str, int]:
    return {
        t.name: int(side.value(f"SELECT count(*) FROM {side.named(t.name)}"))  # noqa: S608 - quoted
        for t in tables(side)
    }


def require(move: "Move", side: Side) -> None:
    store: Store = move.tools.store
    if not lives(store, side):
        raise MoveError(f"the {side.name} does not serve tenant {move.request.tenant}")


# What is not here a restore does as any move: its end, and its being called off.
STAGES: Final[Mapping[Stage, Callable[["Move"], Any]]] = {
    Stage.PREPARE: prepare,
    Stage.REPLICATE: compare,
    Stage.CUTOVER: cutover,
    Stage.SOAK: soak,
    Stage.ROLLBACK: rollback,
}
