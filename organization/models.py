"""The entries of `units.yaml` and `accounts.yaml` as frozen data. Each field has its meaning and type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from config.fields import Choice, Text, spec
from config.text_fields import EMAIL

# Organizations user guide, "Quotas" and API reference, CreateAccount and CreateOrganizationalUnit, 2026-11.
_NAME: Final = Text(
    re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?"), "letters, digits, spaces and ._-", longest=50
)
UNIT_ID: Final = Text(
    re.compile(r"[a-z][a-z0-9]*(?:[/-][a-z0-9]+)*"),
    "words of lower-case letters and digits, a slash before each level, such as workloads/prod",
    longest=60,
)
ACCOUNT_ID: Final = Text(
    re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"),
    "lower-case letters, digits and single hyphens, such as log-archive",
    longest=30,
)
_EXISTING_UNIT: Final = Text(
    re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"), "the id of a unit such as ou-ab12-1a2b3c4d", longest=68
)
_EXISTING_ACCOUNT: Final = Text(
    re.compile(r"[0-9]{12}"), "an account id, twelve digits in quotes", longest=12, shortest=12
)
_ROLE: Final = Text(
    re.compile(r"[A-Za-z0-9+=,.@_-]+"), "the name of a role such as tenantry-administrator", longest=64
)

ADMINISTRATOR: Final = "tenantry-administrator"
LEVELS: Final = 5  # of units below the root


class Duty(StrEnum):
    """What an account is for, as far as the organization stack puts something into it."""

    LOG_ARCHIVE = "log-archive"  # keeps the organization's trail
    AUDIT = "audit"  # watches all others
    SHARED_SERVICES = "shared-services"
    WORKLOAD = "workload"  # a cell's


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An organizational unit. Its id is its path: `workloads/prod` stands below `workloads`."""

    id: str  # the key of its entry
    name: str = field(metadata=spec(_NAME, "Name in the organization"))
    existing: str | None = field(
        default=None, metadata=spec(_EXISTING_UNIT, "Id of a unit that exists already and is taken over")
    )

    @property
    def parent(self) -> str | None:
        """Id of the unit above, None below the root."""
        return self.id.rpartition("/")[0] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member account of the organization."""

    id: str  # the key of its entry
    name: str = field(metadata=spec(_NAME, "Name in the organization"))
    email: str = field(metadata=spec(EMAIL, "Address of its root user, no other account's in all of AWS"))
    unit: str = field(metadata=spec(UNIT_ID, "Unit that it stands in, from units.yaml"))
    duty: Duty = field(default=Duty.WORKLOAD, metadata=spec(Choice(Duty), "What it is for"))
    role: str = field(
        default=ADMINISTRATOR,
        metadata=spec(_ROLE, "Role in it that administrators of the organization assume"),
    )
    existing: str | None = field(
        default=None,
        metadata=spec(_EXISTING_ACCOUNT, "Id of an account that exists already and is taken over"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything that a plan needs to know of the organization, checked; both sorted by id."""

    stack: str
    units: tuple[Unit, ...]
    accounts: tuple[Account, ...]

    def holder(self, duty: Duty) -> Account:
        """The one account of a duty that is one account's."""
        return next(a for a in self.accounts if a.duty is duty)

    @property
    def names(self) -> Mapping[str, str]:
        return {a.id: a.name for a in self.accounts}
