"""Somebody looks at each shard all the time, as a user who can do little, and is missed when nobody does."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from components.operations.session_watch import SessionWatch, SessionWatchArgs
from devtools.mocks import Recording
from functions.session_watch.handler import NAMESPACE, USER, event_of
from functions.session_watch.limits import Excess, Limits, Session
from functions.session_watch.request import parse
from functions.tenant_bootstrap.watch_rights import WATCH
from plan.services import session_watch as plan_of_watch
from plan.services.session_watch import plan_session_watch
from tests.components.parts import make_database, names, record, shard_plan, shared
from tests.data.test_session_watch import EVENT

ACCOUNT = "111122223333"


@cache
def made() -> Recording:
    def make() -> None:
        shard = shard_plan("dev")
        plan = plan_session_watch(names(), [shard])
        assert plan is not None
        SessionWatch(
            "session-watch",
            SessionWatchArgs(
                plan=plan,
                shards={shard.name: make_database(shard, "dev")},
                subnet_ids=["subnet-1"],
                group_id="sg-functions",
                shared=shared(),
            ),
        )

    return record(make)


def statements(kind: str, name: str, key: str) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in json.loads(made().one(kind, name).inputs[key])["Statement"]}


def test_no_shard_needs_no_watch() -> None:
    assert plan_session_watch(names(), []) is None


def test_the_function_may_log_in_as_the_watch_and_as_nobody_else() -> None:
    found = statements("iam/rolePolicy:RolePolicy", "session-watch-policy", "policy")
    assert found["LogInAsTheWatch"]["Resource"] == [f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:*/{USER}"]
    assert {a for s in found.values() for a in s["Action"] if a.startswith(("secrets", "rds:"))} == set()
    assert USER == WATCH == plan_of_watch.DATABASE_USER


def test_calls_overlap_so_that_a_session_is_always_open() -> None:
    given = made().one("scheduler/schedule:Schedule", f"session-watch-{shard_plan('dev').name}").inputs
    function = made().one("lambda/function:Function", "session-watch-function").inputs
    seconds = json.loads(given["target"]["input"])["seconds"]
    assert given["scheduleExpression"] == "rate(1 minute)"
    assert given["flexibleTimeWindow"]["mode"] == "OFF"
    assert 60 < seconds < function["timeout"]
    assert function["reservedConcurrentExecutions"] >= 2


def test_what_the_schedule_sends_is_what_the_function_reads() -> None:
    target = (
        made().one("scheduler/schedule:Schedule", f"session-watch-{shard_plan('dev').name}").inputs["target"]
    )
    event = json.loads(target["input"])
    assert event.keys() == EVENT.keys()
    request = parse({**event, "host": "shard.rds.amazonaws.com", "port": 5432})
    assert request.limits.active == 2
    assert request.limits.statement_seconds > 60


@pytest.mark.parametrize(
    ("key", "metric", "severity", "absent"),
    [
        ("ended", "SessionsEnded", "ticket", "notBreaching"),
        ("blind", "Looks", "page", "breaching"),
    ],
)
def test_somebody_is_told(key: str, metric: str, severity: str, absent: str) -> None:
    (given,) = [a.inputs for a in made().of("metricAlarm:MetricAlarm") if a.inputs["metricName"] == metric]
    shard = {"Shard": shard_plan("dev").name} if key == "blind" else {}
    assert given["dimensions"] == {"Cell": "dev", **shard}
    assert (given["namespace"], given["tags"]["severity"]) == (NAMESPACE, severity)
    assert given["treatMissingData"] == absent
    assert plan_of_watch.NAMESPACE == NAMESPACE


def test_an_event_makes_the_metric_that_the_alarm_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELL", "dev")
    request = parse(EVENT)
    session = Session(
        pid=7, role="t_acme", started=datetime.now(UTC), statement_seconds=99, transaction_seconds=99,
        idle_seconds=0, locks=1, temp_bytes=0, processes=1, waits=False,
    )  # fmt: skip
    line = json.loads(event_of(request, Excess(session, "statement", 99, 75)))
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric == {
        "Namespace": NAMESPACE,
        "Dimensions": [["Cell"]],
        "Metrics": [{"Name": "SessionsEnded", "Unit": "Count"}],
    }
    assert (line["Cell"], line["SessionsEnded"], line["Case"]) == ("dev", 1, "statement")
    assert isinstance(request.limits, Limits)
