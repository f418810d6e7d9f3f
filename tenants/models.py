"""The entries of a registry as frozen data. Each field has its meaning and its type.

The shapes (`config.fields`) are the one source of what a value may be: the loader checks by them,
the JSON Schema is generated from them, the command line parses by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from config import text_fields
from config.fields import Choice, ListOf, Number, Record, Whole, spec
from tenants import field_types
from tenants.phases import STATES, Phase
from tenants.states import Isolation, Leaving, Move, NetworkMode, PlacementKind, kind_of

QuotaPeriod: TypeAlias = Literal["DAY", "WEEK", "MONTH"]


MOST_KEYS: Final = 99  # that one tenant may ever have had


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Who hears of a tenant's reports, limits and incidents."""

    email: str = field(metadata=spec(text_fields.EMAIL, "Address that notifications go to"))
    webhook: str | None = field(
        default=None,
        metadata=spec(field_types.WEBHOOK, "Public https URL that signed notifications are posted to"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a tenant has otherwise than its stack's settings say, as far as its service plan allows."""

    instance_class: str | None = field(
        default=None,
        metadata=spec(field_types.INSTANCE_CLASS, "Instance class of the tenant's own database (silo only)"),
    )
    storage_gib: int | None = field(
        default=None, metadata=spec(Whole(20, 65_536), "GiB of the tenant's own database (silo only)")
    )
    backup_days: int | None = field(
        default=None,
        metadata=spec(Whole(7, 35), "Days that the tenant's own database's backups are kept (silo only)"),
    )
    report_replicas: int | None = field(
        default=None,
        metadata=spec(
            Whole(0, 15), "Read replicas of the tenant's own database, for its reports (silo only)"
        ),
    )


NO_OVERRIDES: Final = Overrides()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A customer of the platform, as its entry in the registry describes it. `id` never changes."""

    id: str  # the key of its entry
    name: str = field(
        metadata=spec(field_types.DISPLAY_NAME, "Display name; may change at any time and names no resource")
    )
    isolation: Isolation = field(
        metadata=spec(Choice(Isolation), "pool: on a shared shard; silo: its own database")
    )
    network: NetworkMode = field(
        default=NetworkMode.SHARED,
        metadata=spec(
            Choice(NetworkMode),
            "shared: the cell's network; dedicated: a network of its own (silo only)",
        ),
    )
    residency: str = field(
        metadata=spec(field_types.RESIDENCY, "Jurisdiction in which the tenant's data must stay")
    )
    plan: str = field(metadata=spec(field_types.PLAN_REFERENCE, "Service plan, from plans.yaml"))
    contacts: Contacts = field(metadata=spec(Record(Contacts), "Who is told"))
    state: Phase = field(
        default=Phase.ACTIVE, metadata=spec(Choice(STATES), "Where the tenant stands in its life")
    )
    move: Move | None = field(
        default=None,
        metadata=spec(Record(Move), "The move that the tenant is on; tenantry tenants move writes it"),
    )
    leaving: Leaving | None = field(
        default=None,
        metadata=spec(Record(Leaving), "What was agreed about its end; tenantry tenants offboard writes it"),
    )
    key_rotation_days: int = field(
        default=90,
        metadata=spec(
            Whole(90, 2560),
            "Days between rotations of the tenant's key (AWS KMS, 2026-11: 90 to 2560)",
        ),
    )
    key: int = field(
        default=1,
        metadata=spec(
            Whole(1, MOST_KEYS),
            "Which of the tenant's keys is in use, counted from 1; tenantry tenants rotate-key raises it",
        ),
    )
    protected_columns: tuple[str, ...] = field(
        default=(),
        metadata=spec(
            ListOf(field_types.PROTECTED_COLUMN),
            "Columns that the services encrypt under the tenant's key, as table.column",
        ),
    )
    tags: Mapping[str, str] = field(
        default_factory=_nothing,
        metadata=spec(field_types.TAGS, "Labels of your own on the tenant's resources"),
    )
    overrides: Overrides = field(
        default=NO_OVERRIDES,
        metadata=spec(Record(Overrides), "What differs from the stack's settings, as far as the plan allows"),
    )
    since: date | None = field(
        default=None, metadata=spec(text_fields.DATE, "Date of onboarding, such as 2026-11-23")
    )

    @property
    def phase(self) -> Phase:
        """How far it has come, as the registry has it."""
        return self.move.stage if self.move else self.state

    @property
    def placement_kind(self) -> PlacementKind:
        """Where the registry says that the tenant's data lives."""
        return kind_of(self.isolation, self.network)

    @property
    def placement_kinds(self) -> frozenset[PlacementKind]:
        """Every kind of placement that the tenant has now: both ends while it moves."""
        return frozenset({self.move.origin, self.move.to} if self.move else {self.placement_kind})


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whole numbers from `low` to `high`, both included."""

    low: int = field(metadata=spec(Whole(0, 65_536), "The least that is allowed"))
    high: int = field(metadata=spec(Whole(0, 65_536), "The most that is allowed"))

    def __contains__(self, value: int) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedOverrides:
    """Which overrides a service plan allows; what is left out is not allowed."""

    instance_class: tuple[str, ...] = field(
        default=(), metadata=spec(ListOf(field_types.INSTANCE_CLASS), "Instance classes to choose from")
    )
    storage_gib: Span | None = field(default=None, metadata=spec(Record(Span), "Range of storage in GiB"))
    backup_days: Span | None = field(default=None, metadata=spec(Record(Span), "Range of days"))
    report_replicas: Span | None = field(default=None, metadata=spec(Record(Span), "Range of read replicas"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """What a tenant may ask of the API, and what its cell may spend on it."""

    id: str  # the key of its entry
    name: str = field(metadata=spec(field_types.DISPLAY_NAME, "Display name"))
    rate_limit: float = field(metadata=spec(Number(0.1, 10_000), "Requests per second, in the long run"))
    burst_limit: int = field(metadata=spec(Whole(1, 5_000), "Requests at once"))
    quota: int = field(metadata=spec(Whole(1, 1_000_000_000), "Requests in a quota period"))
    quota_period: QuotaPeriod = field(
        metadata=spec(Choice(("DAY", "WEEK", "MONTH")), "Length of a quota period")
    )
    budget_usd: int = field(
        metadata=spec(Whole(1, 1_000_000), "USD a month that one tenant may cost before an alarm")
    )
    overrides: AllowedOverrides = field(
        default_factory=AllowedOverrides,
        metadata=spec(Record(AllowedOverrides), "Overrides that its tenants may use"),
    )


class Scope(StrEnum):
    """What a quota is counted over."""

    ACCOUNT = "account"  # all cells of an account, in all Regions
    REGION = "region"  # all cells of an account in one Region
    CELL = "cell"  # each cell by itself


class QuotaProfile(StrEnum):
    """Which quotas an account has, before what `quota-increases.yaml` says."""

    FRESH = "fresh"  # what AWS gives a new account
    RAISED = "raised"  # what an account has that has asked, or been in use for a while


FACTORS: Final[tuple[str, ...]] = (
    "cell", "plan", "shard", "tenant", "pool", "silo", "dedicated", "webhook", "replica", "rate",
    "zones", "nat", "reports-replicas", "copies", "tasks", "vcpus", "issuer",
)  # fmt: skip
"""What a demand may be made of: counts of a stack, and seven of its settings (copies and issuer: 1 or 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshQuota:
    """What a new account has of a quota, where that is less than others have."""

    value: int = field(metadata=spec(Whole(1, 10_000_000), "The quota of a new account"))
    source: str = field(metadata=spec(field_types.SOURCE, "Where that was seen"))
    dated: date = field(metadata=spec(text_fields.DATE, "When that was read"))
    taken: int = field(
        default=0,
        metadata=spec(Whole(0, 10_000_000), "How many of it AWS has taken itself, as a default VPC"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit that AWS sets, and how much of it a stack takes."""

    id: str  # the key of its entry
    name: str = field(metadata=spec(text_fields.ONE_LINE, "What is counted"))
    value: int = field(metadata=spec(Whole(1, 10_000_000), "The quota that an account has in profile raised"))
    scope: Scope = field(metadata=spec(Choice(Scope), "What it is counted over"))
    source: str = field(metadata=spec(field_types.SOURCE, "Where AWS says so"))
    dated: date = field(metadata=spec(text_fields.DATE, "When that was read"))
    demand: Mapping[str, int] = field(
        metadata=spec(
            field_types.terms(FACTORS),
            "How many a stack takes: products of factors, such as dedicated * nat, and how often",
        )
    )
    code: str | None = field(
        default=None,
        metadata=spec(field_types.QUOTA_CODE, "Codes of service and quota, as Service Quotas has them"),
    )
    taken: int = field(
        default=0,
        metadata=spec(Whole(0, 10_000_000), "How many of it AWS keeps in every account"),
    )
    fresh: FreshQuota | None = field(
        default=None, metadata=spec(Record(FreshQuota), "What a new account has, where that differs")
    )
    raised: Mapping[str, int] = field(default_factory=_nothing)  # from its `QuotaIncrease`


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaIncrease:
    """A quota that AWS has raised for accounts of the team's."""

    id: str  # of the quota
    raised: Mapping[str, int] = field(
        metadata=spec(
            field_types.RAISED, "account/Region (account alone for scope account) and the value there"
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a tenant was put and how far it has come: what may not change by just any edit."""

    isolation: Isolation
    network: NetworkMode
    state: Phase
    move: Move | None = None
    instance: int = 0  # number of its own instance, at the origin while it moves; 0 for the pool
    issued: int = 0  # the highest such number that it ever had, the far end's while it moves
    key: int = 1  # which of its keys is in use
    stored: int = 1  # which of its keys `instance` is under, which can never have another; `key` for the pool
    since: date | None = None  # when this state or stage began; None where it never mattered

    @property
    def phase(self) -> Phase:
        """How far it had come when it was last recorded."""
        return self.move.stage if self.move else self.state

    @property
    def kind(self) -> PlacementKind:
        return kind_of(self.isolation, self.network)

    @property
    def kinds(self) -> frozenset[PlacementKind]:
        """Every kind of placement that the tenant has: both ends while it moves."""
        return frozenset({self.move.origin, self.move.to} if self.move else {self.kind})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The allocations of one stack: what must outlive every edit. `tenants.allocation` extends it."""

    shards: Mapping[str, str] = field(default_factory=_nothing)  # pool tenant → shard-a, shard-b, …
    networks: Mapping[str, str] = field(default_factory=_nothing)  # dedicated tenant → its /21
    slots: Mapping[str, int] = field(default_factory=_nothing)  # pool tenant → its place on its shard, from 1
    placements: Mapping[str, Placement] = field(default_factory=_nothing)  # every tenant that has a place
    resting: Mapping[str, date] = field(default_factory=_nothing)  # freed shard-a/01 or block → when
    erased: Mapping[str, date] = field(default_factory=_nothing)  # ids that are never used again → when


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything that a plan needs to know about the tenants of one stack, checked."""

    stack: str
    tenants: tuple[Tenant, ...]  # sorted by id; erased ones are not among them
    erased: tuple[Tenant, ...] = ()  # that stand in the file still
    plans: Mapping[str, ServicePlan]
    ledger: Ledger
