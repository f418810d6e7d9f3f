"""The stages of an offboarding, a line each: their words are those of tenants/phases.py, as a test holds."""

from collections.abc import Mapping
from typing import Any, Final

from functions.tenant_leaving import certify, erase, export, keys
from functions.tenant_leaving.request import Request, parse
from functions.tenant_leaving.stage import Stage

STAGES: Final[Mapping[str, Stage]] = {
    stage.request: stage
    for stage in (
        export.EXPORT,
        keys.KEEP,
        keys.CLOSE,
        erase.ERASE,
        certify.CERTIFY,
    )
}


def parse_request(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    return parse(event, {word: stage.fields for word, stage in STAGES.items()})
