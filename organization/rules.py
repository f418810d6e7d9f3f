"""Checks that compare entries of the two files with each other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from config.typed_files import Entries
from config.wording import allowed_or_near
from config.yaml_tree import Finding
from organization.models import LEVELS, Account, Duty, Unit

# What guardrails and duties hang on; a file may have more.
NEEDED_UNITS: Final = (
    *("security", "infrastructure", "workloads/prod", "workloads/nonprod", "sandbox", "suspended"),
)
SINGLE: Final = (Duty.LOG_ARCHIVE, Duty.AUDIT)  # duties of exactly one account
HOMES: Final = {Duty.LOG_ARCHIVE: "security", Duty.AUDIT: "security", Duty.SHARED_SERVICES: "infrastructure"}

Problem = tuple[str, tuple[str, ...], str, str]
"""Id of the entry, path of the field, what is wrong, what would be right."""


def problems(units: Entries[Unit], accounts: Entries[Account]) -> list[Finding]:
    """All findings over both files."""
    missing = [u for u in NEEDED_UNITS if u not in units.ids]
    found = [Finding(units.file, 1, 1, u, "the unit is missing", "add it: {name: …}") for u in missing]
    found += [units.finding(*p) for p in _units(units)]
    found += [accounts.finding(*p) for p in _accounts(accounts.models.values(), units.ids)]
    for duty in SINGLE:
        if len(accounts.models) == len(accounts.ids) and not _of(accounts, duty):
            right = f"give one account in security duty: {duty}"
            found.append(Finding(accounts.file, 1, 1, "", f"no account has the duty {duty}", right))
    return found


def _of(accounts: Entries[Account], duty: Duty) -> list[Account]:
    return [a for a in accounts.models.values() if a.duty is duty]


def _units(units: Entries[Unit]) -> Iterator[Problem]:
    for unit in units.models.values():
        if unit.parent and unit.parent not in units.ids:
            yield unit.id, (), f"stands below {unit.parent}, which is no unit", f"add {unit.parent}"
        if unit.id.count("/") >= LEVELS:
            yield unit.id, (), f"stands {unit.id.count('/') + 1} levels deep", f"AWS allows {LEVELS}"
    yield from _twice(units.models.values(), "existing")
    siblings: dict[tuple[str | None, str], str] = {}
    for unit in units.models.values():
        first = siblings.setdefault((unit.parent, unit.name), unit.id)
        if first != unit.id:
            yield unit.id, ("name",), f"{unit.name!r} is the name of {first} too", "name siblings differently"


def _accounts(accounts: Iterable[Account], units: frozenset[str]) -> Iterator[Problem]:
    those = list(accounts)
    for account in those:
        if account.unit not in units:
            right = allowed_or_near(account.unit, sorted(units))
            yield account.id, ("unit",), f"unit {account.unit} is not in units.yaml", right
        home = HOMES.get(account.duty)
        if home and account.unit != home:
            yield (
                account.id,
                ("unit",),
                f"the duty {account.duty} belongs in {home}",
                f"expected unit: {home}",
            )
    for field in ("email", "existing"):
        yield from _twice(those, field)
    for duty in SINGLE:
        for account in [a for a in those if a.duty is duty][1:]:
            yield account.id, ("duty",), f"a second account has the duty {duty}", "one account has it"


def _twice(entries: Iterable[Unit | Account], field: str) -> Iterator[Problem]:
    """Entries that share a value which nobody may share; letters' case does not tell addresses apart."""
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        value = getattr(entry, field)
        if value is not None:
            holders[str(value).lower()].append(entry.id)
    for value, ids in holders.items():
        for id_ in ids[1:]:
            yield id_, (field,), f"{field} {value} is that of {ids[0]} too", "each has its own"
