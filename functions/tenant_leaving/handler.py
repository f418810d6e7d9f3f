"""The entry point: one stage of one tenant's offboarding per call."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from functions.common.call_record import recorded
from functions.common.connection import connect as open_session
from functions.common.database_endpoint import MoveError
from functions.common.events import is_deleted
from functions.common.keep_active import answers_keep_active
from functions.common.secret_store import SecretsManager
from functions.common.stage_run import Step, run_stage
from functions.tenant_leaving import aws, closing_notes
from functions.tenant_leaving.request import unknown
from functions.tenant_leaving.stages import STAGES, parse_request
from functions.tenant_leaving.tools import OffboardingError, Tools

log: Final = logging.getLogger(__name__)
LEFT: Final = 240.0  # seconds of the function's time that are kept for the proof of the dump
QUERY: Final = 840  # seconds for an answer: a large table is read whole


@answers_keep_active
def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a stage of a tenant's offboarding."""
    late = (lambda: context.get_remaining_time_in_millis() / 1000 < LEFT) if context else (lambda: False)
    return recorded(event, lambda: carry_out(event, replace(_outside(), late=late)))


@cache
def _outside() -> Tools:
    return Tools(
        connect=lambda where, login: open_session(where, login, QUERY),
        store=SecretsManager(),
        keys=aws.Kms(),
        objects=aws.S3(),
        databases=aws.Rds(),
        secrets=aws.SecretsManager(),
        now=lambda: datetime.now(UTC),
        step=lambda _: None,
    )


def carry_out(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """Do what `event` asks; returns what was done, which may be kept and shown (no secret is in it)."""
    request = parse_request(_completed(event, tools))

    def work(step: Step) -> Mapping[str, Any]:
        try:
            return STAGES[request.stage].run(request, replace(tools, step=step))
        except MoveError as refusal:
            raise OffboardingError(str(refusal)) from None

    return run_stage(request, tools.step, work, OffboardingError, log)


def _completed(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """The call before is forgotten where one failed since: by the state at once, and by Step Functions 90
    days after its end (API reference, StartExecution, 2026-11).
    """
    stage = STAGES.get(str(event.get("stage")))
    if stage is None or is_deleted(event) or not unknown(stage.fields, event):
        return event
    return {**closing_notes.fields(event, tools), **event}
