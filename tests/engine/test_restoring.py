"""Tenants' data is restored on the real engine, and what was deleted is back."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.sandbox.psql import login
from tests.engine.live import OTHER, POOLED, SHARED, SILOED, Live

COPIED = "delta-invoice"
ENTRY = f"""
{COPIED}:
  name: Delta Invoice
  isolation: pool
  residency: eu
  plan: standard
  contacts: {{email: ops@{COPIED}.example}}
"""


def onboard(live: Live) -> None:
    """The tenant that moves by a copy joins those of the small cell."""
    live.registry.write_text(live.registry.read_text("utf-8").rstrip("\n") + "\n" + ENTRY, "utf-8")
    run = live.up()
    assert run.status == 0, run.output


def moment() -> str:
    """A whole second between what was written before it and what is written after."""
    time.sleep(1.5)
    found = datetime.now(UTC)
    time.sleep(1.5)
    return f"{found:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.slow
def test_tenants_are_restored_to_a_moment_and_nobody_else_notices(live: Live) -> None:
    """One with an instance of its own, and one of the pool, whose rows alone come out of its shard.

    Beside them one moves by a copy, which has a table that cannot follow.
    """
    restored, everybody = (SILOED, POOLED), (SILOED, POOLED, OTHER)
    onboard(live)
    live.psql(COPIED, "CREATE TABLE log (said text)")
    for tenant in everybody:
        live.psql(tenant, "CREATE TABLE kept (id int PRIMARY KEY, said text)")
        live.psql(tenant, "INSERT INTO kept VALUES (1, 'early'), (2, 'lost')")
    at = moment()
    for tenant in everybody:
        live.psql(tenant, "DELETE FROM kept WHERE id = 2")
        live.psql(tenant, "INSERT INTO kept VALUES (3, 'after')")
    answer: dict[str, Any] = {}
    begin = ("restore", "{}", "--at", at, "--soak-days", "0")
    copying = ("move", "{}", "--to", "silo", "--by", "copy", "--soak-days", "0")
    for number in range(6):
        for tenant, first in ((SILOED, begin), (POOLED, begin), (COPIED, copying)):
            words = ("move", "{}") if number else first
            live.tenants_command(*(word.format(tenant) for word in words))
        live.psql(COPIED, "INSERT INTO log VALUES ('twice'), ('twice')")
        run = live.up()
        assert run.status == 0, run.output
        others = [s.name for s in run.changes if not any(t in s.name for t in (*restored, COPIED))]
        assert [name for name in others if not name.startswith(SHARED)] == []
        assert run.counts.keys() <= {"create", "update", "delete"}, "nothing is replaced"
        answer |= live.outputs()["moves"]
        if number == 1:
            assert [answer[t]["counts"] for t in restored] == [{"kept": {"origin": 2, "target": 2}}] * 2
            assert answer[POOLED]["copiedRows"] == 2
            assert {answer[t]["serves"] for t in restored} == {"origin"}
            assert all("after" in live.psql(t, "TABLE kept") for t in restored)
    for tenant in restored:
        rows = live.psql(tenant, "SELECT said FROM kept ORDER BY id")
        assert ("early" in rows, "lost" in rows, "after" in rows) == (True, True, False)
        assert answer[tenant]["dump"]["key"].startswith(f"moves/{tenant}-origin-")
    assert "after" in live.psql(OTHER, "TABLE kept")
    assert live.psql(COPIED, "SELECT count(*) FROM log").split()[2] == "12", "each of them twice"
    assert (answer[COPIED]["serves"], answer[COPIED]["notes"]) == ("target", [])
    names = [r.outputs["identifier"] for r in live.cloud().all("aws:rds/instance:Instance")]
    assert sorted(n for n in names if any(t in n for t in (*restored, COPIED))) == [
        f"tenantry-dev-silo-{POOLED}",
        f"tenantry-dev-silo-{COPIED}",
        f"tenantry-dev-silo2-{SILOED}",
    ]
    for tenant, silo in ((SILOED, "silo2"), (POOLED, "silo"), (COPIED, "silo")):
        assert login(live.service, tenant, live.stack).instance.name == f"tenantry-dev-{silo}-{tenant}"
    again = live.preview()
    assert again.changes == (), again.output
