"""A Fargate task: its hardened container, and the role that starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, ecs, iam

from components.common.attempts import Records
from components.common.context import CellContext
from components.common.iam_policy import Statement, document, trust
from components.common.json_text import json_text
from components.services.private_ca import PrivateCa
from components.services.revision import LABEL, Revision, revision
from plan.services.services import ServicePlan, service_name
from plan.services.tracing import COLLECTOR, CONFIG_VARIABLE, ENDPOINT

_SCRATCH: Final = "scratch"


@dataclass(frozen=True, kw_only=True)
class SecretValue:
    """A secret that ECS reads when a task starts, and never again while it runs.

    With a `version`, a renewed secret is a new task definition, and so a deployment. Without one, a task
    gets what is current when it starts; what rotates by itself the task's own code must read again.
    """

    arn: Input[str]
    version: Input[str] | None = None

    @property
    def value_from(self) -> Input[str]:
        """As ECS spells it: ARN, key within the JSON, stage, version (ECS developer guide, 2026-11)."""
        return self.arn if self.version is None else Output.concat(self.arn, ":::", self.version)


@dataclass(frozen=True, kw_only=True)
class TaskArgs:
    plan: ServicePlan
    task_role_arn: Input[str]
    environment: Mapping[str, Input[str]]
    secrets: Mapping[str, SecretValue]  # by the name of the variable
    key_arns: Sequence[Input[str]]  # encrypt those secrets
    subnet_ids: Sequence[Input[str]]  # where its service runs it
    records: Records  # of revisions that were seen to run
    shared: CellContext

    def __post_init__(self) -> None:
        both = sorted(self.environment.keys() & self.secrets.keys())
        if both:
            raise ValueError(f"TaskArgs of {self.plan.name}: both plain and secret: {', '.join(both)}")
        if self.secrets and not self.key_arns:
            raise ValueError(
                f"TaskArgs.key_arns of {self.plan.name}: expected the keys of its secrets, got none"
            )


@dataclass(frozen=True)
class Definition:
    """A revision of a task definition, and what is asked for with it."""

    arn: Output[str]
    revision: Revision


class Task(pulumi.ComponentResource):
    """Its role, its log and, once there is an image, its definition."""

    execution_role_arn: Output[str]
    definition: Definition | None

    def __init__(self, name: str, args: TaskArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:Task", name, None, opts)
        child = ResourceOptions(parent=self)
        plan, shared = args.plan, args.shared
        log_group = f"/{shared.names.path('log-group', 'services', plan.name)}"
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=log_group,
            kms_key_id=shared.logs_key_arn,
            retention_in_days=plan.log_days,
            opts=child,
        )
        role = iam.Role(
            f"{name}-execution-role",
            name=shared.names.label("role", plan.name, "execution"),
            description=f"Starts tasks of {plan.name}: image, log and secrets",
            assume_role_policy=task_trust(shared),
            permissions_boundary=shared.boundary_arn,
            opts=child,
        )
        allowed = iam.RolePolicy(
            f"{name}-execution-policy",
            name="start",
            role=role.id,
            policy=document(*_start(args, log_group)),
            opts=child,
        )
        self.execution_role_arn = role.arn
        self.definition = None
        if plan.image is not None:
            # A task must not start before its execution role may do its work.
            after = ResourceOptions(parent=self, depends_on=[allowed])
            self.definition = _definition(f"{name}-definition", args, role, logs, after)
        self.register_outputs({"definitionArn": self.definition and self.definition.arn})


def _definition(
    name: str, args: TaskArgs, role: iam.Role, logs: cloudwatch.LogGroup, opts: ResourceOptions
) -> Definition:
    plan, shared = args.plan, args.shared
    own, *beside = _containers(args, logs.name)
    wanted = revision(plan.name, _asked(args, role.arn, [own, *beside]), args.records)
    made = ecs.TaskDefinition(
        name,
        family=service_name(shared.names, plan.name),
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(plan.cpu),
        memory=str(plan.memory),
        runtime_platform=ecs.TaskDefinitionRuntimePlatformArgs(
            cpu_architecture=plan.architecture, operating_system_family="LINUX"
        ),
        execution_role_arn=role.arn,
        task_role_arn=args.task_role_arn,
        volumes=[ecs.TaskDefinitionVolumeArgs(name=_SCRATCH)],
        # A failed deployment goes back to the revision before, which must then still be there.
        skip_destroy=shared.settings.protect_data,
        container_definitions=json_text([{**own, "dockerLabels": {LABEL: wanted.attempt}}, *beside]),
        opts=opts,
    )
    return Definition(made.arn, wanted)


def _asked(args: TaskArgs, role_arn: Output[str], containers: list[dict[str, Any]]) -> Output[str]:
    """All of which a change is a deployment: the definition, and where the service runs it."""
    plan = args.plan
    size = [plan.cpu, plan.memory, plan.architecture]
    roles = [role_arn, args.task_role_arn]
    return json_text({"containers": containers, "size": size, "roles": roles, "subnets": [*args.subnet_ids]})


def task_trust(shared: CellContext) -> Output[str]:
    """Tasks of this account and Region may assume the role, and nobody else."""
    return trust(
        "ecs-tasks",
        account_id=shared.settings.account_id,
        source_arns=[shared.arn("ecs", "*")],
    )


def _start(args: TaskArgs, log_group: str) -> list[Statement]:
    """What starting takes. AWS offers no resource for ecr:GetAuthorizationToken (service authorization
    reference, 2026-11)."""
    collector = args.plan.collector
    found = [
        Statement(sid="SignInToEcr", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        Statement(
            sid="PullTheImage",
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=[args.plan.repository_arn, *([collector.repository_arn] if collector else [])],
        ),
        Statement(
            sid="WriteTheLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[args.shared.arn("logs", f"log-group:{log_group}:log-stream:*")],
        ),
    ]
    return found + read_secrets([s.arn for s in args.secrets.values()], args.key_arns, args.shared)


def ca_secret(ca: PrivateCa, leaf: str) -> SecretValue:
    """Key and certificate of a service: a task that serves under them starts anew when they are renewed."""
    return SecretValue(arn=ca.secret_arns[leaf], version=ca.secret_versions[leaf])


def read_secrets(
    secret_arns: Sequence[Input[str]], key_arns: Sequence[Input[str]], shared: CellContext
) -> list[Statement]:
    """Read exactly these secrets, and use their keys for nothing else."""
    if not secret_arns:
        return []
    via = f"secretsmanager.{shared.settings.region}.amazonaws.com"
    return [
        Statement(sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=list(secret_arns)),
        Statement(
            sid="DecryptSecrets",
            actions=["kms:Decrypt"],
            resources=list(key_arns),
            condition={"StringEquals": {"kms:ViaService": via}},
        ),
    ]


def _containers(args: TaskArgs, log_group: Input[str]) -> list[dict[str, Any]]:
    """The service, and what collects its traces where that is asked for."""
    own = _container(args, log_group)
    collector = args.plan.collector
    if collector is None:
        return [own]
    own["environment"] = sorted(
        [*own["environment"], {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": ENDPOINT}],
        key=lambda variable: variable["name"],
    )
    beside: dict[str, Any] = {
        "name": COLLECTOR,
        "image": collector.image,
        "essential": False,  # a service answers without its traces
        "user": collector.user,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "cpu": collector.cpu,
        "memory": collector.memory,
        "environment": [{"name": CONFIG_VARIABLE, "value": collector.config}],
        "stopTimeout": 30,
        "logConfiguration": _logs(args, log_group, COLLECTOR),
    }
    return [own, beside]


def _logs(args: TaskArgs, log_group: Input[str], prefix: str) -> dict[str, Any]:
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": log_group,
            "awslogs-region": args.shared.settings.region,
            "awslogs-stream-prefix": prefix,
            # A slow log must not stop a payment; what does not fit in the buffer is dropped.
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def _container(args: TaskArgs, log_group: Input[str]) -> dict[str, Any]:
    """The container definition, sorted, so that the same task is the same text.

    The image declares `VOLUME /tmp` with mode 1777: Fargate gives an empty volume to root otherwise
    (ECS developer guide, bind mounts, 2026-11).
    """
    plan = args.plan
    return {
        "name": plan.name,
        "image": plan.image,
        "essential": True,
        "user": plan.user,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [{"sourceVolume": _SCRATCH, "containerPath": "/tmp", "readOnly": False}],  # noqa: S108
        "portMappings": [{"containerPort": plan.port, "protocol": "tcp"}],
        "environment": [{"name": k, "value": v} for k, v in sorted(args.environment.items())],
        "secrets": [{"name": k, "valueFrom": args.secrets[k].value_from} for k in sorted(args.secrets)],
        "healthCheck": {
            "command": ["CMD", *plan.health_command],
            "interval": 15,
            "timeout": 5,
            "retries": 3,
            "startPeriod": plan.start_seconds,
        },
        "stopTimeout": 30,
        "logConfiguration": _logs(args, log_group, plan.name),
    }
