"""Each guard of the bootstrap function is needed: with it the attack is refused, without it, it works.

A row below is a state of the database (from the time before the function, or made by hand after it) and
what somebody then tries. Taking the named guard away must let them through, or the guard is idle words.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from functions.tenant_bootstrap import handler
from functions.tenant_bootstrap.guards import GUARDS, Guard, RefusedError
from tests.data.server import MASTER, OTHER, PASSWORD
from tests.data.shard import Shard, names, without


def nothing(_: Shard) -> None:
    pass


@dataclass(frozen=True)
class Attack:
    """`found` is how things stand before the function runs (again); `attempt` returns what it got.

    `got` is that, in its last column, once the guard is away.
    """

    guard: str
    attempt: Callable[[Shard], Any]
    got: str
    message: str
    found: Callable[[Shard], None] = nothing
    changes: tuple[tuple[str, Any], ...] = ()


def _made_by_hand(attributes: str) -> Callable[[Shard], None]:
    return lambda s: s.master(f"CREATE ROLE {s.role(s.acme)} LOGIN {attributes}")


def _after_opening(*statements: str) -> Callable[[Shard], None]:
    """Both tenants are placed, and then the administrator's hand slips."""

    def found(s: Shard) -> None:
        s.opened()
        s.run(s.bolt, "GRANT SELECT ON ledger TO PUBLIC")
        s.master(*(x.format(a=s.role(s.acme), b=s.role(s.bolt), d=s.database) for x in statements))

    return found


def _as_acme(*statements: str) -> Callable[[Shard], Any]:
    return lambda s: s.run(
        s.acme, *(x.format(a=s.role(s.acme), b=s.role(s.bolt), n=s.number) for x in statements)
    )


def _gives_away(s: Shard) -> Any:
    s.run(s.bolt, f"GRANT USAGE ON SCHEMA {s.role(s.bolt)} TO {s.role(s.acme)}")
    return _reads_bolt(s)


_reads_bolt = _as_acme("SELECT payer FROM {b}.ledger")


def _stranger(s: Shard) -> Any:
    s.master(f"CREATE ROLE stranger{s.number} LOGIN PASSWORD '{PASSWORD}'")
    with closing(s.server.connect(f"stranger{s.number}", database=s.database)) as session:
        return session.run("SELECT current_user")


def _other_database(s: Shard) -> Any:
    with s.session(s.acme, OTHER) as session:
        return session.run("SELECT current_database()")


def _two_at_once(s: Shard) -> Any:
    with s.session(s.acme), s.session(s.acme) as second:
        return second.run("SELECT current_user")


def _own_time(s: Shard) -> None:
    s.opened()
    s.run(s.acme, f"ALTER ROLE {s.role(s.acme)} SET statement_timeout = 0")


DENIED = "permission denied"
ATTACKS = {
    "takes rights that the role had before": Attack(
        "role has no attributes",
        _as_acme("CREATE DATABASE evil{n}", "SELECT datname FROM pg_database WHERE datname = 'evil{n}'"),
        "evil{n}",
        DENIED,
        _made_by_hand("CREATEDB CREATEROLE"),
    ),
    "uses a membership to become B": Attack(
        "role has no memberships",
        _as_acme("SET ROLE {b}", "SELECT payer FROM {b}.ledger"),
        "of {bolt}",
        DENIED,
        _after_opening("GRANT {b} TO {a}"),
    ),
    "takes all the time that it likes": Attack(
        "settings bound to the role",
        _as_acme("SELECT pg_sleep(0.5), current_setting('statement_timeout')"),
        "0",
        "canceling statement due to statement timeout",
        _own_time,
        (("statementMs", 150),),
    ),
    "takes all connections": Attack(
        "connection limit",
        _two_at_once,
        "{a}",
        "too many connections for role",
        changes=(("connections", 1),),
    ),
    "comes in as nobody's tenant": Attack(
        "no public connect", _stranger, "stranger{n}", "permission denied for database"
    ),
    "shadows names by a temporary table": Attack(
        "no temporary tables",
        _as_acme(
            "CREATE TEMPORARY TABLE ledger (id int)",
            "SELECT relpersistence FROM pg_class WHERE oid = 'ledger'::regclass",
        ),
        "t",
        "permission denied to create temporary tables",
    ),
    "makes a schema": Attack(
        "no create in the database",
        _as_acme("CREATE SCHEMA evil{n}", "SELECT nspname FROM pg_namespace WHERE nspname = 'evil{n}'"),
        "evil{n}",
        "permission denied for database",
        _after_opening("GRANT CREATE ON DATABASE {d} TO PUBLIC"),
    ),
    "goes to another database": Attack(
        "other databases closed", _other_database, OTHER, "permission denied for database"
    ),
    "leaves something where all look": Attack(
        "public schema closed",
        _as_acme("CREATE TABLE public.ledger (id int)", "SELECT count(*) FROM public.ledger"),
        "0",
        "permission denied for schema public",
    ),
    "walks in by an open door": Attack(
        "schema private",
        _reads_bolt,
        "of {bolt}",
        DENIED,
        _after_opening("GRANT USAGE ON SCHEMA {b} TO PUBLIC"),
    ),
    "walks in by a door that was opened for it": Attack(
        "schema private", _reads_bolt, "of {bolt}", DENIED, _after_opening("GRANT USAGE ON SCHEMA {b} TO {a}")
    ),
    "is let in by B": Attack(
        "schema usable by its tenant",
        _gives_away,
        "of {bolt}",
        DENIED,
        _after_opening("GRANT USAGE ON SCHEMA {b} TO {b} WITH GRANT OPTION"),
    ),
    "comes in while suspended": Attack(
        "login",
        _as_acme("SELECT current_user"),
        "{a}",
        "is not permitted to log in",
        _after_opening("SELECT 1"),
        (("login", False),),
    ),
}
# Guards whose absence opens nothing by itself: a test of their own says what they are for.
ELSEWHERE = {"role made", "schema made", "sessions watched"}


def run_all(s: Shard, attack: Attack, guards: Sequence[Guard]) -> None:
    attack.found(s)
    for tenant in (s.acme, s.bolt):
        s.place(tenant, "update", guards, **dict(attack.changes))


@pytest.mark.parametrize("name", ATTACKS)
def test_with_all_guards_the_attack_is_refused(empty: Shard, name: str) -> None:
    attack = ATTACKS[name]
    run_all(empty, attack, GUARDS)
    with pytest.raises(DatabaseError, match=attack.message):
        attack.attempt(empty)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_works(empty: Shard, name: str) -> None:
    attack = ATTACKS[name]
    run_all(empty, attack, without(attack.guard))
    (row,) = attack.attempt(empty)
    assert str(row[-1]) == attack.got.format(a=empty.role(empty.acme), bolt=empty.bolt, n=empty.number)


def test_every_guard_is_shown_to_be_needed() -> None:
    assert {a.guard for a in ATTACKS.values()} | ELSEWHERE == set(names(GUARDS))


def test_a_role_that_reads_every_change_is_refused_and_would_not_be_without_the_guard(empty: Shard) -> None:
    role = empty.role(empty.acme)
    empty.opened()
    empty.server.superuser(f"ALTER ROLE {role} REPLICATION")
    with pytest.raises(RefusedError, match=f"role {role} is a superuser, replicates or bypasses"):
        empty.place(empty.acme, "update")
    empty.place(empty.acme, "update", without("role made"))
    slot = f"SELECT slot_name FROM pg_create_logical_replication_slot('evil{empty.number}', 'pgoutput', true)"
    assert empty.run(empty.acme, slot) == [[f"evil{empty.number}"]]


def test_a_schema_of_a_tenant_of_its_own_is_refused_and_would_be_given_away(empty: Shard) -> None:
    role = empty.role(empty.bolt)
    empty.opened()
    empty.server.superuser(f"ALTER SCHEMA {role} OWNER TO {role}", database=empty.database)
    empty.run(empty.bolt, "GRANT SELECT ON ledger TO PUBLIC")
    with pytest.raises(RefusedError, match=f"schema {role} belongs to {role}, expected the administrator"):
        empty.place(empty.bolt, "update")
    empty.place(empty.bolt, "update", [g for g in without("schema made") if not g.name.startswith("schema")])
    assert _gives_away(empty) == [[f"of {empty.bolt}"]]


def test_what_the_function_may_not_take_back_stops_it(empty: Shard) -> None:
    """A membership that only AWS can have given: better no tenant than one that reads everything."""
    empty.opened()
    empty.server.superuser(f"GRANT pg_read_all_data TO {empty.role(empty.acme)}")
    with pytest.raises(handler.BootstrapError, match="permission denied to revoke role"):
        empty.place(empty.acme, "update")


def test_a_stopped_run_changes_nothing(empty: Shard) -> None:
    def breaks(*_: Any) -> Any:
        yield "SELECT 1 / 0"

    with pytest.raises(handler.BootstrapError, match="division by zero"):
        empty.place(empty.acme, guards=[*GUARDS, Guard("breaks", breaks)])
    assert empty.master(f"SELECT 1 FROM pg_roles WHERE rolname = '{empty.role(empty.acme)}'") == []


def test_the_administrator_is_no_superuser_in_these_tests(empty: Shard) -> None:
    """As on RDS, or every statement would be allowed here and refused there."""
    assert empty.master(f"SELECT rolsuper FROM pg_roles WHERE rolname = '{MASTER}'") == [[False]]
