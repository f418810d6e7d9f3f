"""The entry point: one stage of one tenant's offboarding for each call."""

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from functions.common.connection import connect as open_session
from functions.common.database_endpoint import DatabaseEndpoint, MoveError, administrator_at
from functions.common.secret_store import SecretsManager
from functions.common.stage_run import Step, run_stage
from functions.tenant_leaving import aws, keys
from functions.tenant_leaving.certify import certify
from functions.tenant_leaving.erase import erase
from functions.tenant_leaving.export import Export
from functions.tenant_leaving.request import OffboardingStage, Request, parse
from functions.tenant_leaving.tools import OffboardingError, Tools

log: Final = logging.getLogger(__name__)
LEFT: Final = 240.0  # seconds of the function's time that are kept for the proof of the dump
QUERY: Final = 840  # seconds for an answer: a large table is read whole


def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a stage of a tenant's offboarding."""
    late = (lambda: context.get_remaining_time_in_millis() / 1000 < LEFT) if context else (lambda: False)
    return carry_out(event, replace(_outside(), late=late))


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
    request = parse(event)

    def work(step: Step) -> Mapping[str, Any]:
        try:
            return STAGES[request.stage](request, replace(tools, step=step))
        except MoveError as refusal:
            raise OffboardingError(str(refusal)) from None

    return run_stage(request, tools.step, work, OffboardingError, log)


def _export(request: Request, tools: Tools) -> Mapping[str, Any]:
    with _endpoint(request, tools) as endpoint:
        if endpoint is None:
            raise OffboardingError(f"tenant {request.tenant} has no database to export")
        return Export(request, endpoint, tools).run()


def _erase(request: Request, tools: Tools) -> Mapping[str, Any]:
    if not all(keys.gone(key, tools.now()) for key in keys.described(request, tools).values()):
        return erase(request, None, tools)  # which refuses, before anybody logs in
    with _endpoint(request, tools) as endpoint:
        return erase(request, endpoint, tools)


STAGES: Final[Mapping[OffboardingStage, Callable[[Request, Tools], Mapping[str, Any]]]] = {
    OffboardingStage.EXPORT: _export,
    OffboardingStage.KEEP: keys.keep,
    OffboardingStage.CLOSE: keys.close,
    OffboardingStage.ERASE: _erase,
    OffboardingStage.CERTIFY: certify,
}


@contextmanager
def _endpoint(request: Request, tools: Tools) -> Generator[DatabaseEndpoint | None]:
    """The administrator's session; none where there is no database to log in to."""
    if request.address is None:
        yield None
        return
    with administrator_at("database", request.address, request, tools.connect, tools.store) as endpoint:
        yield endpoint
