"""The CloudWatch dashboard of a cell, as JSON: one page for whoever is on call.

From the top: what is wrong, then the path of a request through the cell (edge, services, queues, databases).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from plan.edge.edge import MANAGED_RULES, RATE_RULES
from plan.operations.alarm_names import alarm_names, databases, queues
from plan.services.services import FunctionPlan, cluster_name, service_name

if TYPE_CHECKING:
    from plan.cell import CellPlan

# CloudWatch's limits of a dashboard and a widget (CloudWatch user guide, "Dashboards" and "Quotas", 2026-11).
MOST_WIDGETS: Final = 500
MOST_METRICS: Final = 500  # of one widget
MOST_METRICS_TOGETHER: Final = 2500
MOST_ALARMS: Final = 100  # of one widget

_WIDE: Final = 24  # columns
_ACROSS: Final = 3  # graphs in a row
_HIGH: Final = 6
_ALARMS_HIGH: Final = 8


@dataclass(frozen=True, slots=True)
class Front:
    """A service's balancer as metrics name it, known once it exists."""

    balancer: str  # app/<name>/<id>
    targets: str  # targetgroup/<name>/<id>


T = TypeVar("T")

Line = tuple[str, str, Mapping[str, str], str]
"""Namespace, metric, dimensions, label."""


@dataclass(frozen=True, slots=True)
class Graph:
    title: str
    statistic: str
    lines: tuple[Line, ...]
    seconds: int = 60
    search: str = ""  # finds its metrics instead (CloudWatch user guide, "Search expressions", 2026-11)


def dashboard_body(plan: "CellPlan", fronts: Mapping[str, Front]) -> str:
    """The whole page; `fronts` by service. Raises KeyError for a service that has none."""
    shelf = _Shelf()
    for number, some in enumerate(batched(alarm_names(plan), MOST_ALARMS), start=1):
        shelf.row(_ALARMS_HIGH, [("alarm", _alarms(plan, some, number))])
    shelf.row(_HIGH, [("log", _throttled(plan))])
    for title, graphs in _sections(plan, fronts).items():
        shelf.row(1, [("text", {"markdown": f"## {title}"})])
        for some in batched([g for g in graphs if g.lines or g.search], _ACROSS):
            shelf.row(_HIGH, [("metric", _drawn(graph, plan.settings.region)) for graph in some])
    return json.dumps(
        {"start": "-PT6H", "periodOverride": "inherit", "widgets": shelf.widgets}, separators=(",", ":")
    )


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Items in groups of at most `size`, as itertools has it from Python 3.12 on."""
    rest = iter(items)
    while some := tuple(islice(rest, size)):
        yield some


class _Shelf:
    """Widgets in rows from the top, each as wide as its row lets it be."""

    def __init__(self) -> None:
        self.widgets: list[dict[str, Any]] = []
        self._top = 0

    def row(self, height: int, found: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        width = _WIDE // (1 if len(found) == 1 and found[0][0] != "metric" else _ACROSS)
        for place, (kind, properties) in enumerate(found):
            where = {"x": place * width, "y": self._top, "width": width, "height": height}
            self.widgets.append({"type": kind, **where, "properties": properties})
        self._top += height


def _alarms(plan: "CellPlan", some: Iterable[str], number: int) -> Mapping[str, Any]:
    settings = plan.settings
    head = f"arn:aws:cloudwatch:{settings.region}:{settings.account_id}:alarm:"
    title = f"Alarms of {settings.stack}" + (f", {number}" if number > 1 else "")
    return {"title": title, "alarms": [head + name for name in some], "sortBy": "stateUpdatedTimestamp"}


def _throttled(plan: "CellPlan") -> Mapping[str, Any]:
    """API Gateway counts what a usage plan stops among all 4xx; who was stopped is in the access log."""
    query = "filter status = 429 | stats count(*) as stopped by apiKeyId, clientId, bin(5m)"
    return {
        "title": "Requests over their usage plan (429), by API key",
        "query": f"SOURCE '{plan.edge.access_log_group}' | {query}",
        "region": plan.settings.region,
        "view": "table",
    }


def _drawn(graph: Graph, region: str) -> Mapping[str, Any]:
    return {
        "title": graph.title,
        "view": "timeSeries",
        "region": region,
        "stat": graph.statistic,
        "period": graph.seconds,
        "metrics": [
            *(
                [namespace, metric, *(part for pair in dimensions.items() for part in pair), {"label": label}]
                for namespace, metric, dimensions, label in graph.lines
            ),
            *([[{"expression": f"SEARCH('{graph.search}', '{graph.statistic}')"}]] if graph.search else []),
        ],
    }


def _sections(plan: "CellPlan", fronts: Mapping[str, Front]) -> Mapping[str, Sequence[Graph]]:
    return {
        "Edge": _edge(plan),
        "Services": _services(plan, fronts),
        "Queues and functions": _queues(plan),
        "Databases": _databases(plan),
    }


def _edge(plan: "CellPlan") -> list[Graph]:
    api = {"ApiName": plan.edge.name, "Stage": plan.edge.stage}
    rules = ("ALL", *MANAGED_RULES.values(), *RATE_RULES.values())
    acl = {"WebACL": plan.edge.web_acl, "Region": plan.settings.region}
    blocks = tuple(("AWS/WAFV2", "BlockedRequests", {**acl, "Rule": rule}, rule) for rule in rules)

    def of_api(*metrics: str) -> tuple[Line, ...]:
        return tuple(("AWS/ApiGateway", metric, api, metric) for metric in metrics)

    return [
        Graph("Requests and errors", "Sum", of_api("Count", "4XXError", "5XXError")),
        Graph("Latency of the slowest twentieth, ms", "p95", of_api("Latency", "IntegrationLatency")),
        Graph("Blocked by the firewall", "Sum", blocks, 300),
    ]


def _services(plan: "CellPlan", fronts: Mapping[str, Front]) -> list[Graph]:
    services = (plan.monolith.name, plan.reports.name)
    cluster = cluster_name(plan.names)

    def of_tasks(namespace: str, metric: str) -> tuple[Line, ...]:
        return tuple(
            (namespace, metric, {"ClusterName": cluster, "ServiceName": service_name(plan.names, s)}, s)
            for s in services
        )

    def of_fronts(*metrics: str) -> tuple[Line, ...]:
        return tuple(
            (
                "AWS/ApplicationELB",
                metric,
                {"TargetGroup": fronts[s].targets, "LoadBalancer": fronts[s].balancer},
                s if len(metrics) == 1 else f"{s} {metric}",
            )
            for s in services
            for metric in metrics
        )

    return [
        Graph("CPU, percent", "Average", of_tasks("AWS/ECS", "CPUUtilization")),
        Graph("Memory, percent", "Average", of_tasks("AWS/ECS", "MemoryUtilization")),
        Graph("Tasks", "Average", of_tasks("ECS/ContainerInsights", "RunningTaskCount")),
        Graph("Requests", "Sum", of_fronts("RequestCount")),
        Graph("Server errors", "Sum", of_fronts("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count")),
        Graph("Response time of the slowest twentieth, s", "p95", of_fronts("TargetResponseTime")),
        Graph("Tasks that fail their checks", "Maximum", of_fronts("UnHealthyHostCount")),
    ]


def _queues(plan: "CellPlan") -> list[Graph]:
    alive = [q.name for q in queues(plan)]
    dead = [q.dead_letter_name for q in queues(plan)]
    functions = [
        plan.reports.webhooks.function.name,
        *_names_of(plan.edge.issuer and plan.edge.issuer.function),
    ]

    def of_queues(metric: str, names: Iterable[str]) -> tuple[Line, ...]:
        return tuple(("AWS/SQS", metric, {"QueueName": name}, name) for name in names)

    def of_functions(*metrics: str) -> tuple[Line, ...]:
        return tuple(
            ("AWS/Lambda", metric, {"FunctionName": f}, f"{f} {metric}")
            for f in functions
            for metric in metrics
        )

    return [
        Graph("Waiting", "Maximum", of_queues("ApproximateNumberOfMessagesVisible", alive)),
        Graph("Age of the oldest, s", "Maximum", of_queues("ApproximateAgeOfOldestMessage", alive)),
        Graph("Failed at every try", "Maximum", of_queues("ApproximateNumberOfMessagesVisible", dead)),
        Graph("Functions", "Sum", of_functions("Errors", "Throttles")),
    ]


def _names_of(function: FunctionPlan | None) -> list[str]:
    return [function.name] if function else []


# Metric of AWS/RDS → statistic, title.
_OF_WRITERS: Final[Mapping[str, tuple[str, str]]] = {
    "DatabaseConnections": ("Maximum", "Connections"),
    "FreeStorageSpace": ("Minimum", "Free storage, bytes"),
    "OldestReplicationSlotLag": ("Maximum", "Log that no subscriber has read, bytes"),
}
_OF_ALL: Final[Mapping[str, tuple[str, str]]] = {
    "CPUUtilization": ("Average", "CPU, percent"),
    "FreeableMemory": ("Minimum", "Free memory, bytes"),
}


def _databases(plan: "CellPlan") -> list[Graph]:
    writers = {d.name: d.identifier for d in databases(plan)}
    readers = {name: identifier for d in databases(plan) for name, identifier in d.readers.items()}

    def graph(metric: str, statistic: str, title: str, found: Mapping[str, str]) -> Graph:
        lines = tuple(
            ("AWS/RDS", metric, {"DBInstanceIdentifier": identifier}, name)
            for name, identifier in found.items()
        )
        return Graph(title, statistic, lines)

    return [
        *(graph(metric, *how, writers) for metric, how in _OF_WRITERS.items()),
        *(graph(metric, *how, {**writers, **readers}) for metric, how in _OF_ALL.items()),
        graph("ReplicaLag", "Maximum", "Lag of readers, s", readers),
        *(_silos(plan, metric, *how) for metric, how in (_OF_ALL | _OF_WRITERS).items()),
    ]


def _silos(plan: "CellPlan", metric: str, statistic: str, title: str) -> Graph:
    """Found by the beginning of their names, so that onboarding a tenant leaves the page as it is."""
    head = plan.names.label("database", "silo-")
    query = f'{{AWS/RDS,DBInstanceIdentifier}} MetricName="{metric}" "{head}"'
    return Graph(f"Silos: {title}", statistic, (), search=query)
