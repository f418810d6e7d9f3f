"""Plan of the watch of tenants' sessions: who is called, how often, and who is told when nobody looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plan.data.alarms import AlarmPlan, Severity
from plan.data.databases import DatabasePlan
from plan.data.tenant_limits import SessionLimits, session_limits
from plan.names import Names
from plan.services.services import FunctionPlan

DATABASE_USER: Final = "session_watch"  # as the bootstrap function makes it
LABEL: Final = "session-watch"
NAMESPACE: Final = "Tenantry/Sessions"  # of the metrics that the function's log lines make
EVERY: Final = "rate(1 minute)"
# Of a call: the next one has begun before it ends, also where Scheduler is some seconds late.
SECONDS: Final = 80
BETWEEN_LOOKS: Final = 5
ROOM: Final = 40  # seconds for logging in, and for the last look
AT_ONCE: Final = 3  # of each shard: two overlap, and one may be slow
ALARM_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedShard:
    name: str
    limits: SessionLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWatchPlan:
    """None is made where there is no shard."""

    function: FunctionPlan
    group: str  # of its schedules
    shards: Sequence[WatchedShard]
    ended: AlarmPlan  # of the cell
    blind: AlarmPlan  # of each shard
    every: str = EVERY
    seconds: int = SECONDS
    between_looks: int = BETWEEN_LOOKS


def plan_session_watch(names: Names, shards: Sequence[DatabasePlan]) -> SessionWatchPlan | None:
    if not shards:
        return None
    function = FunctionPlan(
        name=names.label("function", LABEL),
        folder="session_watch",
        timeout_seconds=SECONDS + ROOM,
        at_once=AT_ONCE * len(shards),
        segment="functions",
        group="functions",
    )
    return SessionWatchPlan(
        function=function,
        group=names.label("schedule-group", LABEL),
        shards=[WatchedShard(name=s.name, limits=session_limits(s)) for s in shards],
        ended=_ENDED,
        blind=_BLIND,
    )


_ENDED: Final = AlarmPlan(
    metric="SessionsEnded",
    statistic="Sum",
    threshold=0,
    above=True,
    severity=Severity.TICKET,
    why="a session of a tenant took more than its limits and was ended; the log says which and why",
    periods=1,
    absent_is_well=True,
)
_BLIND: Final = AlarmPlan(
    metric="Looks",
    statistic="Sum",
    threshold=ALARM_SECONDS / BETWEEN_LOOKS / 2,
    above=False,
    severity=Severity.PAGE,
    why="nobody looks at the sessions of this shard: once a tenant has all of its locks, nobody can log in",
)


def watch_alarms(plan: SessionWatchPlan) -> Mapping[str, Mapping[str, AlarmPlan]]:
    """Label → key → alarm."""
    return {LABEL: {"ended": plan.ended}, **{s.name: {"blind": plan.blind} for s in plan.shards}}
