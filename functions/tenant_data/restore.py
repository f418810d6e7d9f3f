"""The stages of a restore: the target is an instance that was restored from the origin's backups.

Nothing is replicated. Rows are counted table by table in both databases, so that a person sees what comes
back and what is given up; then the services are switched as in any move, by the tenant's secret. The origin
stays as it was at the switch, and a rollback switches back to it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pg8000.native import literal

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.passwords import verifier
from functions.common.schema import tables
from functions.common.secret_store import Store
from functions.common.serving import is_serving
from functions.common.tenant_session import as_tenant
from functions.tenant_data.cutover import (
    Clock,
    credentials_for,
    enable_login,
    end_tenants_sessions,
    restore_login,
)
from functions.tenant_data.failover import through_failover
from functions.tenant_data.request import MoveStage

if TYPE_CHECKING:
    from functions.tenant_data.move import Move


def prepare(move: "Move") -> None:
    """What was restored has the tenant's login of then, which nobody is to use before the switch."""
    require(move, move.origin)
    for endpoint in (move.origin, move.target):
        endpoint.grant_tenant_role()
    move.tools.step("restored closed")
    move.target.run(f"ALTER ROLE {move.target.role} NOLOGIN")
    end_tenants_sessions(move.target)
    require_tables(move, move.target)
    count(move, move.target)


def require_tables(move: "Move", restored: DatabaseEndpoint) -> None:
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
    old: DatabaseEndpoint,
    new: DatabaseEndpoint,
    before: Callable[[], None],
    meanwhile: Callable[[Clock], None] = lambda _: None,
) -> None:
    """Called again, it goes on where it was killed; before the secret says so, all is undone.

    `before` is what takes time, while the tenant writes; `meanwhile` what is done while it cannot.
    """
    clock, store = Clock(move.request.budget), move.tools.store
    for endpoint in (old, new):
        endpoint.grant_tenant_role()
    if is_serving(store, new):
        move.notes.append("was switched by an earlier run")
    else:
        restore_login(old)  # a call that was killed in the window has left it closed
        before()
        try:
            _window(move, old, new, clock, meanwhile)
        except Exception:
            if not is_serving(store, new):  # else it was the answer alone that failed
                raise
    _finish(move, old, new)
    clock.stop()
    move.report["readOnlySeconds"] = clock.seconds


def _window(
    move: "Move",
    old: DatabaseEndpoint,
    new: DatabaseEndpoint,
    clock: Clock,
    meanwhile: Callable[[Clock], None],
) -> None:
    store = move.tools.store
    clock.start()
    try:
        move.tools.step("closed")
        old.run(f"ALTER ROLE {old.role} NOLOGIN")
        end_tenants_sessions(old)
        meanwhile(clock)
        clock.late()
        move.tools.step("password")
        content = credentials_for(store, old, new)
        new.run(f"ALTER ROLE {new.role} NOLOGIN PASSWORD {literal(verifier(content['password']))}")
        move.tools.step("switch")
        store.write(move.request.tenant_secret, content)
    except Exception:
        if is_serving(store, old):
            through_failover(old, move.reopen, restore_login)
        raise


def _finish(move: "Move", old: DatabaseEndpoint, new: DatabaseEndpoint) -> None:
    move.tools.step("open")
    enable_login(new, move.tools.store)
    move.switch_catalog(new)
    move.tools.step("old end")
    old.run(f"ALTER ROLE {old.role} NOLOGIN")
    end_tenants_sessions(old)


def count(move: "Move", restored: DatabaseEndpoint) -> None:
    """Rows of each table now and as restored; None where there is no such table."""
    move.tools.step("counted")
    here, there = (_rows(move, endpoint) for endpoint in (move.origin, restored))
    move.report["restoredTo"] = move.request.restored_to
    move.report["counts"] = {
        name: {"origin": here.get(name), "target": there.get(name)} for name in sorted(here | there)
    }
    move.report["rows"] = sum(there.values())


def _rows(move: "Move", endpoint: DatabaseEndpoint) -> dict[str, int]:
    with as_tenant(endpoint, move.tools.connect) as tenant:
        return {
            t.name: int(tenant.value(f"SELECT count(*) FROM {endpoint.named(t.name)}"))  # noqa: S608 - quoted
            for t in tables(endpoint)
        }


def require(move: "Move", endpoint: DatabaseEndpoint) -> None:
    store: Store = move.tools.store
    if not is_serving(store, endpoint):
        raise MoveError(f"the {endpoint.name} does not serve tenant {move.request.tenant}")


# What is not here a restore does as any move: its end, and its being called off.
STAGES: Final[Mapping[MoveStage, Callable[["Move"], Any]]] = {
    MoveStage.PREPARE: prepare,
    MoveStage.REPLICATE: compare,
    MoveStage.CUTOVER: cutover,
    MoveStage.SOAK: soak,
    MoveStage.ROLLBACK: rollback,
}
