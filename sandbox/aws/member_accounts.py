"""What AWS itself does in the member accounts of an organization whose audit account watches all of them.

Sources: GuardDuty user guide, "Managing accounts with AWS Organizations" (`ALL` covers accounts that exist
and those to come; a member cannot delete its detector), 2026-11; a stack in such an account finds a
detector: nozaq/terraform-aws-secure-baseline #199, 2021-07; the management account is left out until it has
switched GuardDuty on itself: superwerker #84, 2020-12. Security Hub covers only accounts that are made later
(its API reference, UpdateOrganizationConfiguration); older ones take a call (CreateMembers); 2026-11.
"""

from collections.abc import Iterator
from typing import Final

from sandbox.aws.made_by_aws import make_by_aws
from sandbox.aws.refusals.rule import DELETE, Refusal, RuleContext, rule
from sandbox.cloud.store import Row, Store

ACCOUNT: Final = "aws:organizations/account:Account"
DETECTOR, HUB = "aws:guardduty/detector:Detector", "aws:securityhub/account:Account"
GUARDDUTY_CONFIGURATION: Final = "aws:guardduty/organizationConfiguration:OrganizationConfiguration"
HUB_CONFIGURATION: Final = "aws:securityhub/organizationConfiguration:OrganizationConfiguration"


def watch_members(row: Row, store: Store) -> None:
    """Switch on in member accounts what a resource that was made or changed now says is to be on there."""
    if row.type == GUARDDUTY_CONFIGURATION and row.outputs.get("autoEnableOrganizationMembers") == "ALL":
        for account in _members(store):
            make_by_aws(DETECTOR, store.elsewhere(account, store.region))
    if row.type == ACCOUNT:
        for region in _regions(store, GUARDDUTY_CONFIGURATION, "autoEnableOrganizationMembers", "ALL", "NEW"):
            make_by_aws(DETECTOR, store.elsewhere(row.id, region))
        for region in _regions(store, HUB_CONFIGURATION, "autoEnable", True):
            make_by_aws(HUB, store.elsewhere(row.id, region))


def _members(store: Store) -> list[str]:
    return [row.id for row in store.in_all_accounts(ACCOUNT)]


def _regions(store: Store, kind: str, key: str, *values: object) -> list[str]:
    """The Regions in which an audit account has said so."""
    return sorted(
        region for region, row in store.regions_of(kind) if any(row.outputs.get(key) == v for v in values)
    )


@rule(DELETE, DETECTOR)
def detector_of_a_member(at: RuleContext) -> Iterator[Refusal]:
    if at.store.account in _members(at.store) and at.store.region in _regions(
        at.store, GUARDDUTY_CONFIGURATION, "autoEnableOrganizationMembers", "ALL"
    ):
        words = "The request is rejected because a member account cannot delete its detector."
        yield Refusal("BadRequestException", words)
