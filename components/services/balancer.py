"""An internal load balancer: one HTTPS listener, the routes of its service, everything else refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import lb

from components.common.context import CellContext
from plan.network.paths import HTTPS
from plan.services.services import CallerCheck, Route, ServicePlan

_NOT_FOUND: Final = json.dumps({"type": "about:blank", "title": "Not Found", "status": 404})


@dataclass(frozen=True, kw_only=True)
class BalancerArgs:
    plan: ServicePlan
    vpc_id: Input[str]
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    certificate_arn: Input[str]
    trust_store_arn: Input[str] | None  # callers' certificates are checked against it
    shared: CellContext

    def __post_init__(self) -> None:
        if self.plan.mutual_tls != (self.trust_store_arn is not None):
            raise ValueError(
                f"BalancerArgs.trust_store_arn: {self.plan.name} is planned with"
                f" mutual_tls={self.plan.mutual_tls}; give a trust store exactly where it is True"
            )


class Balancer(pulumi.ComponentResource):
    """TLS from the caller to the balancer and again from the balancer to the task."""

    arn: Output[str]
    arn_suffix: Output[str]
    dns_name: Output[str]
    zone_id: Output[str]
    listener_arn: Output[str]
    target_group_arn: Output[str]
    target_group_suffix: Output[str]
    rules: Sequence[lb.ListenerRule]  # a service can only join once a rule leads to its target group

    def __init__(self, name: str, args: BalancerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:Balancer", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        balancer = self._make_balancer()
        targets = self._make_targets()
        listener = self._make_listener(balancer.arn)
        self.rules = [self._make_rule(listener.arn, targets.arn, r) for r in args.plan.routes]
        self.arn, self.arn_suffix = balancer.arn, balancer.arn_suffix
        self.dns_name, self.zone_id = balancer.dns_name, balancer.zone_id
        self.listener_arn = listener.arn
        self.target_group_arn, self.target_group_suffix = targets.arn, targets.arn_suffix
        self.register_outputs({"arn": self.arn, "dnsName": self.dns_name, "listenerArn": self.listener_arn})

    def _make_balancer(self) -> lb.LoadBalancer:
        args, shared = self._args, self._args.shared
        logs, prefix = shared.access_logs_bucket, f"alb/{args.plan.name}"
        return lb.LoadBalancer(
            f"{self._name}-balancer",
            name=shared.names.label("load-balancer", args.plan.name),
            load_balancer_type="application",
            internal=True,
            subnets=args.subnet_ids,
            security_groups=[args.group_id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=shared.settings.protect_data,
            enable_zonal_shift=True,
            idle_timeout=60,
            access_logs=lb.LoadBalancerAccessLogsArgs(bucket=logs, prefix=prefix, enabled=True),
            # Who showed which certificate, and why one was refused, is only in these.
            connection_logs=lb.LoadBalancerConnectionLogsArgs(bucket=logs, prefix=prefix, enabled=True),
            tags={"Name": shared.names.label("any", args.plan.name)},
            opts=self._child,
        )

    def _make_targets(self) -> lb.TargetGroup:
        plan = self._args.plan
        return lb.TargetGroup(
            f"{self._name}-targets",
            name=self._args.shared.names.label("target-group", plan.name),
            vpc_id=self._args.vpc_id,
            target_type="ip",
            port=plan.port,
            protocol="HTTPS",
            load_balancing_algorithm_type="least_outstanding_requests",
            deregistration_delay=30,
            health_check=lb.TargetGroupHealthCheckArgs(
                path=plan.health_path,
                protocol="HTTPS",
                matcher="200",
                interval=15,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
            opts=self._child,
        )

    def _make_listener(self, balancer_arn: Input[str]) -> lb.Listener:
        return lb.Listener(
            f"{self._name}-listener",
            load_balancer_arn=balancer_arn,
            port=HTTPS,
            protocol="HTTPS",
            ssl_policy=self._args.plan.tls_policy,
            certificate_arn=self._args.certificate_arn,
            mutual_authentication=_mutual_authentication(self._args),
            default_actions=[
                lb.ListenerDefaultActionArgs(
                    type="fixed-response",
                    fixed_response=lb.ListenerDefaultActionFixedResponseArgs(
                        content_type="application/json", status_code="404", message_body=_NOT_FOUND
                    ),
                )
            ],
            opts=self._child,
        )

    def _make_rule(self, listener_arn: Input[str], targets_arn: Input[str], route: Route) -> lb.ListenerRule:
        return lb.ListenerRule(
            f"{self._name}-rule-{route.priority}",
            listener_arn=listener_arn,
            priority=route.priority,
            conditions=[
                lb.ListenerRuleConditionArgs(
                    http_request_method=lb.ListenerRuleConditionHttpRequestMethodArgs(values=route.methods)
                ),
                lb.ListenerRuleConditionArgs(
                    path_pattern=lb.ListenerRuleConditionPathPatternArgs(values=route.paths)
                ),
            ],
            actions=[lb.ListenerRuleActionArgs(type="forward", target_group_arn=targets_arn)],
            opts=self._child,
        )


def _mutual_authentication(args: BalancerArgs) -> lb.ListenerMutualAuthenticationArgs:
    check = args.plan.caller_check
    if check is CallerCheck.HAND_ON:
        return lb.ListenerMutualAuthenticationArgs(mode=check.value)
    return lb.ListenerMutualAuthenticationArgs(
        mode=check.value,
        trust_store_arn=args.trust_store_arn,
        ignore_client_certificate_expiry=False,
        advertise_trust_store_ca_names="off",
    )
