"""The organization, its units and accounts: created, or imported if they exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import iam, organizations

from organization.models import Account, Unit
from plan.organization import OrganizationPlan
from plan.organization.guardrails import ROOT
from plan.organization.policies import of_account

# Given once, when AWS makes the account, and not told afterwards (provider's documentation, 7.51).
ONLY_AT_BIRTH = ["roleName", "iamUserAccessToBilling"]


@dataclass(frozen=True, kw_only=True)
class OrganizationTreeArgs:
    plan: OrganizationPlan


class OrganizationTree(pulumi.ComponentResource):
    """Nothing here is ever deleted by an edit: closing an account is a person's decision, elsewhere."""

    organization_id: Output[str]
    targets: Mapping[str, Output[str]]  # what a policy can be attached to → its id
    account_ids: Mapping[str, Output[str]]

    def __init__(self, name: str, args: OrganizationTreeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:organization:Tree", name, None, opts)
        self._name, plan = name, args.plan
        made = organizations.Organization(
            f"{name}-organization",
            feature_set="ALL",
            aws_service_access_principals=list(plan.service_access),
            enabled_policy_types=list(plan.policy_kinds),
            opts=self._lasting(plan.settings.existing),
        )
        self.organization_id = made.id
        targets = {ROOT: made.roots.apply(lambda roots: roots[0].id or "")}
        for unit in plan.units:
            targets[unit.id] = self._unit(unit, targets[unit.parent or ROOT]).id
        self.account_ids = {a.id: self._account(a, targets[a.unit]).id for a in plan.accounts}
        self.targets = {**targets, **{of_account(i): number for i, number in self.account_ids.items()}}
        # No account has a root password to lose: the management account looks after them all.
        iam.OrganizationsFeatures(
            f"{name}-root-access",
            enabled_features=["RootCredentialsManagement", "RootSessions"],
            opts=ResourceOptions(parent=self, depends_on=[made]),
        )
        self.register_outputs({"organizationId": self.organization_id, "accountIds": self.account_ids})

    def _lasting(self, existing: str | None) -> ResourceOptions:
        return ResourceOptions(parent=self, protect=True, import_=existing)

    def _unit(self, unit: Unit, parent: Output[str]) -> organizations.OrganizationalUnit:
        return organizations.OrganizationalUnit(
            f"{self._name}-unit-{unit.id.replace('/', '-')}",
            name=unit.name,
            parent_id=parent,
            opts=self._lasting(unit.existing),
        )

    def _account(self, account: Account, parent: Output[str]) -> organizations.Account:
        return organizations.Account(
            f"{self._name}-account-{account.id}",
            name=account.name,
            email=account.email,
            parent_id=parent,
            role_name=account.role,
            close_on_deletion=False,
            opts=ResourceOptions.merge(
                self._lasting(account.existing), ResourceOptions(ignore_changes=ONLY_AT_BIRTH)
            ),
        )
