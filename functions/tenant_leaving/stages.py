"""The stages of an offboarding: their words are those of tenants/phases.py, as a test holds.

Written by `make generate` from the modules of this folder that make a `Stage`.
"""

from collections.abc import Mapping
from typing import Any, Final

from functions.tenant_leaving.certify import CERTIFY
from functions.tenant_leaving.erase import ERASE
from functions.tenant_leaving.export import EXPORT
from functions.tenant_leaving.keys import CLOSE, KEEP
from functions.tenant_leaving.request import Request, parse
from functions.tenant_leaving.stage import Stage

STAGES: Final[Mapping[str, Stage]] = {
    stage.request: stage
    for stage in (
        CERTIFY,
        CLOSE,
        ERASE,
        EXPORT,
        KEEP,
    )
}


def parse_request(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    return parse(event, {word: stage.fields for word, stage in STAGES.items()})
