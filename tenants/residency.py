"""Jurisdictions, and the Regions that each allows.

Source: AWS, "Regions and Availability Zones" (Region codes and their countries), as of 2026-11.
A tenant's `residency` names a jurisdiction; a cell may hold the tenant if its Region is in the
jurisdiction's list. `eu` means the member states of the European Union, so neither `ch` nor `uk`.
"""

from collections.abc import Mapping
from typing import Final

REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "br": ("sa-east-1",),
    "ca": ("ca-central-1", "ca-west-1"),
    "ch": ("eu-central-2",),
    "de": ("eu-central-1",),
    "eu": ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"),
    "fr": ("eu-west-3",),
    "hk": ("ap-east-1",),
    "id": ("ap-southeast-3",),
    "ie": ("eu-west-1",),
    "il": ("il-central-1",),
    "in": ("ap-south-1", "ap-south-2"),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "kr": ("ap-northeast-2",),
    "my": ("ap-southeast-5",),
    "mx": ("mx-central-1",),
    "nz": ("ap-southeast-6",),
    "sg": ("ap-southeast-1",),
    "th": ("ap-southeast-7",),
    "uae": ("me-central-1",),
    "uk": ("eu-west-2",),
    "us": ("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    "za": ("af-south-1",),
}


def jurisdictions_of(region: str) -> tuple[str, ...]:
    """Which residencies a cell in `region` can hold; empty for a Region that the table does not know."""
    return tuple(sorted(name for name, regions in REGIONS.items() if region in regions))
