"""A provider for a member account, by the role that administrators of the organization assume there."""

from __future__ import annotations

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from organization.models import Account
from plan.organization import OrganizationPlan


def member_provider(
    name: str,
    plan: OrganizationPlan,
    account: Account,
    account_id: Output[str],
    opts: ResourceOptions,
    region: str | None = None,
) -> aws.Provider:
    """One account and Region. Its number is known once the account is there, and no other is let in."""
    return aws.Provider(
        name,
        region=region or plan.settings.region,
        allowed_account_ids=[account_id],
        assume_roles=[
            aws.ProviderAssumeRoleArgs(
                role_arn=Output.format("arn:aws:iam::{0}:role/{1}", account_id, account.role),
                session_name=plan.names.label("any", "organization"),
            )
        ],
        default_tags={"tags": plan.tags},
        opts=opts,
    )
