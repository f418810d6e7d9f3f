"""The entry point: one stage of one tenant's move for each call."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import Any, Final

from pg8000.exceptions import InterfaceError

from ..tenant_bootstrap.connection import connect as open_session
from ..tenant_bootstrap.store import SecretsManager, Store
from .database_endpoint import PLAIN, MoveError, Side, told, verify_fully
from .dump import Bucket
from .move import Move, Tools
from .request import End, Request, parse
from .stages import perform

log: Final = logging.getLogger(__name__)
LEFT: Final = 60.0  # seconds of the function's time that are not spent on waiting for a copy
QUERY: Final = 840  # seconds for an answer: a large table is read whole


def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a tenant's move."""
    left = context.get_remaining_time_in_millis() / 1000 if context else LEFT
    tools = Tools(
        connect=lambda where, login: open_session(where, login, QUERY),
        store=_store(),
        objects=Bucket(),
        reach=verify_fully,
        step=lambda _: None,
        patience=max(0.0, left - LEFT),
    )
    return carry_out(event, tools)


@cache
def _store() -> Store:
    return SecretsManager()


def carry_out(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    """Do what `event` asks; returns what was done, which may be kept and shown."""
    request = parse(event)
    if request.deleted:
        return {"tenant": request.tenant, "stage": str(request.stage), "deleted": True}
    steps: list[str] = []

    def step(name: str) -> None:
        """Every step is in the log, with its time, before it begins."""
        log.info("tenant %s, %s: %s", request.tenant, request.stage, name)
        steps.append(name)
        tools.step(name)

    began = time.monotonic()
    with told(request), ExitStack() as open_until:

        def side(name: str, end: End) -> Side:
            return open_until.enter_context(_side(name, end, request, tools))

        origin, target = side("origin", request.origin), side("target", request.target)
        restored = side("restored", request.restored) if request.restored else None
        result = perform(Move(request, origin, target, replace(tools, step=step), restored))
    log.info("tenant %s, %s: done in %.1f s", request.tenant, request.stage, time.monotonic() - began)
    return {**result, "steps": steps}


@contextmanager
def _side(name: str, end: End, request: Request, tools: Tools) -> Iterator[Side]:
    master = tools.store.read(end.master_secret)
    if master is None:
        raise MoveError(f"tenant {request.tenant}: the secret of the administrator of the {name} is empty")
    session = tools.connect(request.where(end), master)
    try:
        for statement in PLAIN:
            session.run(statement)
        yield Side(name, end, request, session)
    finally:
        with suppress(InterfaceError, OSError):
            session.close()
