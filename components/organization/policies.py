"""The organization's policies, each attached to its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import organizations

from plan.names import Names
from plan.organization.policies import PolicyPlan


@dataclass(frozen=True, kw_only=True)
class OrganizationPoliciesArgs:
    policies: Sequence[PolicyPlan]
    targets: Mapping[str, Input[str]]  # what a policy can be attached to → its id
    names: Names


class OrganizationPolicies(pulumi.ComponentResource):
    """Texts come from the plan, where people review them as JSON."""

    def __init__(
        self, name: str, args: OrganizationPoliciesArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("tenantry:organization:Policies", name, None, opts)
        for plan in args.policies:
            policy = organizations.Policy(
                f"{name}-{plan.name}",
                name=args.names.label("any", plan.name),
                description=plan.description,
                type=plan.kind,
                content=plan.content,
                opts=ResourceOptions(parent=self),
            )
            organizations.PolicyAttachment(
                f"{name}-{plan.name}-attachment",
                policy_id=policy.id,
                target_id=args.targets[plan.target],
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})
