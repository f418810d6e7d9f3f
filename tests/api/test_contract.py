"""The public contract: valid OpenAPI, and what its callers were promised."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from api import CONTRACT, contract

PROBLEM = "application/problem+json"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for item in contract()["paths"].values():
        for operation in item.values():
            yield operation["operationId"], operation


def response(found: dict[str, Any]) -> dict[str, Any]:
    """A response of an operation, with its reference followed."""
    if "$ref" in found:
        return contract()["components"]["responses"][found["$ref"].rsplit("/", 1)[1]]
    return found


def mistakes(found: dict[str, Any]) -> list[str]:
    return [mistake.message for mistake in OpenAPIV30SpecValidator(found).iter_errors()]


def test_it_is_valid_openapi() -> None:
    assert mistakes(contract()) == []


def test_the_validator_would_notice() -> None:
    broken = contract()
    del broken["paths"]["/reports"]["post"]["responses"]
    assert mistakes(broken) == ["'responses' is a required property"]


def test_its_version_is_one_that_the_gateway_imports() -> None:
    assert contract()["openapi"] == "3.0.1"  # API Gateway knows 2.0 and 3.0, not 3.1


def test_nothing_of_the_gateway_is_in_the_file() -> None:
    assert "x-amazon" not in CONTRACT.read_text(encoding="utf-8")


def test_the_api_is_what_was_promised() -> None:
    promised = {(m, p) for p, item in contract()["paths"].items() for m in item}
    assert promised == {("post", "/reports"), ("get", "/reports"), ("get", "/reports/{id}")}


def test_an_order_is_accepted_with_the_place_where_its_report_will_be() -> None:
    accepted = contract()["paths"]["/reports"]["post"]["responses"]["202"]
    assert accepted["headers"]["Location"]["required"] is True
    assert "200" not in contract()["paths"]["/reports"]["post"]["responses"]


def test_the_list_is_paged() -> None:
    get = contract()["paths"]["/reports"]["get"]
    limit = next(p["schema"] for p in get["parameters"] if p["name"] == "limit")
    assert (limit["minimum"], limit["maximum"]) == (1, 100)
    assert "cursor" in {p["name"] for p in get["parameters"]}
    assert "next" in contract()["components"]["schemas"]["ReportPage"]["properties"]


@pytest.mark.parametrize("name", [name for name, _ in operations()])
def test_every_error_is_a_problem(name: str) -> None:
    found = dict(operations())[name]["responses"]
    errors = {status: response(r) for status, r in found.items() if status[0] in "45"}
    assert {"400", "401", "403", "429", "500"} <= set(errors)
    for error in errors.values():
        assert set(error["content"]) == {PROBLEM}
        assert error["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("name", [name for name, _ in operations()])
def test_every_operation_takes_a_token_with_a_scope_and_a_key(name: str) -> None:
    security = dict(operations())[name]["security"]
    scopes = contract()["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]["scopes"]
    assert len(security) == 1
    assert security[0]["key"] == []
    assert security[0]["token"]
    assert set(security[0]["token"]) <= set(scopes)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    for kind in ("schemas", "responses"):
        for name in contract()["components"][kind]:
            assert f"#/components/{kind}/{name}" in text, f"{kind}/{name} is never used"


ORDER = {"kind": "transactions", "from": "2026-01-01", "to": "2026-01-31"}


def order_problems(order: dict[str, Any]) -> list[str]:
    """As the gateway checks a body: JSON Schema draft 4 (developer guide, request validation, 2026-11)."""
    loaded = contract()
    schema = deepcopy(loaded["components"]["schemas"]["ReportOrder"])
    return [
        e.message for e in Draft4Validator({**schema, "components": loaded["components"]}).iter_errors(order)
    ]


def test_a_right_order_passes() -> None:
    assert order_problems({**ORDER, "format": "pdf", "reference": "January"}) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "everything"}, "is not one of"),
        ({"from": "yesterday"}, "does not match"),
        ({"to": None}, "is not of type 'string'"),
        ({"reference": "x" * 129}, "is too long"),
        ({"tenant": "somebody-else"}, "Additional properties are not allowed"),
    ],
)
def test_a_wrong_order_is_refused_before_it_reaches_the_service(change: dict[str, Any], problem: str) -> None:
    found = order_problems({**ORDER, **change})
    assert len(found) == 1
    assert problem in found[0]


def test_reading_gives_a_copy() -> None:
    contract()["paths"].clear()
    assert contract()["paths"]
