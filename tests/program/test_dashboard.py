"""The cell's dashboard names everything that the cell has, and is what CloudWatch takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from plan.operations.dashboard import MOST_ALARMS, MOST_METRICS, MOST_METRICS_TOGETHER, MOST_WIDGETS, batched
from tests.program.cell import deployed

STACKS = pytest.mark.parametrize("stack", ["dev", "prod"])


def widgets(stack: str, kind: str = "") -> list[dict[str, Any]]:
    page = deployed(stack).one("cloudwatch/dashboard:Dashboard", "dashboard-page").inputs
    found: list[dict[str, Any]] = json.loads(page["dashboardBody"])["widgets"]
    return [w for w in found if kind in ("", w["type"])]


def dimensions(stack: str, name: str) -> Iterator[str]:
    """The values that some graph has of a dimension."""
    for widget in widgets(stack, "metric"):
        for line in widget["properties"]["metrics"]:
            pairs = dict(zip(line[2:-1:2], line[3:-1:2], strict=True))
            if name in pairs:
                yield pairs[name]


@STACKS
@pytest.mark.parametrize(
    ("kind", "name", "dimension"),
    [
        ("ecs/service:Service", "name", "ServiceName"),
        ("ecs/cluster:Cluster", "name", "ClusterName"),
        ("wafv2/webAcl:WebAcl", "name", "WebACL"),
        ("apigateway/restApi:RestApi", "name", "ApiName"),
    ],
)
def test_everything_of_a_kind_is_on_it_and_nothing_else(
    stack: str, kind: str, name: str, dimension: str
) -> None:
    made = {r.inputs[name] for r in deployed(stack).of(kind)}
    assert made
    assert set(dimensions(stack, dimension)) == made


@STACKS
def test_every_database_is_on_it_and_silos_are_found_by_their_names(stack: str) -> None:
    """A new tenant must change nothing that all share."""
    made = {r.inputs["identifier"] for r in deployed(stack).of("rds/instance:Instance")}
    silos = {i for i in made if i.startswith(f"tenantry-{stack}-silo-")}
    assert silos
    shown = set(dimensions(stack, "DBInstanceIdentifier"))
    assert shown == {i for i in made - silos if "reader" not in i or "silo" not in i}
    searches = [
        line[0]["expression"]
        for w in widgets(stack, "metric")
        for line in w["properties"]["metrics"]
        if isinstance(line[0], dict)
    ]
    assert searches
    assert all(f'"tenantry-{stack}-silo-"' in s for s in searches)


@STACKS
def test_every_queue_that_somebody_waits_for_is_on_it(stack: str) -> None:
    made = {q.inputs["name"] for q in deployed(stack).of("sqs/queue:Queue")}
    shown = set(dimensions(stack, "QueueName"))
    assert shown <= made
    assert {q for q in made if "bootstrap" not in q} == shown  # that one has an alarm and no graph


@STACKS
def test_every_alarm_is_on_it(stack: str) -> None:
    """But for what is a tenant's: a new tenant changes nothing that all of a cell share."""
    alarms = deployed(stack).of("cloudwatch/metricAlarm:MetricAlarm")
    shown = [arn.rsplit(":", 1)[1] for w in widgets(stack, "alarm") for arn in w["properties"]["alarms"]]
    assert sorted(shown) == sorted(
        a.inputs["name"] for a in alarms if "tenant" not in a.inputs.get("tags", {})
    )
    assert len(set(shown)) == len(shown)


@STACKS
def test_it_is_within_the_limits_and_nothing_covers_anything(stack: str) -> None:
    found = widgets(stack)
    assert len(found) <= MOST_WIDGETS
    counts = [len(w["properties"]["metrics"]) for w in found if w["type"] == "metric"]
    assert (max(counts) <= MOST_METRICS, sum(counts) <= MOST_METRICS_TOGETHER) == (True, True)
    assert all(len(w["properties"]["alarms"]) <= MOST_ALARMS for w in widgets(stack, "alarm"))
    taken: set[tuple[int, int]] = set()
    for w in found:
        assert w["x"] + w["width"] <= 24
        cells = {
            (x, y) for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
        }
        assert not cells & taken
        taken |= cells


def test_groups_lose_nothing() -> None:
    assert list(batched(range(7), 3)) == [(0, 1, 2), (3, 4, 5), (6,)]
