"""Which limits a tenant lifts by itself, on a real server, and that those of the server hold."""

from dataclasses import asdict

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.session_watch.limits import ACTIVE, LOCKS, OF_SESSIONS, TEMP, Limits
from plan.data.databases import PARAMETERS
from plan.data.tenant_limits import (
    TENANT_LIMITS,
    TRANSACTION_SECONDS,
    Holder,
    SessionLimits,
    session_limits,
)
from plan.tenants.placement import SqlLimits
from tests.components.parts import shard_plan
from tests.data.shard import Shard

SETTINGS = {limit.setting: limit.lifted for limit in TENANT_LIMITS if limit.setting}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_table_says_what_a_tenant_lifts(steady: Shard, setting: str) -> None:
    role = steady.role(steady.acme)
    for statement in (f"SET {setting} TO DEFAULT", f"ALTER ROLE {role} SET {setting} TO DEFAULT"):
        if SETTINGS[setting]:
            steady.run(steady.acme, statement)
            continue
        with pytest.raises(DatabaseError, match=r"permission denied to set parameter|cannot be changed"):
            steady.run(steady.acme, statement)


def test_what_a_tenant_lifts_is_held_by_somebody_else_or_bounded_otherwise() -> None:
    lifted = {limit.setting for limit in TENANT_LIMITS if limit.lifted and limit.holder is Holder.SERVER}
    assert lifted == {"work_mem"}, "of which nothing but the number of processes is held"
    watched = [limit.takes for limit in TENANT_LIMITS if limit.holder is Holder.WATCH]
    assert len(watched) == len({*OF_SESSIONS, LOCKS, TEMP, ACTIVE})


def test_the_number_of_sessions_is_not_a_tenants_to_change(steady: Shard) -> None:
    with pytest.raises(DatabaseError, match="permission denied to alter role"):
        steady.run(steady.acme, f"ALTER ROLE {steady.role(steady.acme)} CONNECTION LIMIT -1")


def test_temporary_files_of_a_process_end_at_the_servers_limit(shard: Shard) -> None:
    shard.server.superuser(f"ALTER ROLE {shard.role(shard.acme)} SET temp_file_limit = '1MB'")
    big = "SELECT count(*) FROM (SELECT md5(g::text) FROM generate_series(1, 100000) g ORDER BY 1 OFFSET 0) x"
    with pytest.raises(DatabaseError, match="temporary file size exceeds"):
        shard.run(shard.acme, "SET work_mem = '64kB'", big)


def test_a_transaction_is_bound_at_login(shard: Shard) -> None:
    limits = SqlLimits(connections=5)
    shard.place(shard.acme, "update", transactionMs=limits.transaction_ms)
    assert shard.run(shard.acme, "SHOW transaction_timeout") == [["5min"]]
    shard.place(shard.acme, "update", transactionMs=700)
    with pytest.raises((DatabaseError, InterfaceError), match=r"transaction timeout|network error"):
        shard.run(shard.acme, "BEGIN", "SELECT pg_sleep(3)", "SELECT 1")


def test_the_parameter_group_has_what_the_server_holds() -> None:
    given = {p.name: p for p in PARAMETERS}
    for limit in TENANT_LIMITS:
        if limit.setting and not limit.lifted:
            assert limit.setting in given
    assert given["max_locks_per_transaction"].apply_method == "pending-reboot"


def test_who_keeps_to_what_is_bound_at_login_is_not_ended_from_outside() -> None:
    limits, bound = session_limits(shard_plan("dev")), SqlLimits(connections=5)
    assert limits.statement_seconds * 1000 > bound.statement_ms
    assert limits.idle_seconds * 1000 > bound.idle_ms
    assert limits.transaction_seconds > TRANSACTION_SECONDS
    assert (
        asdict(limits).keys()
        == Limits.__dataclass_fields__.keys()
        == SessionLimits.__dataclass_fields__.keys()
    )
