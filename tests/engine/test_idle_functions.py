"""A cell in which nothing happened for months: the first tenant after that is onboarded by the first `up`."""

import sqlite3
from contextlib import closing
from typing import Final

import pytest

from sandbox.cloud.store import FILE
from tests.engine.live import Live

DAYS: Final = 60
REFUSAL: Final = "CodeArtifactUserPendingException: INFO: Lambda is initializing your function."


def onboard(live: Live, tenant: str) -> None:
    """Into the registry, after so many days without a call of anybody."""
    assert live.sandbox_command("clock", f"+{DAYS}").returncode == 0
    given = (f"name={tenant}", "isolation=pool", "residency=eu", "plan=starter")
    live.tenants_command("add", tenant, *given, f"contacts.email=ops@{tenant}.example", "--stack", live.stack)


@pytest.mark.slow
def test_a_tenant_is_onboarded_after_months_in_which_only_the_schedules_called(live: Live) -> None:
    onboard(live, "nova-pay")
    run = live.up()
    assert run.status == 0, run.output
    assert "t_nova_pay" in live.psql("nova-pay", "SELECT current_user")
    never_called(live)
    onboard(live, "opal-pay")
    run = live.up()
    assert run.status != 0
    assert REFUSAL in run.output
    run = live.up()
    assert run.status == 0, run.output
    assert "t_opal_pay" in live.psql("opal-pay", "SELECT current_user")


def never_called(live: Live) -> None:
    """As if the schedules had never been made."""
    with closing(sqlite3.connect(live.sandbox / FILE)) as db, db:
        assert db.execute("DELETE FROM moments WHERE what = 'runs'").rowcount >= 8
