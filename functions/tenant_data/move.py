"""One call of the function: both databases of a move, its tools, and its report."""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from functions.common.call_record import Parameters, parameter_store
from functions.common.catalog_entry import point_to
from functions.common.database_endpoint import Connect, DatabaseEndpoint, Reach, administrator_at
from functions.common.dump import Objects
from functions.common.replication import Replication
from functions.common.secret_store import Store
from functions.common.serving import is_serving
from functions.common.stage_run import Step
from functions.tenant_data.progress_record import ProgressRecord
from functions.tenant_data.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the outside gives: ways in, the secrets, the bucket, and how long a call may take."""

    connect: Connect
    store: Store
    objects: Objects
    reach: Reach
    step: Step
    parameters: Callable[[], Parameters] = parameter_store
    patience: float = 600.0  # seconds for a first copy, and for a follower to catch up before a switch
    left: Callable[[], float] = lambda: math.inf  # seconds until this call is ended
    ends: Callable[[], bool] = lambda: False  # whether this call has to come to its end


@dataclass
class Move:
    """One call: both databases open, and what it reports."""

    request: Request
    origin: DatabaseEndpoint
    target: DatabaseEndpoint
    tools: Tools
    restored: DatabaseEndpoint | None = (
        None  # the origin's instance as it was, with other tenants' rows; a restore's
    )
    notes: list[str] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def endpoints(self) -> tuple[DatabaseEndpoint, ...]:
        return (self.origin, self.target, *([self.restored] if self.restored else []))

    @property
    def out(self) -> Replication:
        return Replication(self.restored or self.origin, self.target, "out")

    @property
    def back(self) -> Replication:
        return Replication(self.target, self.origin, "back")

    def record(self, work: str) -> ProgressRecord:
        """Of work that may take several calls."""
        return ProgressRecord(self.tools.objects, self.request.bucket, work, self.request.resume)

    def reopen(self, endpoint: DatabaseEndpoint) -> AbstractContextManager[DatabaseEndpoint]:
        """A new session of the administrator where one has gone."""
        tools = self.tools
        return administrator_at(endpoint.name, endpoint.address, self.request, tools.connect, tools.store)

    def switch_catalog(self, serves: DatabaseEndpoint) -> None:
        """The catalog names the database that the secret does, from the switch on."""
        if self.request.catalog:
            self.tools.step("catalog")
            readers = self.request.readers.get(serves.name, ())
            point_to(self.tools.parameters(), self.request.catalog, serves.address, readers)

    def result(self) -> Mapping[str, Any]:
        """What may be kept and shown; no secret is in it."""
        serves = self.target if is_serving(self.tools.store, self.target) else self.origin
        link = self.back if serves is self.target else self.out
        return {
            "tenant": self.request.tenant,
            "stage": str(self.request.stage),
            "serves": serves.name,
            "lagBytes": link.lag_bytes,
            "copied": link.subscribed is not None and not link.tables_copying,
            "rows": None,
            "readOnlySeconds": None,
            **self.report,
            "notes": self.notes,
        }
