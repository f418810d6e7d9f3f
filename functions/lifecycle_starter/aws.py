"""The real Step Functions, by boto3 of the Lambda runtime; only the handler imports this module."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Final

from functions.common.aws_client import aws_client
from functions.lifecycle_starter.executions import AlreadyExists, Execution

# A start whose answer was lost may be made again: it is idempotent (API reference, StartExecution, 2026-11).
RETRIES: Final[Mapping[str, Any]] = {"mode": "adaptive", "max_attempts": 10}


class StepFunctions:
    def __init__(self, machine: str, client: Any = None) -> None:
        self._machine, self._client = machine, client or aws_client("stepfunctions", retries=RETRIES)

    def find(self, name: str) -> Execution | None:
        arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found = self._client.describe_execution(executionArn=arn)
        except self._client.exceptions.ExecutionDoesNotExist:
            return None
        return Execution(
            arn=arn,
            status=found["status"],
            started=found["startDate"].astimezone(UTC),
            given=json.loads(found["input"]),
            output=json.loads(found.get("output") or "null"),
            error=found.get("error") or "",
            cause=found.get("cause") or "",
        )

    def running(self) -> Iterable[str]:
        pages = self._client.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=self._machine, statusFilter="RUNNING"):
            yield from (str(found["name"]) for found in page["executions"])

    def start(self, name: str, given: str) -> None:
        try:
            self._client.start_execution(stateMachineArn=self._machine, name=name, input=given)
        except self._client.exceptions.ExecutionAlreadyExists:
            raise AlreadyExists(name) from None
