"""Plan of the daily calls that keep the cell's functions in the network active.

If a function in a network is idle for 14 days, Lambda reclaims its network interfaces and sets its state to
`Inactive`; its next call fails, and it is `Pending` until it has interfaces again (Lambda developer guide,
"Giving Lambda functions access to resources in an Amazon VPC" and "Lambda function states", 2026-11). Nothing
in the engine makes such a call again (terraform-provider-aws #48214, open in 2026-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plan.data.alarms import AlarmPlan, Severity
from plan.names import Names

# What the functions answer at once, and nothing else in it (functions/common/keep_active.py).
EVENT: Final = '{"keepActive": true}'
EVERY: Final = "rate(1 day)"  # thirteen of these calls may be lost
WITHIN_MINUTES: Final = 60  # of which each call has its own, so that they do not all come at once
DAY_SECONDS: Final = 86_400
LABEL: Final = "keep-active"  # of the group and its alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepActivePlan:
    """`group` is the schedule group of the cell, which the role of its schedules names."""

    group: str
    every: str = EVERY
    within_minutes: int = WITHIN_MINUTES
    event: str = EVENT

    def alarms(self, functions: int) -> Mapping[str, AlarmPlan]:
        """Of the group's metrics (AWS/Scheduler), a day each; `functions` are called. All leave days to mend
        what is wrong: a function may be idle for 13.

        Metrics come by best effort, and a call may fall to the day after within its window. So calls count
        as missing only if they did each day of a week, which is the longest that an alarm looks back
        (EventBridge Scheduler user guide, "Monitoring with Amazon CloudWatch"; CloudWatch API reference,
        PutMetricAlarm; 2026-11).
        """
        return {
            "missing": AlarmPlan(
                metric="InvocationAttemptCount",
                statistic="Sum",
                threshold=functions,
                above=False,
                severity=Severity.TICKET,
                why="for a week not every function was called each day; one that is idle for 14 days fails"
                " its next call",
                periods=7,
            ),
            "failing": AlarmPlan(
                metric="TargetErrorCount",
                statistic="Sum",
                threshold=0,
                above=True,
                severity=Severity.TICKET,
                why="on two days Lambda refused calls that keep functions active",
                periods=2,
                absent_is_well=True,
            ),
            "dropped": AlarmPlan(
                metric="InvocationDroppedCount",
                statistic="Sum",
                threshold=0,
                above=True,
                severity=Severity.TICKET,
                why="a call that keeps a function active was given up after a day of tries",
                periods=1,
                absent_is_well=True,
            ),
        }


def plan_keep_active(names: Names) -> KeepActivePlan:
    return KeepActivePlan(group=names.label("schedule-group", LABEL))
