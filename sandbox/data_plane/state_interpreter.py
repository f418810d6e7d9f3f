"""Runs a definition in the Amazon States Language with the interpreter of moto, and a function as its Lambda.

The interpreter calls Lambda through a client of boto3; here it is given another one, which hands a call on.
Importing this module takes a second.
"""

import importlib
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.backend.execution import SyncExecution
from moto.stepfunctions.parser.backend.state_machine import StateMachineInstance

SUCCEEDED: Final = "SUCCEEDED"
UNKNOWN: Final = "Lambda.Unknown"  # what Step Functions calls a failure that says no type
# Refusals that it calls otherwise than Lambda does (awslabs/aws-deployment-framework #460, 2022-04).
CALLED: Final = {"AccessDeniedException": "AWSLambdaException"}

Invoke = Callable[[str, Any], Any]
"""Name or ARN of a function and its event → its answer; raises `Failed` or `Refused`."""


class Failed(Exception):  # noqa: N818 - a fact
    """The function failed: the payload that Lambda gives back."""

    def __init__(self, payload: str) -> None:
        super().__init__(payload)
        self.payload = payload


class Refused(Exception):  # noqa: N818 - a fact
    """Lambda made no call: its code and its words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code, self.words = code, words


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What an execution is told of its machine."""

    arn: str
    name: str
    role: str
    definition: str


@dataclass(frozen=True)
class Ended:
    """`output` is JSON where it succeeded."""

    status: str
    output: str | None
    error: str | None
    cause: str | None
    events: int  # of its history, of which AWS allows 25,000


def run(machine: Machine, execution: str, given: str, invoke: Invoke) -> Ended:
    """Run it to its end, in this thread. Raises what the parser says of a definition that is none."""
    _, _, _, region, account, *_ = machine.arn.split(":")
    setattr(lambda_eval_utils, "boto_client_for", partial(_client, invoke))  # noqa: B010 - it has no type
    made = SyncExecution(
        name=execution.rpartition(":")[2],
        sm_type=StateMachineType.STANDARD,
        role_arn=machine.role,
        exec_arn=execution,
        account_id=account,
        region_name=region,
        state_machine=StateMachineInstance(
            machine.name, machine.arn, machine.definition, machine.role, {}, sm_type=StateMachineType.STANDARD
        ),
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=given,
    )
    made.start()  # returns when it has ended
    output = json.dumps(vars(made)["output"]) if made.status == SUCCEEDED else None
    history = made.to_history_output().get("events", [])
    return Ended(made.status, output, made.error, made.cause, len(history))


def _client(invoke: Invoke, **_: object) -> "_Lambda":
    return _Lambda(invoke)


class _Lambda:
    """As much of boto3's client as the interpreter uses."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    def invoke(self, *, FunctionName: str, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        try:
            payload = json.dumps(self._invoke(FunctionName, json.loads(Payload)))
        except Failed as failure:
            answer["FunctionError"], payload = "Unhandled", _typed(failure.payload)
        except Refused as refusal:
            raise _client_error(refusal) from None
        return {**answer, "Payload": io.BytesIO(payload.encode())}


def _client_error(refusal: Refused) -> Exception:
    words = str(refusal) if refusal.code in CALLED else refusal.words
    answer = {
        "Error": {"Code": CALLED.get(refusal.code, refusal.code), "Message": words},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid4())},
    }
    return importlib.import_module("botocore.exceptions").ClientError(answer, "Invoke")


def _typed(payload: str) -> str:
    """Step Functions gives a failure without a type one of its own."""
    return json.dumps({"errorType": UNKNOWN, **json.loads(payload)})
