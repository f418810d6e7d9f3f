"""The entry point: one lifecycle call, which an execution of the state machine carries out."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from functions.common.call_record import parameter_store
from functions.common.keep_active import answers_keep_active
from functions.lifecycle_starter.aws import StepFunctions
from functions.lifecycle_starter.executions import StateMachine, Tools, call_worker
from functions.lifecycle_starter.request import parse

LEFT: Final = 30.0  # seconds of the function's time that are kept for its answer


@answers_keep_active
def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a lifecycle call."""
    call = parse(event)
    if call is None:
        return {"tenant": event["tenant"], "deleted": True}
    seconds = context.get_remaining_time_in_millis() / 1000 - LEFT
    tools = Tools(
        machine=_machine(), parameters=parameter_store(), worker=os.environ["WORKER"], seconds=seconds
    )
    return call_worker(call, tools)


@cache
def _machine() -> StateMachine:
    return StepFunctions(os.environ["MACHINE"])
