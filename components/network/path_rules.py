"""Security group rules: two for each allowed path, one at either end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import vpc

from components.common.context import CellContext
from components.network.network_tags import network_tags
from plan.network.acls import ANYWHERE
from plan.network.network import NetworkPlan
from plan.network.paths import INTERNET, S3, PathPlan


@dataclass(frozen=True, kw_only=True)
class PathRulesArgs:
    """`sources` and `targets` are groups by name; they differ where a path crosses to another network."""

    plan: NetworkPlan
    paths: Sequence[PathPlan]
    sources: Mapping[str, Output[str]]
    targets: Mapping[str, Output[str]]
    prefix_list_id: Input[str] | None  # of S3; None where no path leads there
    shared: CellContext


class PathRules(pulumi.ComponentResource):
    """The rules of all paths that begin in `sources` and end in `targets` or outside; no others."""

    rule_ids: Mapping[str, Sequence[Output[str]]]  # by group

    def __init__(self, name: str, args: PathRulesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:PathRules", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        rules: dict[str, list[Output[str]]] = {g: [] for g in (*args.sources, *args.targets)}
        outside = {INTERNET: {"cidr_ipv4": ANYWHERE}, S3: {"prefix_list_id": args.prefix_list_id}}
        for path in args.paths:
            if path.source not in args.sources:
                continue
            if path.target in outside:
                rules[path.source].append(self._egress(path, outside[path.target]))
            elif path.target in args.targets:
                target = {"referenced_security_group_id": args.targets[path.target]}
                rules[path.source].append(self._egress(path, target))
                rules[path.target].append(self._ingress(path))
        self.rule_ids = rules
        self.register_outputs({})

    def _egress(self, path: PathPlan, target: Mapping[str, Input[str] | None]) -> Output[str]:
        return vpc.SecurityGroupEgressRule(
            f"{self._name}-{path.name}-out",
            security_group_id=self._args.sources[path.source],
            ip_protocol="tcp",
            from_port=path.port,
            to_port=path.port,
            description=path.why,
            tags=network_tags(self._args.shared, self._args.plan, path.name),
            opts=self._child,
            **target,
        ).security_group_rule_id

    def _ingress(self, path: PathPlan) -> Output[str]:
        return vpc.SecurityGroupIngressRule(
            f"{self._name}-{path.name}-in",
            security_group_id=self._args.targets[path.target],
            referenced_security_group_id=self._args.sources[path.source],
            ip_protocol="tcp",
            from_port=path.port,
            to_port=path.port,
            description=path.why,
            tags=network_tags(self._args.shared, self._args.plan, path.name),
            opts=self._child,
        ).security_group_rule_id
