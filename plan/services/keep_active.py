"""Plan of the daily calls that keep the cell's functions in the network active.

If a function in a network is idle for 14 days, Lambda reclaims its network interfaces and sets its state to
`Inactive`; its next call fails, and it is `Pending` until it has interfaces again (Lambda developer guide,
"Giving Lambda functions access to resources in an Amazon VPC" and "Lambda function states", 2026-11). Nothing
in the engine makes such a call again (terraform-provider-aws #48214, open in 2026-11).
"""

from dataclasses import dataclass
from typing import Final

from plan.names import Names

# What the functions answer at once, and nothing else in it (functions/common/keep_active.py).
EVENT: Final = '{"keepActive": true}'
EVERY: Final = "rate(1 day)"  # thirteen of these calls may be lost
WITHIN_MINUTES: Final = 60  # of which each call has its own, so that they do not all come at once


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepActivePlan:
    """`group` is the schedule group of the cell, which the role of its schedules names."""

    group: str
    every: str = EVERY
    within_minutes: int = WITHIN_MINUTES
    event: str = EVENT


def plan_keep_active(names: Names) -> KeepActivePlan:
    return KeepActivePlan(group=names.label("schedule-group", "keep-active"))
