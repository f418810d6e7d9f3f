"""What the stack file of the organization says."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from config.settings_fields import between, matching, parse, setting
from plan.settings import AccountSettings

NEW = "none"


def _regions(value: tuple[str, ...]) -> str | None:
    meaning = "one to eight different Regions such as eu-west-1"
    right = all(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[1-9]", r) for r in value)
    return None if right and 1 <= len(value) <= 8 and len(set(value)) == len(value) else meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings(AccountSettings):
    """The account here is the management account, in which nothing else should stand."""

    organization_regions: tuple[str, ...] = setting(
        "Regions that member accounts may use; everywhere else is refused", _regions
    )
    organization_backup_days: int = setting(
        "days that weekly snapshots of the cells' databases are kept; within what the locks of their vaults"
        " allow",
        between(1, 3650),
    )
    organization_import: str = setting(
        "id of an organization that exists already and is taken over, or none",
        matching(rf"{NEW}|o-[a-z0-9]{{10,32}}", "none, or the id of an organization such as o-a1b2c3d4e5"),
    )

    @property
    def existing(self) -> str | None:
        """Id of the organization to take over."""
        return None if self.organization_import == NEW else self.organization_import


def parse_organization_settings(
    stack: str, values: Mapping[str, object], others: Collection[str] = ()
) -> OrganizationSettings:
    """Make them from configuration values by key, or raise `SettingsError` with all that is wrong."""
    return parse(OrganizationSettings, stack, values, _contradictions, others)


def _contradictions(v: Mapping[str, Any]) -> list[str]:
    if v["region"] in v["organization_regions"]:
        return []
    return [f"organizationRegions: must name {v['region']}, the Region of the stack, too"]
