"""The entry point: one tenant's bucket per call."""

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from functions.common.call_record import recorded
from functions.common.keep_active import answers_keep_active
from functions.tenant_rekey.aws import S3
from functions.tenant_rekey.rekey import rekey
from functions.tenant_rekey.request import parse
from functions.tenant_rekey.tools import Objects, Tools

log: Final = logging.getLogger(__name__)
LEFT: Final = 60.0  # seconds of the function's time in which nothing more is begun


@answers_keep_active
def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """What Lambda calls, for the resource of a tenant's new key."""
    late = (lambda: context.get_remaining_time_in_millis() / 1000 < LEFT) if context else (lambda: False)
    return recorded(event, lambda: carry_out(event, Tools(objects=_objects(), late=late)))


@cache
def _objects() -> Objects:
    return S3()


def carry_out(event: Mapping[str, Any], tools: Tools) -> Mapping[str, Any]:
    request = parse(event)
    if request.deleted:
        return {"tenant": request.tenant, "deleted": True}
    began = time.monotonic()
    result = rekey(request, tools)
    log.info("tenant %s: %s in %.1f s", request.tenant, result, time.monotonic() - began)
    return result
