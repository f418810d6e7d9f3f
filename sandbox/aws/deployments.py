"""Deployments of ECS services: whether the tasks of a revision come up, and what ECS does if they do not.

Sources, read 2026-11-29: ECS developer guide, "How the Amazon ECS deployment circuit breaker detects
failures" (after at least three failed tasks, back to the last deployment that was completed); what the
provider waits for and answers: terraform-provider-aws, internal/service/ecs/service.go, `waitServiceStable`,
and its acceptance test of a circuit breaker; ROLLBACK_FAILED without anything to go back to, as people have
seen it.

Assumed: that a repository that no stack made has whatever is asked of it, since it is another team's
(`images-of-other-teams-are-there`); but a new account (profile `fresh`) has none. And that the provider takes
a deployment that was rolled back for an error (`a-rolled-back-deployment-is-an-error`), as its source has it:
its issues 19519 and 20858, which are open, saw success.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.aws.refusals.compute import SERVICE, TASK, containers
from sandbox.aws.refusals.soft_deletes import REPOSITORY
from sandbox.cloud.containers import Deployment
from sandbox.cloud.profile import Profile
from sandbox.cloud.store import Row, Store
from sandbox.json_values import members

SUCCESSFUL, ROLLED_BACK = "SUCCESSFUL", "ROLLBACK_SUCCESSFUL"
STUCK, IN_PROGRESS = "ROLLBACK_FAILED", "IN_PROGRESS"
# What the provider answers that waits for a steady state (`waitForSteadyState`).
ANSWERS: Final[Mapping[str, str]] = {
    ROLLED_BACK: "Service deployment rolled back because the circuit breaker threshold was exceeded.",
    STUCK: "No rollback candidate was found to run the rollback.",
    IN_PROGRESS: "timeout while waiting for state to become 'tfSTABLE' (last state: 'tfPENDING')",
}
_IMAGE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[^@:]+)"
    r"(@(?P<digest>sha256:[0-9a-f]{64}))?(:.*)?"
)


def deploy(row: Row, before: Row | None, store: Store) -> str | None:
    """Roll a service's revision out, within the caller's transaction, where it is a new one.

    If its tasks do not come up, the service has its former revision again. Returns the error of a provider
    that waits, None where there is none.
    """
    revision = str(row.outputs.get("taskDefinition"))
    if before is not None and before.outputs.get("taskDefinition") == revision:
        return None
    stopped = next(_stopped(row, store), None) if row.outputs.get("desiredCount") else None
    ended = _ended(row, store) if stopped else SUCCESSFUL
    if ended == ROLLED_BACK:
        store.update_outputs(SERVICE, row.id, {**row.outputs, "taskDefinition": _candidate(row, store)})
    store.note_deployment(row.id, Deployment(revision, ended, stopped or ""))
    waits = row.inputs.get("waitForSteadyState") is True
    return ANSWERS[ended] if waits and ended in ANSWERS else None


def _ended(row: Row, store: Store) -> str:
    """How a deployment ends whose tasks stop."""
    breaker = members(row.inputs.get("deploymentCircuitBreaker"))
    if not breaker.get("enable") or not breaker.get("rollback"):
        return IN_PROGRESS  # new tasks are started for ever, or none any more
    return ROLLED_BACK if _candidate(row, store) else STUCK


def _candidate(row: Row, store: Store) -> str | None:
    """The revision of the last deployment that was completed, if it still exists."""
    for deployment in store.deployments(row.id):
        if deployment.status == SUCCESSFUL:
            return deployment.revision if store.find(TASK, deployment.revision) else None
    return None


def _stopped(row: Row, store: Store) -> Iterator[str]:
    """Why tasks of a service stop."""
    for task in store.find(TASK, str(row.outputs.get("taskDefinition"))):
        for container in containers(task.outputs.get("containerDefinitions")) or []:
            image = _IMAGE.fullmatch(str(container["image"]))
            if image is not None:
                yield from _trouble(image, str(container["name"]), store)


def _trouble(image: re.Match[str], container: str, store: Store) -> Iterator[str]:
    """What is wrong with an image in a registry of ECR."""
    registry = store.elsewhere(image["account"], image["region"])
    pushed = registry.images(image["repository"])
    retried = (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"
    )
    if pushed or registry.find(REPOSITORY, image["repository"], here=True):
        if image["digest"] not in pushed:
            yield f"{retried} {image[0]}: {image[0]}: not found"
        elif not pushed[image["digest"]]:
            yield f"Task failed container health checks: {container}"
    elif store.profile is Profile.FRESH and store.is_opened(image["account"]):
        yield (
            f"{retried} {image[0]}: The repository with name '{image['repository']}' does not exist in the"
            f" registry with id '{image['account']}'"
        )


def describe_service(args: Mapping[str, Any], store: Store) -> dict[str, Any] | None:
    """A service as the data source has it (provider 7.51); None where there is none."""
    for row in store.in_region(SERVICE):
        found = row.outputs
        if found["name"] == args["serviceName"] and found["cluster"] == args["clusterArn"]:
            reasons = [d.reason for d in store.deployments(row.id) if d.reason]
            return {
                "arn": row.id,
                "desiredCount": found.get("desiredCount", 0),
                "events": [{"message": f"({args['serviceName']}) {reason}"} for reason in reasons],
                "id": row.id,
                "launchType": found.get("launchType"),
                "status": "ACTIVE",
                "taskDefinition": found["taskDefinition"],
            }
    return None
