"""Plan of the daily check of protected columns: who is called, and who is told of what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plan.data.alarms import AlarmPlan, Severity
from plan.names import Names

LABEL: Final = "protected-columns"  # of the group, its role, its key and its alarms
NAMESPACE: Final = "Tenantry/ProtectedColumns"  # of the metrics that the function's log lines make
EVERY: Final = "rate(1 day)"
WITHIN_MINUTES: Final = 240  # of which each tenant's call has its own: they share databases, and a function
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedCheckPlan:
    """What all checks of a cell share; it is there before the first tenant has a protected column."""

    group: str  # of the schedules
    alarms: Mapping[str, AlarmPlan]  # of the lines of the log
    dropped: AlarmPlan  # of the schedules
    every: str = EVERY
    within_minutes: int = WITHIN_MINUTES


def plan_protected_check(names: Names) -> ProtectedCheckPlan:
    return ProtectedCheckPlan(group=names.label("schedule-group", LABEL), alarms=_ALARMS, dropped=_DROPPED)


def _some(metric: str, why: str, days: int = 1) -> AlarmPlan:
    return AlarmPlan(
        metric=metric,
        statistic="Sum",
        threshold=0,
        above=True,
        severity=Severity.TICKET,
        why=why,
        periods=days,
        absent_is_well=True,
    )


_ALARMS: Final = {
    "findings": _some(
        "Findings",
        "a protected column has values that are not encrypted under its tenant's key; the log says which",
    ),
    "unread": _some(
        "Unread", "on two days a protected column could not be looked at; the log says which and why", days=2
    ),
}
# Of AWS/Scheduler: a call that was given up after a day of tries.
_DROPPED: Final = _some("InvocationDroppedCount", "a tenant's protected columns were not looked at for a day")


def check_alarms(plan: ProtectedCheckPlan) -> Mapping[str, AlarmPlan]:
    """By key, of either kind."""
    return {**plan.alarms, "dropped": plan.dropped}
