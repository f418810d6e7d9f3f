"""The permissions boundary: the most that any role of the platform can ever do."""

from __future__ import annotations

from pulumi import Output

from components.common.iam_policy import Statement, document
from plan.account.baseline import ENDING, REFUSED, REFUSED_UNLESS_ENDING, actions, ceilings
from plan.settings import AccountSettings

MAX_POLICY: int = 6144  # characters of a managed policy, white space aside (IAM quotas, 2026-11)


def boundary_document(settings: AccountSettings) -> Output[str]:
    """Allows by name and of the account's own, refuses by name, and refuses everything outside the Region."""
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": settings.region}}
    return document(
        *(
            Statement(sid=f"Most{word.capitalize()}", actions=allowed, resources=[resource])
            for word, (allowed, resource) in ceilings(settings).items()
        ),
        Statement(sid="Never", effect="Deny", actions=actions(REFUSED), resources=["*"]),
        Statement(
            sid="UnlessEnding",
            effect="Deny",
            actions=actions(REFUSED_UNLESS_ENDING),
            resources=["*"],
            condition={"StringNotEquals": ENDING},
        ),
        Statement(sid="Elsewhere", effect="Deny", actions=["*"], resources=["*"], condition=elsewhere),
    )
