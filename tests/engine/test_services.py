"""Edits of what the services run and of the public contract, on the real engine."""

import json
import re

import pytest

from sandbox.aws.refusals import compute as ecs
from tests.engine.workspace import Run, Workspace

DIGEST = "0" * 63 + "1"
SERVICE, DEFINITION = "reports-service-service", "reports-service-task-definition"
DEAD, GOOD = "sha256:" + "d" * 64, "sha256:" + "e" * 64


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
    record = "reports-service-revision"
    assert {name for _, name in done} == {DEFINITION, SERVICE, record}
    assert ("update", SERVICE) in done, "a running service is never replaced"
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


def deployed(space: Workspace) -> tuple[str, str]:
    """The revision that ECS runs of the report service, and the image in it."""
    cloud = space.cloud()
    (service,) = (r for r in cloud.in_region(ecs.SERVICE) if r.urn.endswith(f"::{SERVICE}"))
    (task,) = cloud.find(ecs.TASK, service.outputs["taskDefinition"])
    (container,) = json.loads(task.outputs["containerDefinitions"])
    return task.id, container["image"].partition("@")[2]


def ask_for(space: Workspace, digest: str) -> None:
    path = space.project / "Pulumi.dev.yaml"
    text = re.sub(r"(reportsImage: .*@)sha256:[0-9a-f]{64}", rf"\g<1>{digest}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")


def registered(run: Run) -> bool:
    """Whether a run has made another revision."""
    return DEFINITION in {s.name for s in run.changes if s.op == "create-replacement"}


@pytest.mark.slow
def test_an_image_that_is_not_there_fails_each_run_until_it_is_there(dev: Workspace) -> None:
    before, running = deployed(dev)
    dev.cloud().push_image("reports", running)
    ask_for(dev, DEAD)
    for _ in range(2):
        run = dev.up()
        assert run.status != 0
        assert registered(run)
        assert "circuit breaker threshold was exceeded" in run.output
        assert deployed(dev) == (before, running), "it is not rolled back"
    dev.cloud().push_image("reports", DEAD)
    run = dev.up()
    assert run.status == 0, run.output
    assert deployed(dev)[1] == DEAD
    assert dev.preview().changes == ()


@pytest.mark.slow
def test_tasks_that_do_not_become_healthy_are_taken_back_until_another_image_comes(
    dev: Workspace,
) -> None:
    before, running = deployed(dev)
    for digest in (running, GOOD):
        dev.cloud().push_image("reports", digest)
    dev.cloud().push_image("reports", DEAD, healthy=False)
    ask_for(dev, DEAD)
    assert dev.up().status != 0
    assert deployed(dev) == (before, running)
    ask_for(dev, GOOD)
    run = dev.up()
    assert run.status == 0, run.output
    assert deployed(dev)[1] == GOOD
    assert dev.preview().changes == ()


@pytest.mark.slow
def test_a_service_that_runs_another_revision_than_was_asked_for_makes_the_run_fail(dev: Workspace) -> None:
    """A person took it back after the run: state and file agree, and ECS runs something else."""
    old, _ = deployed(dev)
    ask_for(dev, GOOD)
    assert dev.up().status == 0
    new, _ = deployed(dev)
    cloud = dev.cloud()
    (service,) = (r for r in cloud.in_region(ecs.SERVICE) if r.urn.endswith(f"::{SERVICE}"))
    cloud.update_outputs(ecs.SERVICE, service.id, {**service.outputs, "taskDefinition": arn(old)})
    run = dev.up()
    assert run.status != 0
    assert f"tenantry-dev-reports runs {old}, and {new} was asked for" in run.output
    assert "Traceback" not in run.output
    run = dev.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert run.status == 0, run.output
    assert deployed(dev)[0] == new


def arn(revision: str) -> str:
    return f"arn:aws:ecs:eu-west-1:111122223333:task-definition/{revision}"
