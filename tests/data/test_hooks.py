"""What a tenant hangs on its own tables runs as nobody but the tenant, whatever is done with its rows."""

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import BootstrapError
from functions.common.database_endpoint import MoveError
from tests.data.moving import STEPS, Journey
from tests.data.server import Server
from tests.waiting import wait_for

# Each hook says in the server's log as whom it runs.
HOOKS = (
    "CREATE FUNCTION seen(what text) RETURNS boolean LANGUAGE plpgsql AS"
    " $$BEGIN RAISE LOG 'hook of {role}: % as %', what, current_user; RETURN true; END$$",
    "CREATE DOMAIN code AS text CHECK ({role}.seen('domain'))",
    "CREATE DOMAIN number AS int CHECK ({role}.seen('domain of a key'))",
    "CREATE TYPE pair AS (a {role}.number, b text)",
    "CREATE TABLE by_domain (id number PRIMARY KEY, said code)",
    "CREATE TABLE by_pair (id pair PRIMARY KEY, said text)",
    "CREATE TABLE by_domains (ids number[] PRIMARY KEY, said text CHECK ({role}.seen('check')))",
    "CREATE FUNCTION as_text({role}.by_domain) RETURNS text LANGUAGE sql AS"
    " $$SELECT format('%s %s %s', $1.id, $1.said, {role}.seen('cast of a row'))$$",
    "CREATE CAST ({role}.by_domain AS text) WITH FUNCTION {role}.as_text({role}.by_domain)",
    "CREATE FUNCTION pair_as_text({role}.pair) RETURNS text LANGUAGE sql AS"
    " $$SELECT format('%s %s %s', $1.a, $1.b, {role}.seen('cast of a key'))$$",
    "CREATE CAST ({role}.pair AS text) WITH FUNCTION {role}.pair_as_text({role}.pair)",
)
ROWS = (
    "INSERT INTO by_domain SELECT g, 'x' || g FROM generate_series({0}, {1}) g",
    "INSERT INTO by_pair SELECT ROW(g, 'b')::pair, 'x' FROM generate_series({0}, {1}) g",
    "INSERT INTO by_domains SELECT ARRAY[g, g + 1]::number[], 'x' FROM generate_series({0}, {1}) g",
)
POLICY = (
    "ALTER TABLE by_domain ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE by_domain FORCE ROW LEVEL SECURITY",
    "CREATE POLICY own ON by_domain USING ({role}.seen('policy'))",
)
SEEN = re.compile(r"hook of (\w+): (.+) as (\w+)")


@pytest.fixture
def hooked(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(*(statement.format(role=found.role) for statement in HOOKS))
    write(found, 1, 40)
    return found


def write(journey: Journey, *numbers: int) -> None:
    journey.run(*(statement.format(*numbers) for statement in ROWS))


def seen(journey: Journey) -> set[tuple[str, str]]:
    """Hook and who ran it, on either server."""
    logs = (server.log for server in journey.servers.values())
    return {(what, who) for log in logs for role, what, who in SEEN.findall(log) if role == journey.role}


@contextmanager
def writing(journey: Journey) -> Iterator[None]:
    """All the while, so that rows are compared that were written since their table was."""
    over = threading.Event()

    def keep_on() -> None:
        for number in itertools.count(1000):
            if over.is_set():
                return
            with suppress(DatabaseError, InterfaceError, BootstrapError):  # it may not, or is shut out
                write(journey, number, number)

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("by", ["following", "copy"])
def test_no_hook_of_a_tenants_runs_as_anybody_else(hooked: Journey, by: str) -> None:
    more: dict[str, Any] = {} if by == "following" else {"by": by}
    with writing(hooked):
        for stage in STEPS:
            hooked.go(stage, **more)
    wait_for(lambda: len({what for what, _ in seen(hooked)}) >= 3, "hooks that ran")
    assert {(what, who) for what, who in seen(hooked) if who != hooked.role} == set()


@pytest.mark.parametrize("by", ["following", "copy"])
def test_a_policy_that_comes_during_a_move_stops_it_and_runs_as_nobody_else(hooked: Journey, by: str) -> None:
    more: dict[str, Any] = {} if by == "following" else {"by": by}
    for stage in STEPS[:2]:
        hooked.go(stage, **more)
    hooked.run(*(statement.format(role=hooked.role) for statement in POLICY))
    with pytest.raises(MoveError, match=r"row-level security policy for table \"by_domain\""):
        hooked.go("cutover", **more)
    assert hooked.serving == "origin"
    assert hooked.run("SELECT count(*) FROM by_domain") == [[40]]
    assert ("policy", hooked.role) in seen(hooked)
    assert {(what, who) for what, who in seen(hooked) if who != hooked.role} == set()
