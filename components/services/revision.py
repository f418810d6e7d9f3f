"""Which revision of its tasks a service runs: the one that was asked for, or the run is red.

ECS takes a deployment back whose tasks do not come up (circuit breaker), and the provider answers with an
error (terraform-provider-aws #43502, July 2025). The state then has the new revision although the old one
runs, so that the next run would see nothing to do. So a task definition names an attempt, in a label
(`components/common/attempts.py`): until ECS was seen to run this very definition, each run registers it anew
and deploys it. What is looked at is the service itself, after the engine is through with it: a provider that
takes a rollback for a steady state (#19519, #20858) makes no run green either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, InvokeOutputOptions, Output, ResourceOptions
from pulumi_aws import ecs, ssm

from components.common.attempts import Records, attempt_of, digest, read_records, record_of
from components.common.context import CellContext

LABEL: Final = "tenantry.attempt"  # of the service's container


def read_revision_records(shared: CellContext, parent: pulumi.Resource) -> Records:
    """Which revisions the cell's services were seen to run."""
    return read_records("/" + shared.names.path("parameter", "revisions"), parent)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What is asked of a service, as JSON, and the record of it if it ran when this run began."""

    parameter: str
    asked: Output[str]
    record: Output[Mapping[str, Any]]

    @property
    def attempt(self) -> Output[str]:
        return self.record.apply(attempt_of)


def revision(service: str, asked: Output[str], records: Records) -> Revision:
    """`asked` is all of which a change has to be deployed."""
    parameter = f"{records.path}/{service}"
    found = Output.all(asked, records.values).apply(lambda both: record_of(parameter, *both))
    return Revision(parameter=parameter, asked=asked, record=found)


def record_running_revision(
    name: str, wanted: Revision, service: ecs.Service, definition_arn: Input[str], child: ResourceOptions
) -> None:
    """Record what the service runs; raises `pulumi.RunError` where that is not what it should run."""
    found = ecs.get_service_output(
        cluster_arn=service.cluster,
        service_name=service.name,
        opts=InvokeOutputOptions(parent=child.parent, depends_on=[service]),
    )
    running = Output.all(service.name, definition_arn, found.task_definition).apply(
        lambda those: _require_same(*those)
    )
    ssm.Parameter(
        f"{name}-revision",
        name=wanted.parameter,
        type="String",
        insecure_value=Output.all(wanted.asked, wanted.attempt, running).apply(
            lambda those: json.dumps({"asked": digest(those[0]), "attempt": those[1]})
        ),
        opts=child,
    )


def _require_same(service: str, asked: str, running: str) -> str:
    """A preview cannot know: there the deployment is still to come."""
    if asked != running and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(
            f"{service} runs {_short(running)}, and {_short(asked)} was asked for: its deployment failed"
            " and ECS took it back, or somebody else has changed the service. Its events say why (`aws ecs"
            " describe-services`). `pulumi up --refresh` deploys what was asked for."
        )
    return running


def _short(arn: str) -> str:
    """…:task-definition/tenantry-dev-monolith:12 → tenantry-dev-monolith:12"""
    return arn.rpartition("/")[2]
