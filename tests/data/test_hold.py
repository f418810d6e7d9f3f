"""While a tenant moves, its places are looked after as ever, and who may log in is the move's to say."""

from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from functions.tenant_bootstrap import guards
from tests.data.shard import Shard

OTHER_PLACE = "silo.mock.eu-west-1.rds.amazonaws.com"


def logins(shard: Shard) -> Any:
    """What the move decides: whether one may log in, and with which password."""
    return shard.server.rows(
        shard.database,
        f"SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = '{shard.role(shard.acme)}'",
    )


def carried(shard: Shard) -> str:
    """The role that carries the rows, with what the move gives it; its name."""
    mover = f"m_{shard.role(shard.acme)}"
    shard.master(
        f"CREATE ROLE {mover} NOLOGIN",
        f"GRANT {shard.role(shard.acme)} TO {mover}",
        f"GRANT USAGE ON SCHEMA {shard.role(shard.acme)} TO {mover}",
    )
    return mover


def may(shard: Shard, mover: str) -> Any:
    role = shard.role(shard.acme)
    return shard.master(
        f"SELECT pg_has_role('{mover}', '{role}', 'MEMBER'),"
        f" (SELECT position('{mover}=' IN nspacl::text) > 0 FROM pg_namespace WHERE nspname = '{role}')"
    )[0]


@pytest.mark.parametrize("login", ["LOGIN", "NOLOGIN"])
def test_login_password_and_secret_stay_as_the_move_has_left_them(shard: Shard, login: str) -> None:
    shard.master(f"ALTER ROLE {shard.role(shard.acme)} {login}")
    before, versions = logins(shard), dict(shard.secrets.versions[shard.secret_arn(shard.acme)])
    for suspended in (False, True):
        done = shard.place(shard.acme, "update", hold=True, login=not suspended, host=OTHER_PLACE)
        assert done["login"] is None
    assert logins(shard) == before
    assert shard.secrets.versions[shard.secret_arn(shard.acme)] == versions


def test_a_session_goes_on(shard: Shard) -> None:
    with shard.session(shard.acme) as session:
        shard.place(shard.acme, "update", hold=True, login=False)
        assert session.run("SELECT payer FROM ledger") == [[f"of {shard.acme}"]]


def test_a_new_place_is_made_and_nobody_logs_in(empty: Shard) -> None:
    empty.new_password(empty.acme, "of the place that serves")
    empty.place(empty.acme, hold=True, host=OTHER_PLACE)
    assert logins(empty) == [[False, None]]
    assert empty.master(f"SELECT 1 FROM pg_namespace WHERE nspname = '{empty.role(empty.acme)}'") == [[1]]
    assert empty.secret(empty.acme)["password"] == "of the place that serves"
    with pytest.raises(DatabaseError, match="password authentication failed"):
        empty.run(empty.acme, "SELECT 1")


def test_the_guards_are_restored_as_ever(shard: Shard) -> None:
    role = shard.role(shard.acme)
    shard.master(
        f"GRANT {shard.role(shard.bolt)} TO {role}",
        f"GRANT USAGE ON SCHEMA {role} TO {shard.role(shard.bolt)}",
        f"GRANT CREATE ON DATABASE {shard.database} TO PUBLIC",
    )
    shard.place(shard.acme, "update", hold=True, connections=3)
    assert may(shard, shard.role(shard.bolt)) == [False, False]
    assert shard.master(f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{role}'") == [[3]]
    assert shard.master(f"SELECT has_database_privilege('{role}', current_database(), 'CREATE')") == [[False]]


def test_the_role_that_carries_the_rows_is_let_alone_only_while_the_tenant_moves(shard: Shard) -> None:
    mover = carried(shard)
    shard.place(shard.acme, "update", hold=True)
    assert may(shard, mover) == [True, True]
    shard.place(shard.acme, "update")
    assert may(shard, mover) == [False, False]


def test_another_tenants_carrier_is_never_let_in(shard: Shard) -> None:
    mover = f"m_{shard.role(shard.bolt)}"
    shard.master(f"CREATE ROLE {mover}", f"GRANT {shard.role(shard.acme)} TO {mover}")
    shard.place(shard.acme, "update", hold=True)
    assert may(shard, mover)[0] is False


def test_the_end_of_a_held_place_leaves_what_the_move_has_left(shard: Shard) -> None:
    """When the function is made anew in the middle of a move, every place is ended and made again."""
    before = logins(shard)
    with shard.session(shard.acme) as session:
        assert shard.place(shard.acme, "delete", hold=True)["login"] is None
        assert session.run("SELECT 1") == [[1]]
    assert logins(shard) == before


def test_after_the_move_the_place_that_serves_opens_with_the_secret_as_it_is(shard: Shard) -> None:
    shard.place(shard.acme, "update", hold=True)
    shard.master(f"ALTER ROLE {shard.role(shard.acme)} NOLOGIN")
    before = shard.secret(shard.acme)
    assert shard.place(shard.acme, "update")["login"] is True
    assert shard.run(shard.acme, "SELECT 1") == [[1]]
    assert shard.secret(shard.acme) == before


def test_webhooks_are_signed_from_the_first_on(shard: Shard) -> None:
    arn = shard.secret_arn(shard.acme).replace("/database-", "/webhook-")
    shard.place(shard.acme, "update", hold=True, webhookSecret=arn)
    signed = shard.secrets.read(arn)
    assert signed is not None
    assert len(signed["key"]) == 48


def test_the_login_is_one_of_the_guards(shard: Shard) -> None:
    """Renaming it would silently hold nothing."""
    assert len(guards.held(guards.GUARDS)) == len(guards.GUARDS) - len(guards.LOGIN) > 0
    assert {g.name for g in guards.GUARDS} > guards.LOGIN
