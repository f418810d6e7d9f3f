"""The organization: connects all its components by outputs, as `components.platform` does for a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.account.baseline import AccountBaseline, AccountBaselineArgs, KeptElsewhere
from components.organization.audit_account import AuditAccount, AuditAccountArgs
from components.organization.delegation import Delegation, DelegationArgs
from components.organization.member import member_provider
from components.organization.policies import OrganizationPolicies, OrganizationPoliciesArgs
from components.organization.trail_archive import TrailArchive, TrailArchiveArgs
from components.organization.tree import OrganizationTree, OrganizationTreeArgs
from components.organization.watch import OrganizationWatch, OrganizationWatchArgs
from organization.models import Account
from plan.account.baseline import Duties
from plan.organization import OrganizationPlan


class Organization(pulumi.ComponentResource):
    """Works in the management account, and in the log archive and the audit account by a role of theirs."""

    exports: Mapping[str, Any]

    def __init__(self, name: str, plan: OrganizationPlan) -> None:
        options = ResourceOptions(providers=[_provider(plan)])
        super().__init__("tenantry:organization:Organization", name, None, options)
        self._plan, child = plan, ResourceOptions(parent=self)
        tree = OrganizationTree("tree", OrganizationTreeArgs(plan=plan), child)
        OrganizationPolicies(
            "policies",
            OrganizationPoliciesArgs(policies=plan.policies, targets=tree.targets, names=plan.names),
            child,
        )
        archive = self._make_archive(tree)
        management = AccountBaseline(
            "baseline",
            AccountBaselineArgs(
                settings=plan.settings,
                names=plan.names,
                duties=Duties(account=True, region=True),
                organization_trail=KeptElsewhere(bucket=archive.bucket, key_arn=archive.key_arn),
            ),
            child,
        )
        self._make_watch(tree.account_ids[plan.audit.id])
        self.exports = {
            "organization": tree.organization_id,
            "accounts": {a.id: _summary(a, tree.account_ids[a.id]) for a in plan.accounts},
            "breakGlassRole": management.break_glass_role_arn,
            "trail": management.trail_arn,
        }
        self.register_outputs(self.exports)

    def _make_archive(self, tree: OrganizationTree) -> TrailArchive:
        plan = self._plan
        account_id = tree.account_ids[plan.log_archive.id]
        door = member_provider(
            "log-archive", plan, plan.log_archive, account_id, ResourceOptions(parent=self)
        )
        return TrailArchive(
            "archive",
            TrailArchiveArgs(plan=plan, account_id=account_id, organization_id=tree.organization_id),
            ResourceOptions(parent=self, providers=[door]),
        )

    def _make_watch(self, account_id: Output[str]) -> None:
        plan, child = self._plan, ResourceOptions(parent=self)
        doors = {
            region: member_provider(f"audit-{region}", plan, plan.audit, account_id, child, region)
            for region in plan.settings.organization_regions
        }
        audit = AuditAccount("audit", AuditAccountArgs(account_id=account_id, providers=doors), child)
        delegation = Delegation("delegation", DelegationArgs(plan=plan, account_id=audit.account_id), child)
        OrganizationWatch(
            "watch",
            OrganizationWatchArgs(
                names=plan.names,
                home=plan.settings.region,
                detector_ids=audit.detector_ids,
                providers=doors,
                delegated=delegation,
            ),
            child,
        )


def _summary(account: Account, account_id: Output[str]) -> Mapping[str, Any]:
    return {
        "account": account_id,
        "name": account.name,
        "unit": account.unit,
        "duty": account.duty.value,
        "role": Output.format("arn:aws:iam::{0}:role/{1}", account_id, account.role),
    }


def _provider(plan: OrganizationPlan) -> aws.Provider:
    """The one door to the management account, and to no other."""
    return aws.Provider(
        "aws",
        region=plan.settings.region,
        allowed_account_ids=[plan.settings.account_id],
        default_tags={"tags": plan.tags},
    )
