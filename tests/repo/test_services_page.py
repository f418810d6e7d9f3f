"""The page for those who build the images says what the tasks are really told."""

import re
from pathlib import Path

import pytest

from components.edge.gateway_body import CALLER_HEADERS
from plan.network.paths import SERVICE
from tests.components.edge_parts import cell, container, services

PAGE = (Path(__file__).parents[2] / "docs" / "services.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([A-Z_]+)` \| (yes|secret|) ?\| (yes|secret|) ?\|", PAGE, re.MULTILINE)


def environment_of(service: str) -> dict[str, str]:
    found = container(services("dev"), service)
    plain = {e["name"]: "yes" for e in found["environment"]}
    return plain | {s["name"]: "secret" for s in found["secrets"]}


@pytest.mark.parametrize(("service", "column"), [("monolith", 1), ("reports", 2)])
def test_every_variable_is_on_the_page_and_no_other(service: str, column: int) -> None:
    assert {row[0]: row[column] for row in ROWS if row[column]} == environment_of(service)


def test_what_the_page_says_of_the_task_is_so() -> None:
    plan = cell().reports
    words = (
        f"port {SERVICE}",
        f"`GET {plan.health_path}`",
        f"`{plan.health_command[0]}`",
        f"`{plan.user}`",
        f"after {plan.bucket_days} days",
    )
    assert [w for w in words if w not in PAGE] == []


def test_the_page_names_every_header_that_tells_who_calls() -> None:
    assert [h for h in CALLER_HEADERS if h != "X-Request-Id" and h not in PAGE] == []
