"""The cutover: writes stop, the last rows are replicated, everything is compared, the target serves.

The tenant's secret names the database that serves, so writing it is the switch. If something fails or takes
too long before the switch, everything is undone; after it, this call or the next one finishes the rest.
"""

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import literal

from functions.common.database_endpoint import Connect, DatabaseEndpoint, MoveError
from functions.common.going_on import GoesOn
from functions.common.passwords import new_password, verifier
from functions.common.refusals import refusals
from functions.common.replication import Replication
from functions.common.schema import NEEDS_OTHERS, definitions, difference, set_sequences
from functions.common.secret_store import Store
from functions.common.serving import is_serving, read
from functions.common.stage_run import Step
from functions.common.tenant_session import both_as_tenant
from functions.tenant_data.compare import Comparison
from functions.tenant_data.failover import FAILOVER, Reopen, all_through_failover, through_failover
from functions.tenant_data.neighbours import waiting
from functions.tenant_data.stalled import naming_the_reason

log: Final = logging.getLogger(__name__)
ENDED: Final = 10.0  # seconds for sessions to end
WRITES: Final = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8 FROM pg_stat_all_tables
WHERE schemaname = :schema"""


@dataclass
class Clock:
    """How long the tenant cannot write."""

    budget: float  # seconds
    began: float | None = None
    ended: float | None = None

    def start(self) -> None:
        self.began = time.monotonic()

    def stop(self) -> None:
        self.ended = time.monotonic()

    @property
    def seconds(self) -> float | None:
        if self.began is None:
            return None
        return (self.ended or time.monotonic()) - self.began

    def left(self) -> float:
        """Seconds of the budget."""
        return self.budget - (self.seconds or 0)

    def late(self) -> None:
        """Raise `MoveError` where the budget is used up."""
        if (self.seconds or 0) > self.budget:
            raise MoveError(
                f"writes would have waited for more than {self.budget:.0f} s, so it was called off"
            )


@dataclass
class Switch:
    """From `link.source`, which serves, to `link.follower`, which then does."""

    link: Replication
    back: Replication | None  # what keeps the old database up to date afterwards
    connect: Connect
    reopen: Reopen
    store: Store
    step: Step
    clock: Clock
    patience: float  # seconds for the follower to catch up before writes stop
    left: Callable[[], float]  # seconds until this call is ended
    compared: Callable[[DatabaseEndpoint, DatabaseEndpoint], Comparison]  # source and follower, as the tenant
    switch_catalog: Callable[[DatabaseEndpoint], None] = lambda _: None
    rows: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def old(self) -> DatabaseEndpoint:
        return self.link.source

    @property
    def new(self) -> DatabaseEndpoint:
        return self.link.follower

    def run(self, follow_back: Callable[[Replication], None]) -> None:
        """Do it, or finish what a killed run began. `follow_back` starts the way back."""
        if is_serving(self.store, self.new):
            self.notes.append("was switched by an earlier run")
            self.finish()
            return
        # A call that was killed while writes stopped has left it closed, and what follows takes time.
        restore_login(self.old)
        with both_as_tenant(self.old, self.new, self.connect) as ends:
            self._prepare()
            comparison = self._compared_before(*ends)
            self._require_time(comparison)
            if self.back:
                self.step("way back")
                with self._naming_changes():
                    follow_back(self.back)
                comparison.look(self.patience)  # that took a while
            try:
                self._window(comparison)
            except Exception:
                if not self._switched_after_all():
                    raise
            self.finish()  # before those sessions are cleared away: the tenant waits
            comparison.record.forget()

    def _prepare(self) -> None:
        """What may be found wrong at once, while the tenant still writes."""
        if self.back and self.back.subscribed is not None:  # of a call that was killed
            self.back.drop()
        self.step("copied")
        if self.link.subscribed is None:
            raise MoveError(f"nothing follows the {self.old.name}; go back to the stage before this one")
        if not self.link.wait_copied(time.monotonic() + self.patience):
            copying = self.link.tables_copying
            few = ", ".join(copying[:3])
            raise GoesOn(f"the first copy of {len(copying)} tables is not over ({few}){waiting(self.link)}")
        self.step("same tables")
        self._require_same_schema()

    def _require_same_schema(self) -> None:
        """Raise `MoveError` with what was made, changed or dropped since the move began."""
        if changed := difference(definitions(self.old), definitions(self.new)):
            raise MoveError(
                f"tables were changed since the move began: {', '.join(changed)}; undo the change at the"
                f" {self.old.name}, or end the move: move --rollback leads out of a cutover"
            )
        if wrong := refusals(self.old):
            raise MoveError(f"what cannot be moved came since the move began: {'; '.join(wrong)}")

    @contextmanager
    def _naming_changes(self) -> Generator[None]:
        """Where rows cannot be read because their table is another one now, say that."""
        try:
            yield
        except DatabaseError as failure:
            if failure.args and failure.args[0].get("C") in NEEDS_OTHERS:
                self._require_same_schema()
            raise

    def _compared_before(self, source: DatabaseEndpoint, follower: DatabaseEndpoint) -> Comparison:
        self.step("rows compared")
        try:
            with self._naming_changes(), naming_the_reason(self.link, source, follower):
                comparison = self.compared(source, follower)
                rounds = comparison.narrow(self.patience)
        except MoveError:
            self._let_go()
            raise
        self.notes.append(f"compared in {rounds} rounds before writes stopped")
        return comparison

    def _require_time(self, comparison: Comparison) -> None:
        """A call that ends in the window leaves the tenant shut out until the next one: do not begin it."""
        needed = self.clock.budget + FAILOVER
        if self.left() < needed:
            come = f"all is compared, and a call with {needed:.0f} s left for the switch comes next"
            raise GoesOn(come, comparison.save())

    def _window(self, comparison: Comparison) -> None:
        late = self.clock.late
        self.clock.start()
        try:
            self.step("read-only")
            self.old.run(f"ALTER ROLE {self.old.role} SET default_transaction_read_only = on")
            self._end_sessions()
            self.step("level")
            self.link.wait_caught_up(late)
            before = self._writes()
            self.step("rows equal")
            with suppress(MoveError), self._naming_changes():
                self.rows = comparison.finish(
                    late, self.clock.left
                )  # a session need not care for read-only, as is seen below
            self.step("closed")
            self.old.run(f"ALTER ROLE {self.old.role} NOLOGIN")
            self._end_sessions()
            self.link.wait_caught_up(late)
            self.step("same tables at the end")  # who is not shut out may still change them
            self._require_same_schema()
            late()
            if self.rows is None or self._writes() != before or comparison.redefined():
                self.rows = comparison.finish(late, self.clock.left)
            self.step("sequences")
            set_sequences(comparison.source, self.new)
            late()
            self.step("password")
            content = self._content()
            self.new.run(
                f"ALTER ROLE {self.new.role} NOLOGIN PASSWORD {literal(verifier(content['password']))}"
            )
            self.step("switch")
            self.store.write(self.old.request.tenant_secret, content)
        except Exception:
            if is_serving(self.store, self.old):  # unknown, if the secret cannot be read: then nobody writes
                self._undo()
            raise

    def _switched_after_all(self) -> bool:
        """Whether what failed was only the answer."""
        return is_serving(self.store, self.new)

    def _undo(self) -> None:
        through_failover(self.old, self.reopen, restore_login)
        log.warning("tenant %s: called off, the %s serves again", self.old.request.tenant, self.old.name)
        self.clock.stop()
        self._let_go()

    def _let_go(self) -> None:
        """The old database keeps no WAL for a run that ends here, and subscribes to nothing: what a person
        puts right in the new one is not to come back.
        """
        through_failover(self.old, self.reopen, self._capture_no_more)
        if self.back:
            all_through_failover((self.old, self.new), self.reopen, self._follow_no_more)

    def _capture_no_more(self, old: DatabaseEndpoint) -> None:
        replace(self.link, source=old).stop_capture()

    def _follow_no_more(self, old: DatabaseEndpoint, new: DatabaseEndpoint) -> None:
        if self.back:
            replace(self.back, source=new, follower=old).drop()

    def finish(self) -> None:
        """After the switch: the new database lets the tenant in, the old one subscribes to it."""
        self.step("open")
        enable_login(self.new, self.store)
        self.clock.stop()
        self.switch_catalog(self.new)
        self.step("old end")
        self.old.run(
            f"ALTER ROLE {self.old.role} NOLOGIN",
            f"ALTER ROLE {self.old.role} RESET default_transaction_read_only",
        )
        self._end_sessions()
        self.link.drop()

    def _end_sessions(self) -> None:
        end_tenants_sessions(self.old)

    def _writes(self) -> int:
        return int(self.old.value(WRITES, schema=self.old.request.schema))

    def _content(self) -> Mapping[str, Any]:
        return credentials_for(self.store, self.old, self.new)


def credentials_for(store: Store, old: DatabaseEndpoint, new: DatabaseEndpoint) -> Mapping[str, Any]:
    """The tenant's secret as it will be: another host, another password."""
    address = new.address
    return {
        **read(store, old),
        "password": new_password(),
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "masterarn": address.master_secret,
    }


def end_tenants_sessions(endpoint: DatabaseEndpoint) -> None:
    """All of them, and wait until they are gone."""
    ends = time.monotonic() + ENDED
    endpoint.end_sessions()
    while endpoint.rows(
        "SELECT 1 FROM pg_stat_activity WHERE usename = :role", role=endpoint.request.role
    ) and endpoint.rows(
        "SELECT 1 FROM pg_roles WHERE rolname = :role AND NOT rolcanlogin", role=endpoint.request.role
    ):
        if time.monotonic() > ends:
            raise MoveError(f"sessions of the tenant at the {endpoint.name} do not end")
        endpoint.end_sessions()


def enable_login(endpoint: DatabaseEndpoint, store: Store) -> None:
    """Let the tenant in with the password that its secret holds."""
    password = str(read(store, endpoint)["password"])
    endpoint.run(
        f"ALTER ROLE {endpoint.role} RESET default_transaction_read_only",
        f"ALTER ROLE {endpoint.role} LOGIN PASSWORD {literal(verifier(password))}",
    )


def restore_login(endpoint: DatabaseEndpoint) -> None:
    """As it was before a switch that was called off."""
    with suppress(InterfaceError, DatabaseError):
        endpoint.run("ROLLBACK")
    endpoint.run(
        f"ALTER ROLE {endpoint.role} RESET default_transaction_read_only", f"ALTER ROLE {endpoint.role} LOGIN"
    )
