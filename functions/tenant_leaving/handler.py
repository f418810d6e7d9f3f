"""The entry point: one stage of one tenant's leaving for each call."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError

from ..tenant_bootstrap.connection import BootstrapError, words
from ..tenant_bootstrap.connection import connect as open_session
from ..tenant_bootstrap.store import SecretsManager
from ..tenant_data.database_endpoint import MoveError, Side
from . import aws, keys
from .certify import certify
from .erase import erase
from .export import Export
from .request import Request, Stage, parse
from .scratch import plainly
from .tools import LeavingError, Tools

log: Final = logging.getLogger(__name__)
LEFT: Final = 240.0  # seconds of the function's time that are kept for the proof of the dump
QUERY: Final = 840  # seconds for an answer: a large table is read whole


def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a stage of a tenant's leaving."""
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
    told = {"tenant": request.tenant, "stage": str(request.stage)}
    if request.deleted:
        return {**told, "deleted": True}
    steps: list[str] = []

    def step(name: str) -> None:
        """Every step is in the log, with its time, before it begins."""
        log.info("tenant %s, %s: %s", request.tenant, request.stage, name)
        steps.append(name)
        tools.step(name)

    began = time.monotonic()
    with _told(request):
        result = STAGES[request.stage](request, replace(tools, step=step))
    log.info("tenant %s, %s: done in %.1f s", request.tenant, request.stage, time.monotonic() - began)
    return {**told, **result, "steps": steps}


def _export(request: Request, tools: Tools) -> Mapping[str, Any]:
    with _side(request, tools) as side:
        if side is None:
            raise LeavingError(f"tenant {request.tenant} has no database to export")
        return Export(request, side, tools).run()


def _erase(request: Request, tools: Tools) -> Mapping[str, Any]:
    if not all(keys.gone(key, tools.now()) for key in keys.described(request, tools).values()):
        return erase(request, None, tools)  # which refuses, before anybody logs in
    with _side(request, tools) as side:
        return erase(request, side, tools)


STAGES: Final[Mapping[Stage, Callable[[Request, Tools], Mapping[str, Any]]]] = {
    Stage.EXPORT: _export,
    Stage.KEEP: keys.keep,
    Stage.CLOSE: keys.close,
    Stage.ERASE: _erase,
    Stage.CERTIFY: certify,
}


@contextmanager
def _side(request: Request, tools: Tools) -> Iterator[Side | None]:
    """The administrator's session; none where there is no database to log in to."""
    if request.end is None:
        yield None
        return
    master = tools.store.read(request.end.master_secret)
    if master is None:
        raise LeavingError(f"tenant {request.tenant}: the secret of the administrator is empty")
    session = tools.connect(request.where(request.end), master)
    try:
        side = Side("database", request.end, request, session)
        plainly(side)
        yield side
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


@contextmanager
def _told(request: Request) -> Iterator[None]:
    """What a server refuses becomes a sentence, without the statement, which may hold a secret."""
    try:
        yield
    except DatabaseError as refusal:
        raise LeavingError(f"tenant {request.tenant}, {request.stage}: {words(refusal)}") from None
    except (BootstrapError, MoveError) as refusal:
        raise LeavingError(str(refusal)) from None
