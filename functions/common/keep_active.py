"""The daily call that keeps a function's place in the network: it is answered, and nothing is done.

Lambda takes the network interfaces of a function that was idle for 14 days, and its next call fails (Lambda
developer guide, "Giving Lambda functions access to resources in an Amazon VPC", 2026-11).
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeAlias

KEEP_ACTIVE: Final[Mapping[str, Any]] = {"keepActive": True}

Handler: TypeAlias = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def answers_keep_active(handle: Handler) -> Handler:
    """A function's entry point, which answers an event that is the daily call and nothing else by itself."""

    @wraps(handle)
    def answer(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return KEEP_ACTIVE if event == KEEP_ACTIVE else handle(event, context)

    return answer
