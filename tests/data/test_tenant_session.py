"""The session in which a tenant's rows are read has its rights, nobody else's, and leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError

from functions.common.database_endpoint import DatabaseEndpoint, MoveError, administrator_at
from functions.common.tenant_session import as_tenant, session_role
from functions.tenant_data.request import parse
from tests.data.moving import Journey
from tests.data.server import Server


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run("CREATE TABLE one (id int PRIMARY KEY)", "INSERT INTO one VALUES (1)")
    return found


@contextmanager
def administrator(journey: Journey) -> Iterator[DatabaseEndpoint]:
    request = parse(journey.event("prepare"))
    with administrator_at("origin", request.origin, request, journey.open, journey.secrets) as endpoint:
        endpoint.grant_tenant_role()
        yield endpoint


def roles(journey: Journey) -> list[str]:
    return [
        str(n) for (n,) in journey.peek("origin", "SELECT rolname FROM pg_roles WHERE rolname LIKE 's\\_%'")
    ]


def test_it_has_the_tenants_rights_and_nobody_elses(journey: Journey) -> None:
    with administrator(journey) as endpoint, as_tenant(endpoint, journey.open) as tenant:
        assert tenant.value("SELECT current_user") == journey.role
        assert tenant.value("SELECT count(*) FROM " + tenant.named("one")) == 1
        tenant.run("RESET ROLE")
        found = tenant.rows(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
            " ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE pg_has_role(u.oid, r.oid, 'MEMBER')"
            " ORDER BY 1)"
            " FROM pg_roles u WHERE rolname = current_user"
        )
        assert [list(row) for row in found] == [[*[False] * 5, [session_role(tenant.request), journey.role]]]
        for more in (endpoint.replication_role, "platform"):
            with pytest.raises(DatabaseError, match=r"permission denied to set role|does not exist"):
                tenant.run(f"SET ROLE {more}")
    assert roles(journey) == []


def test_what_a_killed_worker_left_is_taken_away_and_what_it_owned_is_the_tenants(journey: Journey) -> None:
    with administrator(journey) as endpoint:
        kept = as_tenant(endpoint, journey.open)
        left = kept.__enter__()
        name = session_role(endpoint.request)
        left.run(
            f"GRANT SELECT ON {left.named('one')} TO {name}",
            "RESET ROLE",
            f"CREATE TABLE {left.named('its')} (id int)",
        )
        with as_tenant(endpoint, journey.open) as tenant:
            assert tenant.value("SELECT current_user") == journey.role
            with pytest.raises(Exception, match=r"terminat|closed|network"):
                left.rows("SELECT 1")
        assert roles(journey) == []
        owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'its'"
        assert endpoint.value(owner) == journey.role


def test_a_failure_in_it_is_what_is_told_and_the_role_goes(journey: Journey) -> None:
    with administrator(journey) as endpoint:
        with pytest.raises(MoveError, match="first"), as_tenant(endpoint, journey.open):
            raise MoveError("first")
        assert roles(journey) == []
        endpoint.run(f"DROP OWNED BY {endpoint.role}", f"DROP ROLE {endpoint.role}")
        with pytest.raises(MoveError, match="has no role at the origin"), as_tenant(endpoint, journey.open):
            pass
