"""The roles by which CI deploys a cell: with OIDC tokens of one repository, for an hour, without keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import iam

from components.common.iam_policy import Statement, document
from plan.account.baseline import Duties
from plan.account.deploy_roles import AUDIENCE, HOUR, DeploymentPlan, DeployRole, Grant


@dataclass(frozen=True, kw_only=True)
class DeployRolesArgs:
    plan: DeploymentPlan
    duties: Duties


class DeployRoles(pulumi.ComponentResource):
    """`plan` looks, for pull requests; `apply` changes, from the protected environment.

    Neither changes itself, the other, or what bounds them: an administrator does that, who also runs the
    first update (docs/runbooks/deployment-roles.md).
    """

    role_arns: Mapping[str, Output[str]]

    def __init__(self, name: str, args: DeployRolesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:DeployRoles", name, None, opts)
        self._name, self._plan = name, args.plan
        self._child = ResourceOptions(parent=self)
        if args.duties.account:  # AWS has one of each issuer in an account
            iam.OpenIdConnectProvider(
                f"{name}-issuer", url=args.plan.issuer, client_id_lists=[AUDIENCE], opts=self._child
            )
        self.role_arns = {role.word: self._make_role(role) for role in args.plan.roles}
        self.register_outputs({"roleArns": self.role_arns})

    def _make_role(self, plan: DeployRole) -> Output[str]:
        boundary = iam.Policy(
            f"{self._name}-{plan.word}-boundary",
            name=plan.boundary_name,
            description=f"The most that the role {plan.name} can do",
            policy=_document(plan.boundary, ceiling=True),
            opts=self._child,
        )
        role = iam.Role(
            f"{self._name}-{plan.word}",
            name=plan.name,
            description=f"CI: {plan.word} by tokens of {plan.subject}",
            assume_role_policy=document(self._trust(plan)),
            permissions_boundary=boundary.arn,
            max_session_duration=HOUR,
            opts=self._child,
        )
        for number, grants in enumerate(plan.policies, start=1):
            policy = iam.Policy(
                f"{self._name}-{plan.word}-{number}",
                name=f"{plan.name}-{number}",
                description=f"What the role {plan.name} does, part {number}",
                policy=_document(grants),
                opts=self._child,
            )
            iam.RolePolicyAttachment(
                f"{self._name}-{plan.word}-{number}",
                role=role.name,
                policy_arn=policy.arn,
                opts=self._child,
            )
        return role.arn

    def _trust(self, role: DeployRole) -> Statement:
        """A token names repository and place in full: a pattern would let in a fork or a branch."""
        host = self._plan.host
        return Statement(
            sid="Assume",
            actions=["sts:AssumeRoleWithWebIdentity"],
            principals={"Federated": [self._plan.provider_arn]},
            condition={"StringEquals": {f"{host}:aud": AUDIENCE, f"{host}:sub": role.subject}},
        )


def _document(grants: tuple[Grant, ...], *, ceiling: bool = False) -> Output[str]:
    return document(
        *(
            Statement(
                sid=g.sid,
                effect=g.effect,
                actions=g.actions,
                resources=g.resources,
                condition=g.condition or {},
                ceiling=ceiling,
            )
            for g in grants
        )
    )
