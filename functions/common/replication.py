"""Logical replication: publication and slot at the source, subscription at the follower.

Both directions filter by origin (`origin = none`), so that rows that were replicated from the other end are
never sent back, and both directions may run at once. Slots are dropped by name and not by the subscription,
because a step that was killed may have left either without the other.
"""

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import identifier, literal

from functions.common.database_endpoint import DatabaseEndpoint, MoveError, Reach, connection_string
from functions.common.passwords import new_password, verifier
from functions.common.schema import tables

SLEEPS: Final = 2.0  # seconds behind after which somebody looks whether a worker reads at all
PAUSE: Final = 0.02  # seconds between looks
ENDING: Final = 10.0  # seconds for a process to end
MESSAGES: Final = 200  # of the log that are held at once
FAILURES: Final = 3  # of a copy, after which somebody looks why
LOST: Final = 30.0  # seconds without its slot after which a first copy is given up; workers retry each 5
# Which the administrator of each server has to be allowed to call. PostgreSQL lets every role (17.11,
# system_functions.sql); that RDS does too is assumed (`what-the-administrator-of-rds-may`).
IDENTIFIER: Final = "pg_control_system()"
SETTING: Final = "tenantry.connection"  # of one session, for one statement
# The error of a statement inside carries that statement, and with it the password, into the log.
SET_CONNECTION: Final = """
DO $$ BEGIN
    EXECUTE format('ALTER SUBSCRIPTION %I CONNECTION %L', {name}, current_setting('tenantry.connection'));
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'its connection was refused (%)', SQLSTATE;
END $$"""
RDS: Final = "rds_replication"  # what RDS gives instead of the attribute (RDS user guide, 2026-11)


class CopyLostError(MoveError):
    """The first copy of a table can never end; the whole copy has to begin again."""


class BehindError(MoveError):
    """The follower does not catch up: how it stands, and what to do."""

    def __init__(self, state: str, advice: str) -> None:
        super().__init__(f"{state}: {advice}")
        self.state = state


@dataclass(frozen=True, slots=True)
class Replication:
    """One tenant's rows from `source` to `follower`: publication, slot and subscription have one name."""

    source: DatabaseEndpoint
    follower: DatabaseEndpoint
    direction: str  # out: from the origin; back: to it

    @property
    def plain(self) -> str:
        return f"m_{self.source.request.schema}_{self.direction}"

    @property
    def name(self) -> str:
        return identifier(self.plain)

    # what there is

    @property
    def subscribed(self) -> int | None:
        """The subscription's number, None where there is none."""
        return self.follower.value(
            "SELECT oid::int8 FROM pg_subscription WHERE subname = :name AND subdbid ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            name=self.plain,
        )

    @property
    def tables_copying(self) -> list[str]:
        """Tables whose first copy is not over."""
        rows = self.follower.rows(
            "SELECT srrelid::regclass::text FROM pg_subscription_rel WHERE srsubid = :number"
            " AND srsubstate <> 'r' ORDER BY 1",
            number=self.subscribed or 0,
        )
        return [str(name) for (name,) in rows]

    @property
    def lost_copies(self) -> list[str]:
        """Tables that are copied, and whose copy cannot end: the slot that it follows is gone.

        The worker of a first copy drops its slot at the source, and then commits that the copy is over. Where
        the answer to the drop is lost, nothing is committed, and every next worker fails for want of the slot
        (PostgreSQL 17, tablesync.c, process_syncing_tables_for_sync; seen with 17.11).
        """
        number = self.subscribed or 0
        copied = self.follower.rows(
            "SELECT srrelid::int8, srrelid::regclass::text FROM pg_subscription_rel"
            " WHERE srsubid = :number AND srsubstate = 'f' ORDER BY 2",
            number=number,
        )
        if not copied:
            return []
        slots = self.source.rows(
            "SELECT split_part(slot_name, '_', 4)::int8 FROM pg_replication_slots"
            " WHERE slot_name LIKE :slots",
            slots=self._copy_slots(number),
        )
        return [str(name) for table, name in copied if [table] not in slots]

    @property
    def lag_bytes(self) -> int | None:
        """Bytes that the follower has not confirmed; None where there is no slot."""
        return self.source.value(
            "SELECT (pg_current_wal_lsn() - confirmed_flush_lsn)::int8 FROM pg_replication_slots"
            " WHERE slot_name = :name",
            name=self.plain,
        )

    @property
    def errors(self) -> int:
        """How often rows could not be applied or copied since the subscription was made."""
        return int(
            self.follower.value(
                "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats"
                " WHERE subid = :number",
                number=self.subscribed or 0,
            )
            or 0
        )

    # made

    def publish(self) -> None:
        """The role that replicates, and every table that holds rows."""
        source = self.source
        create_replication_role(source)
        replicates = f"GRANT {RDS} TO {source.replication_role}" if source.has_role(RDS) else f"ALTER ROLE {source.replication_role} REPLICATION"  # fmt: skip  # noqa: E501
        names = [source.named(t.name) for t in tables(source)]
        database = identifier(source.address.database)
        source.run(
            replicates,
            f"GRANT CONNECT ON DATABASE {database} TO {source.replication_role}",
            f"GRANT USAGE ON SCHEMA {source.schema} TO {source.replication_role}",
            *(f"GRANT SELECT ON {name} TO {source.replication_role}" for name in names),
        )
        if not source.rows("SELECT 1 FROM pg_publication WHERE pubname = :name", name=self.plain):
            what = f" FOR TABLE {', '.join(names)}" if names else ""
            source.run(f"CREATE PUBLICATION {self.name}{what}")

    def subscribe(self, reach: Reach, *, copy: bool) -> None:
        """Follow, from now on or with all that is there; a new password each time, which nobody keeps.

        Raises `MoveError` where the server does not take the connection.
        """
        password = new_password()
        self.source.run(
            f"ALTER ROLE {self.source.replication_role} LOGIN PASSWORD {literal(verifier(password))}"
        )
        if self._dropped_in_part:
            self._drop_subscription()
        if self.subscribed is None:
            # Rows are confirmed when they are on disk; the worker acts as each table's owner (run_as_owner).
            self.follower.run(
                f"CREATE SUBSCRIPTION {self.name} CONNECTION 'password=none' PUBLICATION {self.name} WITH"
                " (connect = false, origin = none, synchronous_commit = 'local', run_as_owner = false)"
            )
        self._connect_by(connection_string(self.source, reach(self.source, self.follower), password))
        begins = not self._follows_tables
        if begins:
            self._drop_slots(f"slot_name = {literal(self.plain)}")
            self.source.rows("SELECT pg_create_logical_replication_slot(:name, 'pgoutput')", name=self.plain)
        self.follower.run(f"ALTER SUBSCRIPTION {self.name} ENABLE")
        if begins:
            refresh = f"REFRESH PUBLICATION WITH (copy_data = {str(copy).lower()})"
            self.follower.run(f"ALTER SUBSCRIPTION {self.name} {refresh}")

    def _connect_by(self, text: str) -> None:
        """Set how the worker connects, of which the server's log tells nothing.

        A server logs definitions with all that stands in them, so with the password. It logs neither the
        values of parameters (`log_parameter_max_length` of the cell's parameter group) nor what a DO block
        runs, but for the context of an error, which is left out here.
        """
        self.follower.rows(f"SELECT set_config('{SETTING}', :text, false)", text=text)
        try:
            self.follower.run(SET_CONNECTION.format(name=literal(self.plain)))
        except DatabaseError as failure:
            raise MoveError(
                f"the {self.follower.name} cannot follow the {self.source.name}: {failure.args[0].get('M')}"
            ) from None
        finally:
            self.follower.rows(f"SELECT set_config('{SETTING}', '', false)")

    @property
    def _follows_tables(self) -> bool:
        """Whether an earlier call got as far as to say which tables are followed."""
        return bool(
            self.follower.rows(
                "SELECT 1 FROM pg_subscription_rel WHERE srsubid = :number LIMIT 1",
                number=self.subscribed or 0,
            )
        )

    def wait_copied(self, ends: float, fails: Callable[[], None] = lambda: None) -> bool:
        """Until the first copy is over, or the clock says `ends`; whether it is over.

        `fails` is called when it has failed some times. Raises `CopyLostError` where it never will be. A slot
        is missing for a moment at the end of each copy.
        """
        possible, errors = time.monotonic(), self.errors
        while self.tables_copying:
            now = time.monotonic()
            if self.errors >= errors + FAILURES:
                fails()
                errors = self.errors
            if lost := self.lost_copies:
                if now - possible >= LOST:
                    raise CopyLostError(
                        f"a connection was cut as the first copy of {', '.join(lost[:3])} ended"
                    )
            else:
                possible = now
            if now >= ends:
                return False
            time.sleep(0.1)
        return True

    def wait_caught_up(self, late: Callable[[], None]) -> str:
        """Until the follower has all that was written until now; `late` raises when it takes too long.

        Returns the position in the source's log that it has come to.
        """
        position = str(self.source.value("SELECT pg_current_wal_insert_lsn()::text"))
        asleep = time.monotonic() + SLEEPS
        while not self.source.value(
            "SELECT confirmed_flush_lsn >= CAST(:position AS pg_lsn) FROM pg_replication_slots"
            " WHERE slot_name = :name",
            position=position,
            name=self.plain,
        ):
            late()
            if time.monotonic() > asleep:
                self._wake()
                asleep = time.monotonic() + SLEEPS
            time.sleep(PAUSE)
        return position

    def until(self, ends: float) -> Callable[[], None]:
        """For `wait_caught_up` while the source serves: the follower has until the clock says `ends`."""

        def late() -> None:
            if time.monotonic() > ends:
                raise BehindError(
                    f"the {self.follower.name} is {self.lag_bytes} bytes behind and does not catch up"
                    f" ({self.errors} failures); writes go on at the {self.source.name}",
                    f"see in the log of the {self.follower.name} what stops it, put that right, run again",
                )

        return late

    def pause(self) -> None:
        """The follower stays as it is, until somebody waits for it again; raises `MoveError` where it does
        not come to rest.
        """
        self.follower.run(f"ALTER SUBSCRIPTION {self.name} DISABLE")
        ends = time.monotonic() + ENDING
        number = self.subscribed or 0
        while self.follower.rows(
            "SELECT 1 FROM pg_stat_subscription WHERE subid = :number AND pid IS NOT NULL", number=number
        ):
            if time.monotonic() > ends:
                raise MoveError(f"the {self.follower.name} goes on following the {self.source.name}")
            time.sleep(PAUSE)

    def _wake(self) -> None:
        """Start the worker that reads, where there is none.

        A server starts one again that has failed, but may sleep for three minutes before it notices: its
        launcher misses the word of a worker's end while it waits for another one to begin (PostgreSQL 16,
        launcher.c, DEFAULT_NAPTIME_PER_CYCLE). Each ENABLE calls it.
        """
        reads = (
            "SELECT 1 FROM pg_stat_subscription WHERE subid = :number AND relid IS NULL AND pid IS NOT NULL"
        )
        number = self.subscribed
        if number is not None and not self.follower.rows(reads, number=number):
            self.follower.run(f"ALTER SUBSCRIPTION {self.name} ENABLE")

    # watched

    @property
    def capture_slot(self) -> str:
        """The slot that remembers a moment of the source's log."""
        return f"{self.plain}_seen"

    def start_capture(self) -> None:
        """From now on, `captured` has what is written."""
        self.stop_capture()
        self.source.rows(
            "SELECT pg_create_logical_replication_slot(:name, 'pgoutput')", name=self.capture_slot
        )

    @property
    def captures(self) -> bool:
        """Whether there is such a slot."""
        return bool(
            self.source.rows(
                "SELECT 1 FROM pg_replication_slots WHERE slot_name = :name", name=self.capture_slot
            )
        )

    def captured(self, position: str, longest: int) -> Generator[bytes]:
        """The log from where `forget_captured` was last told, to a position; of each message so many bytes.

        They come by and by, and no statement may be run in the source's session until they have.
        """
        self.source.run("BEGIN")
        try:
            self.source.rows(
                "DECLARE written NO SCROLL CURSOR FOR SELECT substr(data, 1, CAST(:longest AS int))"
                " FROM pg_logical_slot_peek_binary_changes(:name, CAST(:position AS pg_lsn), NULL,"
                " 'proto_version', '1', 'publication_names', :publication)",
                longest=longest,
                name=self.capture_slot,
                position=position,
                publication=self.plain,
            )
            while rows := self.source.rows(f"FETCH {MESSAGES} FROM written"):
                yield from (bytes(data) for (data,) in rows)
        finally:
            with suppress(DatabaseError, InterfaceError, OSError):  # what failed before says more
                self.source.run("ROLLBACK")

    def forget_captured(self, position: str) -> None:
        """What was written up to a position is known; the source need not keep its log for this."""
        self.source.rows(
            "SELECT count(*) FROM pg_logical_slot_get_binary_changes(:name, CAST(:position AS pg_lsn), NULL,"
            " 'proto_version', '1', 'publication_names', :publication)",
            name=self.capture_slot,
            position=position,
            publication=self.plain,
        )

    def stop_capture(self) -> None:
        self._drop_slots(f"slot_name = {literal(self.capture_slot)}")

    # taken down

    def drop(self) -> None:
        """Subscription, slots and publication, whichever of them are left.

        The subscription goes after the slots, whose names nobody knows without its number.
        """
        self._drop_subscription()
        self.source.run(f"DROP PUBLICATION IF EXISTS {self.name}")

    @property
    def _dropped_in_part(self) -> bool:
        """Whether a call that went no further was about to drop it; else a subscription has a slot."""
        return bool(
            self.follower.rows(
                "SELECT 1 FROM pg_subscription WHERE oid = CAST(:number AS oid) AND subslotname IS NULL",
                number=self.subscribed or 0,
            )
        )

    def _drop_subscription(self) -> None:
        """With its slots, and those of first copies."""
        number = self.subscribed
        if number is not None:
            self.follower.run(
                f"ALTER SUBSCRIPTION {self.name} DISABLE",
                f"ALTER SUBSCRIPTION {self.name} SET (slot_name = NONE)",
            )
        copies = f" OR slot_name LIKE {literal(self._copy_slots(number))}" if number is not None else ""
        self._drop_slots(f"slot_name IN ({literal(self.plain)}, {literal(self.capture_slot)}){copies}")
        if number is not None:
            self.follower.run(f"DROP SUBSCRIPTION {self.name}")

    def _copy_slots(self, number: int) -> str:
        """Pattern of the names of first copies' slots: numbers of subscription and table, and the server.

        PostgreSQL names them (ReplicationSlotNameForTablesync). Fresh silos have the same numbers.
        """
        server = self.follower.value("SELECT system_identifier::text FROM pg_control_system()")
        return rf"pg\_{number}\_sync\_%\_{server}"

    def _drop_slots(self, which: str) -> None:
        query = f"SELECT slot_name, active_pid FROM pg_replication_slots WHERE {which}"  # noqa: S608
        ends = time.monotonic() + ENDING
        while found := self.source.rows(query):
            for name, pid in found:
                if pid is None:
                    self.source.rows("SELECT pg_drop_replication_slot(:name)", name=name)
                elif time.monotonic() > ends:
                    raise MoveError(f"slot {name} of the {self.source.name} is in use and cannot be dropped")
                else:
                    self.source.rows("SELECT pg_terminate_backend(:pid, 1000)", pid=pid)


def create_replication_role(endpoint: DatabaseEndpoint) -> None:
    if not endpoint.has_role(endpoint.replication_role.strip('"')):
        endpoint.run(f"CREATE ROLE {endpoint.replication_role} NOLOGIN")


def drop_replication_role(endpoint: DatabaseEndpoint) -> None:
    """With all that it was given; it owns nothing."""
    if endpoint.has_role(endpoint.replication_role.strip('"')):
        endpoint.run(f"ALTER ROLE {endpoint.replication_role} NOLOGIN")
        endpoint.end_sessions(endpoint.replication_role.strip('"'))
        endpoint.run(
            f"GRANT {endpoint.replication_role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE",
            f"DROP OWNED BY {endpoint.replication_role}",
            f"DROP ROLE {endpoint.replication_role}",
        )
