"""The settings of the organization's stack file."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from config.fields import ListOf, Whole
from config.settings_fields import REGION, Places, parse, setting, text
from plan.settings import AccountSettings

NEW = "none"


_REGIONS = ListOf(REGION, fewest=1, most=8, meaning="one to eight different Regions such as eu-west-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings(AccountSettings):
    """The account here is the management account, in which nothing else should stand."""

    organization_regions: tuple[str, ...] = setting(
        "of the organization: Regions that member accounts may use; everywhere else is refused", _REGIONS
    )
    organization_backup_days: int = setting(
        "of the organization: days that weekly snapshots of the cells' databases are kept; within what the"
        " locks of their vaults allow",
        Whole(1, 3650),
        default=90,
    )
    organization_import: str = setting(
        "of the organization: id of one that exists already and is taken over, or none",
        text(rf"{NEW}|o-[a-z0-9]{{10,32}}", "none, or the id of an organization such as o-a1b2c3d4e5"),
        default="none",
    )

    @property
    def existing(self) -> str | None:
        """Id of the organization to take over."""
        return None if self.organization_import == NEW else self.organization_import


def parse_organization_settings(
    stack: str,
    values: Mapping[str, object],
    others: Collection[str] = (),
    places: Callable[[], Places] = dict,
) -> OrganizationSettings:
    """Make them from configuration values by key, or raise `SettingsError` with all that is wrong."""
    return parse(OrganizationSettings, stack, values, _contradictions, others, places)


def _contradictions(v: Mapping[str, Any]) -> list[str]:
    if v["region"] in v["organization_regions"]:
        return []
    return [f"organizationRegions: must name {v['region']}, the Region of the stack, too"]
