"""The entry point: one stage of one tenant's move per call."""

import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any, Final

from functions.common.call_record import recorded
from functions.common.connection import connect as open_session
from functions.common.database_endpoint import (
    DatabaseEndpoint,
    MoveError,
    administrator_at,
    verify_fully,
    work_alone,
)
from functions.common.dump import Bucket
from functions.common.events import DatabaseAddress
from functions.common.keep_active import answers_keep_active
from functions.common.secret_store import SecretsManager, Store
from functions.common.stage_run import Step, run_stage
from functions.tenant_data.move import Move, Tools
from functions.tenant_data.request import parse
from functions.tenant_data.stages import perform

log: Final = logging.getLogger(__name__)
ROUND: Final = 600.0  # seconds after which a call ends where it can, and the next one goes on
LEFT: Final = 60.0  # seconds of the function's time that are not spent on waiting for a copy
QUERY: Final = 840  # seconds for an answer: a large table is read whole


@answers_keep_active
def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a tenant's move."""

    def left() -> float:
        return context.get_remaining_time_in_millis() / 1000 if context else LEFT

    ends = time.monotonic() + ROUND

    def over() -> bool:
        return time.monotonic() > ends

    tools = Tools(
        connect=lambda where, login: open_session(where, login, QUERY),
        store=_store(),
        objects=Bucket(),
        reach=verify_fully,
        step=lambda _: None,
        patience=max(0.0, left() - LEFT),
        left=left,
        ends=over,
    )
    return recorded(event, lambda: carry_out(event, tools))


@cache
def _store() -> Store:
    return SecretsManager()


def carry_out(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """Do what `event` asks; returns what was done, which may be kept and shown."""
    request = parse(event)

    def work(step: Step) -> Mapping[str, Any]:
        with ExitStack() as sessions:

            def opened(name: str, address: DatabaseAddress) -> DatabaseEndpoint:
                return sessions.enter_context(
                    administrator_at(name, address, request, tools.connect, tools.store)
                )

            origin, target = opened("origin", request.origin), opened("target", request.target)
            work_alone(origin)
            work_alone(target)  # where its protected columns may be looked at
            restored = opened("restored", request.restored) if request.restored else None
            return perform(Move(request, origin, target, replace(tools, step=step), restored))

    return run_stage(request, tools.step, work, MoveError, log)
