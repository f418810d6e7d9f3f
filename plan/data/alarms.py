"""Plans of database alarms: thresholds derived from the instance's size, and whom they notify."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from plan.data.databases import DatabasePlan, Size

GIB: Final = 2**30


class Severity(StrEnum):
    PAGE = "page"  # data or service is about to be lost: somebody gets up
    TICKET = "ticket"  # the next working day


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPlan:
    """One metric of AWS/RDS, looked at every five minutes, `periods` times in a row."""

    metric: str
    statistic: str  # Average, Maximum or Minimum
    threshold: float  # in the metric's own unit
    above: bool  # alarm above the threshold, else below it
    severity: Severity
    why: str
    periods: int = 3
    absent_is_well: bool = False  # a metric that exists only while there is something to measure


def plan_database_alarms(database: DatabasePlan) -> tuple[AlarmPlan, ...]:
    """Alarms of the writer."""
    return (*_common(database.size), *_writer(database.size))


def plan_reader_alarms(database: DatabasePlan) -> tuple[AlarmPlan, ...]:
    """Alarms of each read replica."""
    lag = AlarmPlan(
        metric="ReplicaLag",
        statistic="Maximum",
        threshold=60,  # seconds
        above=True,
        severity=Severity.TICKET,
        why="reports are read from data more than a minute old",
    )
    return (*_common(database.size), lag)


def _common(size: Size) -> tuple[AlarmPlan, ...]:
    found = (
        AlarmPlan(
            metric="CPUUtilization",
            statistic="Average",
            threshold=80,  # percent
            above=True,
            severity=Severity.TICKET,
            why="the instance class is too small, or a query has gone wrong",
        ),
        AlarmPlan(
            metric="FreeableMemory",
            statistic="Minimum",
            threshold=size.memory_gib * GIB * 0.05,
            above=False,
            severity=Severity.TICKET,
            why="less than a twentieth of the memory is free",
        ),
    )
    credit = AlarmPlan(
        metric="CPUCreditBalance",
        statistic="Minimum",
        threshold=30,  # credits, half an hour of one vCPU
        above=False,
        severity=Severity.TICKET,
        why="a burstable instance has used up its credit and costs extra or slows down",
    )
    return (*found, credit) if size.burstable else found


def _writer(size: Size) -> tuple[AlarmPlan, ...]:
    return (
        AlarmPlan(
            metric="FreeStorageSpace",
            statistic="Minimum",
            threshold=size.storage_gib * GIB * 0.1,
            above=False,
            severity=Severity.PAGE,
            why="a full disk stops the database, and storage can grow only once in six hours",
            periods=1,
        ),
        AlarmPlan(
            metric="DatabaseConnections",
            statistic="Maximum",
            threshold=int(size.max_connections * 0.8),
            above=True,
            severity=Severity.PAGE,
            why="four of five connections are taken; new ones will be refused",
        ),
        AlarmPlan(
            metric="OldestReplicationSlotLag",
            statistic="Maximum",
            threshold=size.storage_gib * GIB * 0.1,  # bytes of WAL that nobody has read
            above=True,
            severity=Severity.PAGE,
            why="an unread replication slot fills the disk",
            absent_is_well=True,
        ),
    )
