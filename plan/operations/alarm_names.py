"""Names of all alarms of a cell except its silos', worst first, for its dashboard."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from plan.account.baseline import duties, trail_alarms
from plan.data.alarms import AlarmPlan, Severity, plan_database_alarms, plan_reader_alarms
from plan.data.databases import DatabasePlan
from plan.edge.edge import EDGE_ALARMS
from plan.names import Names
from plan.services.keep_active import LABEL as KEEP_ACTIVE
from plan.services.protected_check import LABEL as PROTECTED
from plan.services.protected_check import check_alarms
from plan.services.services import (
    BALANCER_ALARMS,
    BOOTSTRAP_FAILED,
    TASK_ALARMS,
    QueuePlan,
    bootstrap_dead_letters,
)
from plan.services.session_watch import watch_alarms

if TYPE_CHECKING:
    from plan.cell import CellPlan

TRAIL: Final = "trail"


def alarm_name(names: Names, label: str, key: str, severity: Severity) -> str:
    """`tenantry-prod-page-shard-a-FreeStorageSpace`."""
    return names.label("alarm", severity.value, label, key)


def alarm_names(plan: "CellPlan") -> tuple[str, ...]:
    """Those of the account's trail, then who must get up, then what can wait for the day."""
    names = plan.names
    trail = trail_alarms("") if duties(plan.settings).account else ()
    found = list(_of_cell(plan))
    return (
        *(names.label("alarm", TRAIL, a.name) for a in trail),
        *(
            alarm_name(names, label, key, alarm.severity)
            for severity in Severity
            for label, key, alarm in found
            if alarm.severity is severity
        ),
    )


def queues(plan: "CellPlan") -> tuple[QueuePlan, ...]:
    return plan.reports.jobs, plan.reports.webhooks.events


def databases(plan: "CellPlan") -> tuple[DatabasePlan, ...]:
    """The services' own and the pool's shards: a new tenant changes nothing that all of a cell share."""
    return (plan.monolith_database, plan.reports_database, *plan.shards)


_Named = tuple[str, str, AlarmPlan]  # label, key, alarm


def _of_cell(plan: "CellPlan") -> Iterator[_Named]:
    for service in (plan.monolith, plan.reports):
        yield from ((service.name, key, a) for key, a in (*BALANCER_ALARMS.items(), *TASK_ALARMS.items()))
    for queue in queues(plan):
        yield queue.name, "age", queue.waiting
        yield queue.dead_letter_name, "filled", queue.failed
    yield bootstrap_dead_letters(plan.names), "filled", BOOTSTRAP_FAILED
    yield from (("api", key, alarm) for key, alarm in EDGE_ALARMS.items())
    yield from ((KEEP_ACTIVE, key, alarm) for key, alarm in plan.keep_active.alarms(0).items())
    yield from ((PROTECTED, key, alarm) for key, alarm in check_alarms(plan.protected_check).items())
    if plan.session_watch:
        for label, of_watch in watch_alarms(plan.session_watch).items():
            yield from ((label, key, alarm) for key, alarm in of_watch.items())
    if plan.vault:
        yield "vault", "missing", plan.vault.missing
    for database in databases(plan):
        yield from _of_database(database.name, plan_database_alarms(database))
        for reader in database.readers:
            yield from _of_database(reader, plan_reader_alarms(database))


def _of_database(name: str, alarms: Iterable[AlarmPlan]) -> Iterator[_Named]:
    return ((name, alarm.metric, alarm) for alarm in alarms)
