"""Makes the audit account the delegated administrator of services that monitor all accounts."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import guardduty, inspector2, organizations, securityhub

from components.common.waiting import after
from plan.organization import OrganizationPlan


@dataclass(frozen=True, kw_only=True)
class DelegationArgs:
    plan: OrganizationPlan
    account_id: Input[str]  # of the audit account


class Delegation(pulumi.ComponentResource):
    """So that nobody needs the management account to look at findings. Outputs wait until it is so."""

    account_id: Output[str]

    def __init__(self, name: str, args: DelegationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:organization:Delegation", name, None, opts)
        self._name, self._args = name, args
        child = ResourceOptions(parent=self)
        done: list[Output[str]] = [
            organizations.DelegatedAdministrator(
                f"{name}-{service.split('.')[0]}",
                account_id=args.account_id,
                service_principal=service,
                opts=child,
            ).account_id
            for service in args.plan.delegated
        ]
        for region in args.plan.settings.organization_regions:
            done += self._in_region(region)
        self.account_id = after(Output.from_input(args.account_id), done)
        self.register_outputs({"accountId": self.account_id})

    def _in_region(self, region: str) -> list[Output[str]]:
        """These keep their administrator in each Region by itself."""
        name, plan, account_id = self._name, self._args.plan, self._args.account_id
        provider = aws.Provider(
            f"{name}-{region}",
            region=region,
            allowed_account_ids=[plan.settings.account_id],
            default_tags={"tags": plan.tags},
            opts=ResourceOptions(parent=self),
        )
        there = ResourceOptions(parent=self, provider=provider)
        return [
            guardduty.OrganizationAdminAccount(
                f"{name}-guardduty-{region}", admin_account_id=account_id, opts=there
            ).admin_account_id,
            securityhub.OrganizationAdminAccount(
                f"{name}-securityhub-{region}", admin_account_id=account_id, opts=there
            ).admin_account_id,
            inspector2.DelegatedAdminAccount(
                f"{name}-inspector-{region}", account_id=account_id, opts=there
            ).account_id,
        ]
