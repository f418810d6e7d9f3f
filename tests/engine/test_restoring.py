"""A tenant's own database is restored on the real engine, and what was deleted is back."""

import time
from datetime import UTC, datetime

from sandbox.commands.psql import login
from tests.engine.live import OTHER, SILOED, Live


def moment() -> str:
    """A whole second between what was written before it and what is written after."""
    time.sleep(1.5)
    found = datetime.now(UTC)
    time.sleep(1.5)
    return f"{found:%Y-%m-%dT%H:%M:%SZ}"


def test_a_silo_is_restored_to_a_moment_and_nobody_else_notices(live: Live) -> None:
    run = live.up()
    assert run.status == 0, run.output
    for tenant in (SILOED, OTHER):
        live.psql(tenant, "CREATE TABLE kept (id int PRIMARY KEY, said text)")
        live.psql(tenant, "INSERT INTO kept VALUES (1, 'early'), (2, 'lost')")
    at = moment()
    for tenant in (SILOED, OTHER):
        live.psql(tenant, "DELETE FROM kept WHERE id = 2")
        live.psql(tenant, "INSERT INTO kept VALUES (3, 'after')")
    told = {}
    begin = ("restore", SILOED, "--at", at, "--soak-days", "0")
    for number, words in enumerate((begin, *[("move", SILOED)] * 5)):
        run = live.step(*words)
        assert run.status == 0, run.output
        assert [s.name for s in run.changes if SILOED not in s.name] == []
        assert run.counts.keys() <= {"create", "update", "delete"}, "nothing is replaced"
        told = live.outputs()["moves"].get(SILOED, told)
        if number == 1:
            assert told["counts"] == {"kept": {"origin": 2, "target": 2}}
            assert (told["serves"], "after" in live.psql(SILOED, "TABLE kept")) == ("origin", True)
    rows = live.psql(SILOED, "SELECT said FROM kept ORDER BY id")
    assert ("early" in rows, "lost" in rows, "after" in rows) == (True, True, False)
    assert told["dump"]["key"].startswith(f"moves/{SILOED}-origin-")
    assert login(live.service, SILOED, live.stack).instance.name == f"tenantry-dev-silo2-{SILOED}"
    assert "after" in live.psql(OTHER, "TABLE kept")
    names = [r.outputs["identifier"] for r in live.cloud().all("aws:rds/instance:Instance")]
    assert [n for n in names if SILOED in n] == [f"tenantry-dev-silo2-{SILOED}"]
    again = live.preview()
    assert again.changes == (), again.output
