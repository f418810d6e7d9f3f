"""What a stage of an offboarding is. Each stands in the module that does its work; `stages` lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.tenant_leaving.request import Request, RequestFields
from functions.tenant_leaving.tools import Tools


@dataclass(frozen=True, slots=True)
class Right:
    """What the function's role must be allowed. A resource in braces is a field of the event.

    Rights to a key go into the key's own policy as well. Logging, the network interface and the boundary are
    those of every function of the cell.
    """

    actions: tuple[str, ...]
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that the function has of a stage."""

    request: str  # the word by which it is asked for: `PhaseRow.request` of tenants/phases.py
    run: Callable[[Request, Tools], Mapping[str, Any]]
    fields: RequestFields
    rights: tuple[Right, ...]
