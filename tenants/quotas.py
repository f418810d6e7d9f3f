"""Demand against AWS quotas: what the cells of an account use, and which tenant is one too many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from config.yaml_tree import Finding
from tenants.cell import NOWHERE, Cell
from tenants.files import relative, stack_file
from tenants.models import (
    FACTORS,
    FreshQuota,
    Ledger,
    Quota,
    QuotaProfile,
    Scope,
    ServicePlan,
    Tenant,
)
from tenants.project import Project
from tenants.states import PlacementKind

# Where quotas of a whole account are asked for: AWS general reference, "Service quotas" of IAM, 2026-11.
GLOBAL_REGION: Final = "us-east-1"
Plans = Mapping[str, ServicePlan]
Census = Mapping[str, float]
"""How often each of `FACTORS` occurs in a stack."""


def census(cell: Cell, tenants: Iterable[Tenant], plans: Plans, ledger: Ledger) -> Census:
    """Count what demand is made of. The cell itself counts once, its settings by their values."""
    found = dict.fromkeys(FACTORS, 0.0)
    found |= {"cell": 1, "plan": len(plans), "zones": cell.zones, "reports-replicas": cell.reports_replicas}
    found |= {"tasks": cell.tasks, "vcpus": cell.vcpus, "issuer": cell.issuer}
    found["nat"] = cell.zones if cell.nat_per_zone else 1
    found["copies"] = cell.backup_copy_region != NOWHERE
    shards: set[str] = set()
    for tenant in tenants:
        if not tenant.phase.row.placed:
            continue
        found["tenant"] += 1
        kinds = tenant.placement_kinds  # both ends while it moves
        found["pool"] += PlacementKind.POOL in kinds
        restores = tenant.move is not None and tenant.move.at is not None  # beside the one that serves
        found["silo"] += sum(kind.has_own_instance for kind in kinds) + restores
        found["dedicated"] += PlacementKind.DEDICATED in kinds
        found["webhook"] += tenant.contacts.webhook is not None
        found["replica"] += tenant.overrides.report_replicas or 0
        found["rate"] += plans[tenant.plan].rate_limit if tenant.plan in plans else 0
        if PlacementKind.POOL in kinds and tenant.id in ledger.shards:
            shards.add(ledger.shards[tenant.id])
    found["shard"] = len(shards)
    return found


def demand(quota: Quota, counted: Census) -> float:
    """How much of the quota a stack takes."""
    return sum(times * prod(counted[f] for f in term.split(" * ")) for term, times in quota.demand.items())


def limit_of(quota: Quota, cell: Cell) -> int:
    """The quota as it stands in the cell's account and Region, raised or not."""
    noted = quota.raised.get(f"{cell.account}/{cell.region}") or quota.raised.get(cell.account)
    return noted or (_fresh(quota, cell) or quota).value


def taken_of(quota: Quota, cell: Cell) -> int:
    """How many of it no stack can have, since AWS has taken or keeps them."""
    return (_fresh(quota, cell) or quota).taken


def _fresh(quota: Quota, cell: Cell) -> FreshQuota | None:
    return quota.fresh if cell.quotas is QuotaProfile.FRESH else None


def counted_together(quota: Quota, cell: Cell, other: Cell) -> bool:
    """Whether another stack draws on the same quota."""
    match quota.scope:
        case Scope.ACCOUNT:
            return cell.account == other.account
        case Scope.REGION:
            return (cell.account, cell.region) == (other.account, other.region)
        case Scope.CELL:
            return False


@dataclass(frozen=True, slots=True)
class Use:
    """How a quota stands for one stack."""

    quota: Quota
    limit: int
    own: float  # what this stack takes
    others: float  # what other stacks take of the same
    taken: int = 0  # what AWS has of it

    @property
    def needed(self) -> float:
        """What the quota would have to be."""
        return self.own + self.others + self.taken

    @property
    def free(self) -> float:
        return self.limit - self.needed


def uses(project: Project, cell: Cell, tenants: Iterable[Tenant], ledger: Ledger) -> list[Use]:
    """All quotas as they stand with these tenants in the cell."""
    own = census(cell, tenants, project.plans[0], ledger)
    mates = [stack for stack in project.once(_by_account)[cell.account] if stack != cell.stack]
    others = [(project.once(_cells)[stack], project.once(_censuses)[stack]) for stack in mates]
    return [
        Use(
            quota,
            limit_of(quota, cell),
            demand(quota, own),
            sum(demand(quota, n) for c, n in others if counted_together(quota, cell, c)),
            taken_of(quota, cell),
        )
        for quota in project.quotas[0].values()
    ]


def _cells(project: Project) -> Mapping[str, Cell]:
    """The cells that can be read, by stack."""
    cells = {stack: project.cell(stack)[0] for stack in project.stacks}
    return {stack: cell for stack, cell in cells.items() if cell is not None}


def _by_account(project: Project) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for stack, cell in project.once(_cells).items():
        found.setdefault(cell.account, []).append(stack)
    return found


def _censuses(project: Project) -> Mapping[str, Census]:
    """What each stack counts, as far as it can be read."""
    return {
        stack: census(
            cell, project.entries(stack)[0].models.values(), project.plans[0], project.ledger(stack)[0]
        )
        for stack, cell in project.once(_cells).items()
    }


def problems(
    project: Project, cell: Cell, tenants: Iterable[Tenant], before: Ledger, after: Ledger
) -> list[Finding]:
    """For each quota that is not enough: the first tenant that does not fit, those with a place first."""
    ordered = sorted(tenants, key=lambda t: (t.id not in before.placements, t.id))
    entries, _ = project.entries(cell.stack)
    found: list[Finding] = []
    for use in uses(project, cell, ordered, after):
        if use.free >= 0:
            continue
        quota = use.quota
        room = use.limit - use.others - use.taken
        first = tenants_over_quota(quota, cell, room, ordered, project.plans[0], after)
        what, right = _quota_text(use, cell), _increase_text(use, cell)
        if first is None:
            file = relative(project.root, stack_file(project.root, cell.stack))
            aws = f" beside the {use.taken} that AWS keeps" if use.taken else ""
            wrong = f"the cell alone takes {use.own + use.others:g}{aws}, more than {what}"
            found.append(Finding(file, 1, 1, "", wrong, right))
        else:
            found.append(entries.finding(first.id, (), f"is the first that does not fit {what}", right))
    return found


def _quota_text(use: Use, cell: Cell) -> str:
    quota, known = use.quota, _fresh(use.quota, cell) or use.quota
    return f"the quota of {quota.name} ({use.limit} for {_scope_text(quota, cell)}, AWS {known.dated})"


def _increase_text(use: Use, cell: Cell) -> str:
    """What to ask AWS for, and where to write the answer."""
    command = increase_command(use, cell)
    how = f" ({command})" if command else ""
    noted = "note that in tenants/quota-increases.yaml, or onboard into another cell"
    return f"have it raised to {use.needed:g}{how} and {noted}"


def increase_command(use: Use, cell: Cell) -> str | None:
    """The call that asks for what is needed; None where Service Quotas does not have the quota."""
    if use.quota.code is None:
        return None
    service, code = use.quota.code.split("/")
    region = GLOBAL_REGION if use.quota.scope is Scope.ACCOUNT else cell.region
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
        f" --desired-value {use.needed:g} --region {region}"
    )


def _scope_text(quota: Quota, cell: Cell) -> str:
    match quota.scope:
        case Scope.ACCOUNT:
            return f"account {cell.account}"
        case Scope.REGION:
            return f"account {cell.account} in {cell.region}"
        case Scope.CELL:
            return "one cell"


def tenants_over_quota(
    quota: Quota, cell: Cell, room: float, ordered: Sequence[Tenant], plans: Plans, ledger: Ledger
) -> Tenant | None:
    """The tenant with which demand first passes the room; None if it never does, or does without any."""

    def fits(count: int) -> bool:
        return demand(quota, census(cell, ordered[:count], plans, ledger)) <= room

    low, high = 0, len(ordered)  # demand grows with every tenant, so halving finds the place
    if not fits(low) or fits(high):
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return ordered[high - 1]
