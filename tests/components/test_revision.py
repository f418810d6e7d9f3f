"""A run fails unless a service runs what was asked for; what was not seen to run is deployed again."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi import Output, ResourceOptions
from pulumi_aws import ecs

from components.common import attempts
from components.common.attempts import Records, digest
from components.services.revision import record_running_revision, revision
from devtools import mocks
from devtools.mocks import Recording, run
from tests.components.edge_parts import cell, container, services, shared

PARAMETER = "/tenantry/dev/revisions/monolith"


@pytest.fixture
def a_new_attempt_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(attempts.ATTEMPT, raising=False)
    monkeypatch.setattr(attempts, "new_attempt", attempts.new_attempt.__wrapped__)


def attempt(asked: str, recorded: Mapping[str, str]) -> str:
    """The attempt of what is asked, where Parameter Store holds these records."""
    found: list[str] = []

    def program() -> None:
        records = Records(path="/tenantry/dev/revisions", values=Output.from_input(recorded))
        revision("monolith", Output.from_input(asked), records).attempt.apply(found.append)

    run(program)
    return found[0]


@pytest.mark.usefixtures("a_new_attempt_each_time")
def test_what_was_seen_to_run_keeps_its_attempt_and_what_else_is_asked_gets_another() -> None:
    recorded = {PARAMETER: json.dumps({"asked": digest("this"), "attempt": "kept"})}
    assert attempt("this", recorded) == "kept"
    assert len({attempt("that", recorded), attempt("that", recorded), attempt("this", {}), "kept"}) == 4


def recorded_by(running: str, monkeypatch: pytest.MonkeyPatch, *, preview: bool = False) -> Recording:
    """A run at whose end ECS runs this definition, and "asked" was asked for."""

    def program() -> None:
        service = ecs.Service("monolith", name="tenantry-dev-monolith", cluster="c", task_definition="asked")
        records = Records(path="/tenantry/dev/revisions", values=Output.from_input({}))
        wanted = revision("monolith", Output.from_input("all of it"), records)
        record_running_revision("monolith", wanted, service, "x:task/asked", ResourceOptions(parent=service))

    def call(_: object, args: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return {**args.args, "taskDefinition": running}, []

    monkeypatch.setattr(mocks.Echo, "call", call)
    return run(program, preview=preview)


def test_a_running_revision_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    made = recorded_by("x:task/asked", monkeypatch).one("ssm/parameter:Parameter", "monolith-revision")
    assert made.inputs["name"] == PARAMETER
    assert json.loads(made.inputs["insecureValue"])["asked"] == digest("all of it")


def test_another_revision_makes_the_run_fail_and_a_preview_only_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded_by("x:task/old", monkeypatch, preview=True)
    with pytest.raises(pulumi.RunError, match="tenantry-dev-monolith runs old, and asked was asked for"):
        recorded_by("x:task/old", monkeypatch)


@pytest.mark.parametrize("service", ["monolith", "reports"])
def test_both_services_are_looked_at_and_carry_their_attempt(service: str) -> None:
    recording = services("dev")
    label = container(recording, service)["dockerLabels"]["tenantry.attempt"]
    made = recording.one("ssm/parameter:Parameter", f"{service}-service-revision").inputs
    assert made["name"] == f"/tenantry/dev/revisions/{service}"
    assert json.loads(made["insecureValue"])["attempt"] == label


def test_a_deployment_that_failed_raises_an_alarm() -> None:
    recording = services("dev")
    rule = recording.one("eventRule:EventRule", "cluster-failed-deployment").inputs
    pattern = json.loads(rule["eventPattern"])
    assert pattern["detail"] == {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}
    (of,) = (r["prefix"] for r in pattern["resources"])
    assert of == "arn:aws:ecs:eu-west-1:111122223333:service/tenantry-dev-services/"
    target = recording.one("eventTarget:EventTarget", "cluster-failed-deployment").inputs
    assert target["arn"] == shared(cell()).alarms_topic_arn
