"""The permissions boundary: the most that any role of the platform can ever do."""

from pulumi import Output

from components.policy import Statement, document
from plan.baseline import ALLOWED, REFUSED, actions
from plan.settings import Settings

MAX_POLICY: int = 6144  # characters of a managed policy, white space aside (IAM quotas, 2026-11)


def boundary_document(settings: Settings) -> Output[str]:
    """Allows by name, refuses by name, and refuses everything outside the cell's Region."""
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": settings.region}}
    return document(
        Statement(sid="Most", actions=actions(ALLOWED), resources=["*"]),
        Statement(sid="Never", effect="Deny", actions=actions(REFUSED), resources=["*"]),
        Statement(sid="Elsewhere", effect="Deny", actions=["*"], resources=["*"], condition=elsewhere),
    )
