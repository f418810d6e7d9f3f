"""Writes docs/network-paths.md from the plan: `make generate`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from plan.network.paths import (
    CELL_GROUPS,
    CELL_PATHS,
    CELL_SEGMENTS,
    DEDICATED_SEGMENTS,
    INTERNET,
    OUTSIDE,
    PEERED_PATHS,
    S3,
    PathPlan,
    SubnetRouting,
)

PAGE = Path(__file__).parents[2] / "docs" / "network-paths.md"
REACHES = {
    SubnetRouting.PUBLIC: "the internet gateway; only NAT gateways are here",
    SubnetRouting.PRIVATE: "a NAT gateway, on 443",
    SubnetRouting.ISOLATED: "none",
}
OUTSIDES = {INTERNET: "any address, through NAT", S3: "S3, through its endpoint"}


def render() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# Allowed network paths",
            "",
            "<!-- Written by `make generate` from plan/network/network.py; a test compares them. -->",
            "",
            "Every connection that a cell allows. Each row is a TCP rule in the source's security group and,",
            "if the target is a security group, in that one too. Network ACLs repeat it between subnets.",
            "",
            "## Inside a cell",
            "",
            *_table(("from", "to", "port", "purpose"), (_path(p) for p in CELL_PATHS)),
            "",
            "## Into the network of a dedicated tenant",
            "",
            "Over a VPC peering, with routes between these segments only. Nothing in the tenant's network",
            "may open a connection to the cell, and no two tenants' networks are connected.",
            "",
            *_table(("from", "to", "port", "purpose"), (_peered(p) for p in PEERED_PATHS)),
            "",
            "## Segments",
            "",
            "Each segment has a subnet in each Availability Zone, and this default route:",
            "",
            *_table(("segment of a cell", "groups", "default route"), _segments()),
            "",
            *_table(
                ("segment of a dedicated network", "default route"),
                ((name, REACHES[reach]) for name, (_, reach) in DEDICATED_SEGMENTS.items()),
            ),
            "",
        ]
    )


def _path(path: PathPlan) -> tuple[str, ...]:
    target = OUTSIDES[path.target] if path.target in OUTSIDE else path.target
    return path.source, target, str(path.port), path.why


def _peered(path: PathPlan) -> tuple[str, ...]:
    return f"{path.source} (cell)", f"{path.target} (tenant)", str(path.port), path.why


def _segments() -> Iterable[tuple[str, ...]]:
    for name, (_, reach) in CELL_SEGMENTS.items():
        groups = ", ".join(sorted(g for g, segment in CELL_GROUPS.items() if segment == name))
        yield name, groups or "none", REACHES[reach]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
