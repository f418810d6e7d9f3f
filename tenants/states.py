"""The state of a tenant: its phase, where its data is, and its move, if any."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from config import text_fields
from config.fields import Choice, Flag, Whole, spec
from tenants import field_types
from tenants.phases import MOVE_STAGES, MoveMethod, Phase


class Isolation(StrEnum):
    """Whether a tenant shares its database instance with others."""

    POOL = "pool"  # a role and a schema of its own on a shard
    SILO = "silo"  # an instance of its own


class NetworkMode(StrEnum):
    """Whether a tenant shares its network with others."""

    SHARED = "shared"  # the cell's
    DEDICATED = "dedicated"  # a VPC of its own; silo only


class PlacementKind(StrEnum):
    """Isolation and network in one word: where a tenant's data can live."""

    POOL = "pool"
    SILO = "silo"  # its own instance, in the cell's network
    DEDICATED = "dedicated"  # its own instance, in its own network

    @property
    def isolation(self) -> Isolation:
        return Isolation.POOL if self is PlacementKind.POOL else Isolation.SILO

    @property
    def network(self) -> NetworkMode:
        return NetworkMode.DEDICATED if self is PlacementKind.DEDICATED else NetworkMode.SHARED

    @property
    def has_own_instance(self) -> bool:
        """Whether the tenant has an instance of its own there."""
        return self is not PlacementKind.POOL


def kind_of(isolation: Isolation, network: NetworkMode) -> PlacementKind:
    if isolation is Isolation.POOL:
        return PlacementKind.POOL
    return PlacementKind.DEDICATED if network is NetworkMode.DEDICATED else PlacementKind.SILO


SOAK_DAYS: Final = 7
READ_ONLY_SECONDS: Final = 60
KEY_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A tenant on its way from one kind of placement to another. `tenantry tenants move` writes it."""

    origin: PlacementKind = field(metadata=spec(Choice(PlacementKind), "Where the tenant's data comes from"))
    to: PlacementKind = field(metadata=spec(Choice(PlacementKind), "Where the tenant's data goes"))
    stage: Phase = field(metadata=spec(Choice(MOVE_STAGES), "How far the move has come"))
    at: str | None = field(
        default=None,
        metadata=spec(
            field_types.MOMENT,
            "Moment in UTC to which the data is restored; such a move leads to a new instance",
        ),
    )
    by: MoveMethod = field(
        default=MoveMethod.REPLICATION,
        metadata=spec(
            Choice(MoveMethod), "How rows come to the new place: following, or in a copy at the cutover"
        ),
    )
    soak_days: int = field(
        default=SOAK_DAYS,
        metadata=spec(Whole(0, 90), "Days that the old place is kept up to date, as the way back"),
    )
    read_only_seconds: int = field(
        default=READ_ONLY_SECONDS,
        metadata=spec(Whole(1, 600), "Seconds that the tenant's writes may wait at the cutover"),
    )

    @property
    def extracts(self) -> bool:
        """Whether it restores from a shard, whose rows are everybody's."""
        return self.at is not None and not self.origin.has_own_instance

    @property
    def way(self) -> str:
        """What does not change while the move is on, for a person."""
        how = f" by {self.by}" if self.by is not MoveMethod.REPLICATION else ""
        return f"{self.origin} to {self.to}{how}" + (f" as it was at {self.at}" if self.at else "")

    def __str__(self) -> str:
        return f"{self.origin}-to-{self.to}/{self.stage}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What was agreed about the end. `tenantry tenants offboard` writes it."""

    retain_until: date | None = field(
        default=None,
        metadata=spec(text_fields.DATE, "Last day that the law or the contract asks for the data"),
    )
    handed_over: bool = field(
        default=False, metadata=spec(Flag(), "Whether a copy of its data stands in a bucket of its own")
    )
    key_days: int = field(
        default=KEY_DAYS,
        metadata=spec(
            Whole(7, 30), "Days between scheduling and deletion of the key (AWS KMS, 2026-11: 7 to 30)"
        ),
    )
