"""What an account answers in its first minutes, while AWS is still switching services on in it.

Sources, read 2026-11-29: EC2 (aws-deployment-framework #283, 2020-07), Systems Manager (dfds's
infrastructure-modules #36, 2019-06: a pause of 60 s was enough), any of them (org-formation-cli #133,
2020-12); most before the seventh minute (terraform-provider-aws #15654, 2025-02). Assumed
(`services-of-a-young-account`): which services, that creations are refused and nothing else, and that no
provider tries again.
"""

import datetime
from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.aws.refusals.rule import Refusal, RuleContext
from sandbox.aws.type_descriptions import service_of
from sandbox.cloud.store import Store

ACCOUNT: Final = "aws:organizations/account:Account"
READY_AFTER: Final = datetime.timedelta(minutes=7)
_EC2: Final = (
    "OptInRequired",
    "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
)
_OTHERS: Final = (
    "SubscriptionRequiredException",
    "The AWS Access Key Id needs a subscription for the service",
)
ANSWERS: Final[Mapping[str, tuple[str, str]]] = {"ec2": _EC2, "vpc": _EC2, "ssm": _OTHERS}


def ready_at(store: Store) -> datetime.datetime | None:
    """When the services of this account will be there; None where they are, or nobody knows who made it."""
    if not store.known(ACCOUNT, store.account):
        return None
    made = [r.outputs.get("joinedTimestamp") for r in store.in_all_accounts(ACCOUNT) if r.id == store.account]
    ready = datetime.datetime.fromisoformat(str(made[0])) + READY_AFTER if made and made[0] else None
    return ready if ready and ready > store.now() else None


def not_ready(at: RuleContext) -> Iterator[Refusal]:
    """The refusal of a creation in an account that an organization has just made."""
    answer = ANSWERS.get(service_of(at.token))
    if answer and at.before is None and ready_at(at.store):
        yield Refusal(*answer)
