"""Work that takes more rounds than one: a worker ends its call before its time is up, and is called again.

Whoever calls (the state machine of lifecycle calls) sees `goesOn` in the answer.
"""

from collections.abc import Mapping
from typing import Any, Final

from functions.common.events import RESUME

GOES_ON: Final = "goesOn"  # in an answer
PROGRESS: Final = "progress"  # a sentence for people


class GoesOn(Exception):  # noqa: N818 - a fact
    """The work is not over, and goes on in the next round; the text says how far it has come.

    Everything that was begun is in order: a round may be the last one.
    """

    def __init__(self, progress: str, resume: Mapping[str, Any] | None = None) -> None:
        super().__init__(progress)
        self._resume = resume or {}

    def answer(self, tenant: str) -> Mapping[str, Any]:
        return {"tenant": tenant, GOES_ON: True, PROGRESS: str(self), RESUME: self._resume}
