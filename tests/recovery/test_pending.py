"""Creations that were begun are looked up where their names say that they would be."""

import json
from typing import Any

import pytest

from recovery.pending import (
    PLACE,
    PendingCreate,
    import_id,
    import_id_templates,
    import_list,
    other_pending_operations,
    pending_creates,
)
from tests.cells import ROOT

PROVIDER = "urn:pulumi:dev::p::pulumi:providers:aws::aws"
QUEUE = "aws:sqs/queue:Queue"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::p::{kind}::{name}"


def begun(kind: str, logical: str, operation: str = "creating", /, **inputs: Any) -> dict[str, Any]:
    provider = f"{PROVIDER}::0d" if kind.startswith("aws:") else None
    found = {"urn": urn(kind, logical), "type": kind, "parent": "urn:parent", "inputs": inputs}
    return {"type": operation, "resource": found | ({"provider": provider} if provider else {})}


def state(*operations: dict[str, Any], kept: tuple[str, ...] = ()) -> dict[str, Any]:
    aws = {"region": "eu-west-1", "allowedAccountIds": '["111122223333"]'}
    known = [{"urn": PROVIDER, "type": "pulumi:providers:aws", "inputs": aws}]
    known += [{"urn": u, "type": QUEUE} for u in kept]
    return {"resources": known, "pending_operations": list(operations)}


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        (QUEUE, {"name": "jobs"}, "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"),
        ("aws:iam/policy:Policy", {"name": "boundary"}, "arn:aws:iam::111122223333:policy/boundary"),
        ("aws:iam/rolePolicy:RolePolicy", {"role": "r", "name": "n"}, "r:n"),
        ("aws:s3/bucket:Bucket", {"bucket": "b"}, "b"),
        (QUEUE, {}, None),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, None),
        ("random:index/randomPassword:RandomPassword", {"length": 8}, None),
    ],
)
def test_the_id_is_made_of_the_inputs_or_there_is_none(
    kind: str, inputs: dict[str, Any], expected: str | None
) -> None:
    (found,) = pending_creates(state(begun(kind, "x", **inputs)))
    assert found.id == expected


def test_a_replacement_is_not_taken_in_over_what_it_replaces() -> None:
    operation = begun(QUEUE, "x", name="jobs")
    assert pending_creates(state(operation))[0].id
    assert pending_creates(state(operation, kept=(urn(QUEUE, "x"),)))[0].id is None


def test_only_creations_are_looked_up() -> None:
    found = state(begun(QUEUE, "a", "updating", name="a"), begun(QUEUE, "b", "deleting", name="b"))
    assert pending_creates(found) == []
    assert other_pending_operations(found) == ["updating a", "deleting b"]


def test_the_import_names_parent_and_provider_by_their_urns() -> None:
    listed = import_list(pending_creates(state(begun(QUEUE, "a", name="a"), begun(QUEUE, "b", name="b"))))
    for entry in listed["resources"]:
        assert listed["nameTable"][entry["parent"]] == "urn:parent"
        assert listed["nameTable"][entry["provider"]] == PROVIDER
    assert [r["name"] for r in listed["resources"]] == ["a", "b"]


def test_what_cannot_be_looked_up_is_told_by_what_a_console_shows() -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "cell"}}
    lost = PendingCreate(urn("aws:ec2/vpc:Vpc", "v"), "aws:ec2/vpc:Vpc", None, None, None, inputs)
    assert lost.clue == "Vpc v (Name cell, cidrBlock 10.0.0.0/16)"


def test_every_id_is_made_of_inputs_that_the_type_has() -> None:
    shapes = json.loads((ROOT / "sandbox" / "aws" / "sdk_inputs.json").read_text(encoding="utf-8"))
    assert len(import_id_templates()) > 20
    for kind, template in import_id_templates().items():
        inputs = set(shapes[kind]["inputs"]) | {"account", "region"}
        assert set(PLACE.findall(template)) <= inputs, kind


def test_a_value_that_is_not_known_makes_no_id() -> None:
    assert import_id(QUEUE, {"name": "", "region": "eu-west-1", "account": "1"}) is None
    assert import_id(QUEUE, {"name": "q", "region": "", "account": "1"}) is None
