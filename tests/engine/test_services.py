"""Edits of what the services run and of the public contract, on the real engine."""

import re

import pytest

from tests.engine.workspace import Workspace

DIGEST = "0" * 63 + "1"


def changed(space: Workspace, name: str, old: str, new: str) -> set[tuple[str, str]]:
    """What `up` does after one edit of a committed file: operation and name."""
    path = space.project / name
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(old, text)) == 1, f"{old!r} in {name}"
    path.write_text(re.sub(old, new, text), encoding="utf-8")
    run = space.up()
    assert run.status == 0, run.output
    return {(s.op, s.name) for s in run.changes}


@pytest.mark.slow
def test_a_new_image_is_a_new_revision_of_one_service_and_nothing_else(dev: Workspace) -> None:
    done = changed(dev, "Pulumi.dev.yaml", r"(reportsImage: .*@sha256:)[0-9a-f]{64}", rf"\g<1>{DIGEST}")
    assert {name for _, name in done} == {"reports-service-task-definition", "reports-service-service"}
    assert ("update", "reports-service-service") in done, "a running service is never replaced"
    assert dev.preview().changes == ()


@pytest.mark.slow
def test_a_new_contract_is_deployed_without_replacing_the_api_or_its_stage(dev: Workspace) -> None:
    done = changed(dev, "api/openapi.yaml", "summary: Order a report", "summary: Order one report")
    assert ("update", "edge-rest-api") in done
    assert ("update", "edge-rest-stage") in done
    assert {name for _, name in done} == {"edge-rest-api", "edge-rest-stage", "edge-rest-deployment"}
    assert dev.preview().changes == ()


@pytest.mark.slow
def test_more_tasks_are_a_matter_of_scaling_alone(dev: Workspace) -> None:
    done = changed(dev, "Pulumi.dev.yaml", r"(config:\n)", r"\g<1>  tenantry:tasksMin: 3\n")
    assert done == {
        ("update", "monolith-service-scaling-target"),
        ("update", "reports-service-scaling-target"),
    }
