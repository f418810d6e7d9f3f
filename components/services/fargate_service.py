"""A service on ECS Fargate behind an internal load balancer, with scaling and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import CustomTimeouts, Input, Output, ResourceOptions
from pulumi_aws import ecs, iam

from components.common.alarms import Watched, alarms
from components.common.attempts import Records
from components.common.context import CellContext
from components.common.iam_policy import Statement, document
from components.services.balancer import Balancer, BalancerArgs
from components.services.repository import Repository, RepositoryArgs
from components.services.revision import record_running_revision
from components.services.scaling import Scaling, ScalingArgs
from components.services.task import Definition, SecretValue, Task, TaskArgs, task_trust
from plan.services.services import BALANCER_ALARMS, TASK_ALARMS, ServicePlan, service_name
from plan.services.tracing import XRAY_ACTIONS

PLATFORM_VERSION: Final = "1.4.0"  # LATEST would change under a running service
# Three tasks must fail before ECS takes a deployment back (developer guide, "Deployment circuit breaker",
# 2026-11), and each is given its time to start: with one task that was seen to take 20 minutes.
_DEPLOYED_WITHIN: Final = CustomTimeouts(create="1h", update="1h")
_ROLLING_BACK: Final = ("target-errors", "unhealthy")  # while a deployment goes on, these undo it


@dataclass(frozen=True, kw_only=True)
class FargateServiceArgs:
    """`task_role` is given where others had to name it first; `statements` are what it may do."""

    plan: ServicePlan
    cluster_arn: Input[str]
    cluster_name: Input[str]
    vpc_id: Input[str]
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    balancer_group_id: Input[str]
    certificate_arn: Input[str]
    trust_store_arn: Input[str] | None
    environment: Mapping[str, Input[str]]
    secrets: Mapping[str, SecretValue]
    key_arns: Sequence[Input[str]]
    statements: Sequence[Statement]
    records: Records  # of revisions that were seen to run
    task_role: iam.Role | None = None
    shared: CellContext


class FargateService(pulumi.ComponentResource):
    """No shell, no public address; a deployment that does not come up goes back by itself.

    Before there is an image there is all but the service: ECS could start no task of it.
    """

    task_role_arn: Output[str]
    balancer_arn: Output[str]
    balancer_dns_name: Output[str]
    balancer_zone_id: Output[str]
    balancer_suffix: Output[str]  # as metrics name it
    target_group_suffix: Output[str]
    listener_arn: Output[str]
    target_group_arn: Output[str]
    scaling_resource_id: Output[str] | None  # None before there is an image to run
    repository_url: Output[str] | None  # to push images to; None where they are in somebody else's

    def __init__(self, name: str, args: FargateServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:FargateService", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        role = args.task_role or task_role(f"{name}-task-role", args.plan, args.shared, self._child)
        allowed = self._allow(role)
        balancer = Balancer(f"{name}-front", self._balancer_args(), self._child)
        task = Task(f"{name}-task", self._task_args(role), self._child)
        self.repository_url = self._make_repository(task)
        self.scaling_resource_id = None
        undoing = self._watch_balancer(balancer)
        if task.definition is not None:
            service = self._make_service(task.definition, balancer, allowed, undoing)
            record_running_revision(name, task.definition.revision, service, task.definition.arn, self._child)
            self.scaling_resource_id = self._make_scaling(service, balancer).resource_id
            self._watch_tasks(service)
        self.task_role_arn = role.arn
        self.balancer_arn, self.listener_arn = balancer.arn, balancer.listener_arn
        self.balancer_dns_name, self.balancer_zone_id = balancer.dns_name, balancer.zone_id
        self.target_group_arn = balancer.target_group_arn
        self.balancer_suffix = balancer.arn_suffix
        self.target_group_suffix = balancer.target_group_suffix
        name_of_service = service_name(args.shared.names, args.plan.name)
        self.register_outputs({"serviceName": name_of_service, "balancerArn": self.balancer_arn})

    def _allow(self, role: iam.Role) -> list[pulumi.Resource]:
        statements = [*self._args.statements, *self._tracing()]
        if not statements:
            return []
        policy = iam.RolePolicy(
            f"{self._name}-task-policy",
            name="work",
            role=role.id,
            policy=document(*statements),
            opts=self._child,
        )
        return [policy]

    def _tracing(self) -> list[Statement]:
        """The collector beside the service sends what the service has traced, as the service's role."""
        if self._args.plan.collector is None:
            return []
        return [Statement(sid="SendTraces", actions=list(XRAY_ACTIONS), resources=["*"])]

    def _balancer_args(self) -> BalancerArgs:
        args = self._args
        return BalancerArgs(
            plan=args.plan,
            vpc_id=args.vpc_id,
            subnet_ids=args.subnet_ids,
            group_id=args.balancer_group_id,
            certificate_arn=args.certificate_arn,
            trust_store_arn=args.trust_store_arn,
            shared=args.shared,
        )

    def _task_args(self, role: iam.Role) -> TaskArgs:
        args = self._args
        return TaskArgs(
            plan=args.plan,
            task_role_arn=role.arn,
            environment=args.environment,
            secrets=args.secrets,
            key_arns=args.key_arns,
            subnet_ids=args.subnet_ids,
            records=args.records,
            shared=args.shared,
        )

    def _make_repository(self, task: Task) -> Output[str] | None:
        plan = self._args.plan
        if plan.repository is None:
            return None
        args = RepositoryArgs(
            plan=plan.repository,
            service=plan.name,
            puller_arn=task.execution_role_arn,
            shared=self._args.shared,
        )
        return Repository(f"{self._name}-images", args, self._child).url

    def _make_service(
        self,
        definition: Definition,
        balancer: Balancer,
        allowed: list[pulumi.Resource],
        undoing: Mapping[str, Output[str]],
    ) -> ecs.Service:
        args, plan = self._args, self._args.plan
        return ecs.Service(
            f"{self._name}-service",
            name=service_name(args.shared.names, plan.name),
            cluster=args.cluster_arn,
            task_definition=definition.arn,
            launch_type="FARGATE",
            platform_version=PLATFORM_VERSION,
            desired_count=plan.tasks_min,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            alarms=ecs.ServiceAlarmsArgs(
                alarm_names=[undoing[key] for key in _ROLLING_BACK], enable=True, rollback=True
            ),
            availability_zone_rebalancing="ENABLED",
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            health_check_grace_period_seconds=plan.start_seconds,
            wait_for_steady_state=True,  # a deployment that ECS takes back is an error
            network_configuration=ecs.ServiceNetworkConfigurationArgs(
                subnets=args.subnet_ids, security_groups=[args.group_id], assign_public_ip=False
            ),
            load_balancers=[
                ecs.ServiceLoadBalancerArgs(
                    target_group_arn=balancer.target_group_arn,
                    container_name=plan.name,
                    container_port=plan.port,
                )
            ],
            # Scaling owns the count after the first day. ECS refuses a target group that no rule leads to.
            opts=ResourceOptions(
                parent=self,
                ignore_changes=["desiredCount"],
                depends_on=[*balancer.rules, *allowed],
                custom_timeouts=_DEPLOYED_WITHIN,
            ),
        )

    def _make_scaling(self, service: ecs.Service, balancer: Balancer) -> Scaling:
        args = ScalingArgs(
            plan=self._args.plan,
            cluster_name=self._args.cluster_name,
            service_name=service.name,
            balancer=balancer,
            shared=self._args.shared,
        )
        return Scaling(f"{self._name}-scaling", args, self._child)

    def _watch_balancer(self, balancer: Balancer) -> Mapping[str, Output[str]]:
        watched = Watched(
            label=self._args.plan.name,
            namespace="AWS/ApplicationELB",
            dimensions={
                "LoadBalancer": balancer.arn_suffix,
                "TargetGroup": balancer.target_group_suffix,
            },
        )
        return alarms(self._name, BALANCER_ALARMS, watched, self._args.shared, self._child)

    def _watch_tasks(self, service: ecs.Service) -> None:
        watched = Watched(
            label=self._args.plan.name,
            namespace="AWS/ECS",
            dimensions={"ClusterName": self._args.cluster_name, "ServiceName": service.name},
        )
        alarms(self._name, TASK_ALARMS, watched, self._args.shared, self._child)


def task_role(name: str, plan: ServicePlan, shared: CellContext, opts: ResourceOptions) -> iam.Role:
    """The role that a service's own code works under; it starts with nothing allowed."""
    return iam.Role(
        name,
        name=shared.names.label("role", plan.name, "task"),
        description=f"What the code of {plan.name} may do",
        assume_role_policy=task_trust(shared),
        permissions_boundary=shared.boundary_arn,
        opts=opts,
    )
