"""What ECS does with a service's new revision, by what its circuit breaker may do."""

import json
from typing import Any

import pytest

from sandbox.aws.deployments import ANSWERS, IN_PROGRESS, ROLLED_BACK, STUCK, deploy, describe_service
from sandbox.aws.refusals.compute import SERVICE, TASK
from sandbox.cloud.store import Row, Store

GOOD, DEAD, ILL = (f"sha256:{letter * 64}" for letter in "ade")
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/monolith@"
BREAKER = {"enable": True, "rollback": True}


@pytest.fixture
def store() -> Store:
    made = Store(":memory:", "111122223333", "eu-west-1")
    made.push_image("monolith", GOOD)
    made.push_image("monolith", ILL, healthy=False)
    for digest in (GOOD, DEAD, ILL):
        text = json.dumps([{"name": "monolith", "image": f"{IMAGE}{digest}"}])
        row = Row(TASK, digest, "", {}, {"containerDefinitions": text, "arn": digest})
        made.put(row, handles=(digest,))
    return made


def roll_out(store: Store, digest: str, before: Row | None = None, **inputs: Any) -> tuple[str | None, str]:
    """What the provider answers, and which revision the service then has."""
    given = {"waitForSteadyState": True, "deploymentCircuitBreaker": BREAKER, **inputs}
    outputs = {"name": "monolith", "cluster": "c", "desiredCount": 2, "taskDefinition": digest, **inputs}
    row = Row(SERVICE, "service", "", given, outputs)
    with store.change():
        store.put(row)
        answer = deploy(row, before, store)
    found = store.get(SERVICE, "service")
    assert found is not None
    return answer, found.outputs["taskDefinition"]


@pytest.mark.parametrize("digest", [DEAD, ILL])
def test_what_does_not_come_up_is_taken_back_to_what_did(store: Store, digest: str) -> None:
    assert roll_out(store, GOOD) == (None, GOOD)
    before = store.get(SERVICE, "service")
    assert roll_out(store, digest, before) == (ANSWERS[ROLLED_BACK], GOOD)
    described = describe_service({"serviceName": "monolith", "clusterArn": "c"}, store)
    assert described is not None
    assert described["taskDefinition"] == GOOD
    assert len(described["events"]) == 1


def test_the_first_deployment_has_nothing_to_go_back_to(store: Store) -> None:
    assert roll_out(store, DEAD) == (ANSWERS[STUCK], DEAD)


def test_without_a_rollback_the_provider_waits_in_vain(store: Store) -> None:
    assert roll_out(store, DEAD, deploymentCircuitBreaker={"enable": False}) == (ANSWERS[IN_PROGRESS], DEAD)


def test_a_provider_that_does_not_wait_says_nothing(store: Store) -> None:
    roll_out(store, GOOD)
    before = store.get(SERVICE, "service")
    assert roll_out(store, DEAD, before, waitForSteadyState=False) == (None, GOOD)


def test_a_service_of_no_tasks_pulls_nothing(store: Store) -> None:
    assert roll_out(store, DEAD, desiredCount=0) == (None, DEAD)
