"""What a function is told of the call before: what the state says, which a failed call has changed too."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.data_plane.service import INVOCATION, DataPlaneError, Service
from sandbox.providers.aws import Aws
from sandbox.providers.plugin import Refused
from tests.sandbox.made import make, nothing_refused

URN = f"urn:pulumi:dev::p::{INVOCATION}::r"


def test_after_a_call_that_failed_the_one_before_it_is_forgotten(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """getInputChange of internal/service/lambda/invocation.go in terraform-provider-aws, read 2026-11-29."""
    told: list[str] = []

    def invoke(
        _: Service, __: object, action: str, ___: object, before: Mapping[str, Any] | None
    ) -> str | None:
        told.append(before["input"] if before else "")
        if action == "update" and len(told) == 2:
            raise DataPlaneError("Task timed out")
        return "{}"

    monkeypatch.setattr(Service, "invoke_function", invoke)
    first, second = ({"functionName": "f", "lifecycleScope": "CRUD", "input": json.dumps(n)} for n in (1, 2))
    made = make(aws, INVOCATION, first)
    with nothing_refused(), pytest.raises(Refused, match="timed out"):
        aws.update(INVOCATION, made.id, URN, made.state, second)
    left = aws.planned_update(INVOCATION, first, made.state, second, False)
    with nothing_refused():
        aws.update_again(INVOCATION, made.id, URN, left, second)
    assert told == ["", "1", "2"]
