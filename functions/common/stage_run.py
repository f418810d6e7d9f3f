"""One run of a stage: its steps in the log and in the answer, its failures as sentences."""

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from pg8000.exceptions import DatabaseError

from functions.common.connection import BootstrapError, server_message


class StageRequest(Protocol):
    """What a request says of its stage."""

    @property
    def tenant(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def deleted(self) -> bool: ...


Step = Callable[[str], None]
"""Says that a step begins; recorded, and where a test ends a run."""


def run_stage(
    request: StageRequest,
    step: Step,
    work: Callable[[Step], Mapping[str, Any]],
    failure: type[Exception],
    log: logging.Logger,
) -> Mapping[str, Any]:
    """Do the stage's work; what it reports, with its steps. Where the resource ends, nothing is done."""
    about = {"tenant": request.tenant, "stage": str(request.stage)}
    if request.deleted:
        return {**about, "deleted": True}
    steps: list[str] = []

    def begin(name: str) -> None:
        """Every step is in the log, with its time, before it begins."""
        log.info("tenant %s, %s: %s", request.tenant, request.stage, name)
        steps.append(name)
        step(name)

    began = time.monotonic()
    with _sentences(request, failure):
        result = work(begin)
    log.info("tenant %s, %s: done in %.1f s", request.tenant, request.stage, time.monotonic() - began)
    return {**about, **result, "steps": steps}


@contextmanager
def _sentences(request: StageRequest, failure: type[Exception]) -> Generator[None]:
    """What a server refuses becomes a sentence, without the statement, which may hold a secret."""
    try:
        yield
    except DatabaseError as refusal:
        raise failure(f"tenant {request.tenant}, {request.stage}: {server_message(refusal)}") from None
    except BootstrapError as refusal:
        raise failure(str(refusal)) from None
