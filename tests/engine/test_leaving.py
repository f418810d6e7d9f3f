"""Tenants leave on the real engine, from their suspension to a certificate that says what is gone."""

import datetime
import json
import sys
from typing import Any

import pytest

from functions.tenant_leaving.certificate import verify
from tests.engine.live import OTHER, POOLED, SILOED, Live
from tests.engine.workspace import Run

LEAVERS = (POOLED, SILOED)
ROWS = "CREATE TABLE kept AS SELECT n FROM generate_series(1, 100) n"
YESTERDAY = datetime.date.today() - datetime.timedelta(days=1)
WAITED = 8  # days


def answers(live: Live, run: Run) -> dict[str, Any]:
    """What the step told of each; nobody else's resources were touched."""
    assert run.status == 0, run.output
    assert [s.name for s in run.changes if not any(id_ in s.name for id_ in LEAVERS)] == []
    found = live.outputs()["leaving"]
    return {id_: found.get(id_) for id_ in LEAVERS}


def offboard(live: Live, *options: str) -> dict[str, Any]:
    return answers(live, live.step("offboard", *LEAVERS, "--many", *options))


@pytest.mark.slow
def test_two_tenants_leave_with_their_data_and_nothing_is_left_but_the_proof(live: Live) -> None:
    for tenant in (*LEAVERS, OTHER):
        assert "SELECT 100" in live.psql(tenant, ROWS)
    live.tenants_command("rotate-key", SILOED)  # so that it leaves with two keys, by the same run
    offboard(live)
    for tenant in LEAVERS:
        assert "is not permitted to log in" in live.psql(tenant, "SELECT 1")
    handed = offboard(live)
    assert {id_: (t["verified"], t["rows"]) for id_, t in handed.items()} == dict.fromkeys(
        LEAVERS, (True, 100)
    )
    offboard(live, "--retain-until", str(YESTERDAY), "--key-days", "7")
    assert states(offboard(live)) == {POOLED: ["PendingDeletion"], SILOED: ["PendingDeletion"] * 2}
    taken_back = offboard(live, "--cancel")
    assert states(taken_back) == {POOLED: ["Enabled"], SILOED: ["Enabled"] * 2}
    assert {t["cancelled"] for t in taken_back.values()} == {True}
    closed = offboard(live)
    known = {r["urn"] for r in live.state()}
    run = live.refresh()
    assert (run.status, {r["urn"] for r in live.state()}) == (0, known), run.output
    assert states(closed) == {POOLED: ["PendingDeletion"], SILOED: ["PendingDeletion"] * 2}

    too_early(live)
    live.wait(WAITED)
    answers(live, live.up())
    assert [r["urn"] for r in live.state() if any(f"{i}-tenant" in r["urn"] for i in LEAVERS)] == []
    assert [r.urn for r in live.everything() if any(f"{i}-tenant" in r.urn for i in LEAVERS)] == []
    for tenant, result in offboard(live).items():
        certificate = json.loads(object_of(live, result["bucket"], result["certificate"]))
        assert verify(certificate)
        assert (certificate["tenant"], certificate["sha256"]) == (tenant, result["sha256"])
        assert dates([certificate["key"], *certificate["earlierKeys"]], "arn") == dates(
            keys_of(closed[tenant]), "key"
        )
        assert not verify({**certificate, "issued": "2020-01-01T00:00:00+00:00"})
    assert "100" in live.psql(OTHER, "SELECT count(*) FROM kept")
    assert "does not exist" in live.psql(OTHER, "SELECT * FROM t_amber_pay.kept")
    again = live.preview()
    assert (again.status, again.changes) == (0, ()), again.output


def too_early(live: Live) -> None:
    """A day that is not so lets the registry go on, and no key: the run fails, and the next stage waits."""
    live.env["TENANTRY_TODAY"] = str(datetime.date.today() + datetime.timedelta(days=WAITED))
    run = live.step("offboard", *LEAVERS, "--many")
    assert run.status != 0
    assert "so nothing is erased yet" in run.output
    for tenant in LEAVERS:
        result = live.tenants_command("move", tenant, "--status")
        assert (
            f"the run of erasing has not come to its end, the last that did left {tenant} at closing"
            in result
        )


def keys_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer, *answer.get("earlierKeys", ())]


def states(answer: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {id_: [key["state"] for key in keys_of(t)] for id_, t in answer.items()}


def dates(keys: list[dict[str, Any]], arn: str) -> dict[str, str]:
    return {key[arn]: key["deletionDate"] for key in keys}


def object_of(live: Live, bucket: str, key: str) -> str:
    """As somebody fetches it who may."""
    body = f"boto3.client('s3').get_object(Bucket='{bucket}', Key='{key}')['Body'].read().decode()"
    command = (sys.executable, "-c", f"import boto3; print({body})")
    done = live.sandbox_command("as", "tenantry-dev-leaver", "--", *command)
    assert done.returncode == 0, done.stderr
    return done.stdout
