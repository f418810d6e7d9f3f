"""What a team may do to its own files: onboard, lead tenants through their lives, edit, set, begin a cell.

Everything is written into a project's folder as the command line or a person would write it, and is right:
`examine` finds nothing wrong on the day that a function returns.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st

from tenants.entries import entry_text, values_of
from tenants.files import ledger_file, quota_increases_file, registry_file
from tenants.ledger import render_ledger
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.models import Ledger, PlacementKind, Tenant
from tenants.phases import TRANSITIONS, Phase, Transition
from tenants.project import Project
from tests.strategies import DAY, RefusedError, World, committed_cell, edits, take_step

# What a person may set otherwise, by file: what stands there, and what then.
SETTINGS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "Pulumi.dev.yaml": (
        (r"accountId: .*", 'accountId: "222233334444"'),
        (r"111122223333\.dkr", "222233334444.dkr"),
        (r"zones: .*", "zones: [eu-west-1a, eu-west-1b, eu-west-1c]"),
        (r"siloInstanceClass: .*", "siloInstanceClass: db.t4g.large"),
        (r"shardStorage: .*", "shardStorage: 40\n  tenantry:shardCapacity: 30"),
        (r"backupDays: .*", "backupDays: 14"),
        (r"domain: .*", "domain: dev.harbour.example"),
        (r"(config:\n)", r"\1  tenantry:tasksMin: 3\n"),
    ),
    "Pulumi.prod.yaml": (
        (r"reportsReplicas: .*", "reportsReplicas: 1"),
        (r"monolithInstanceClass: .*", "monolithInstanceClass: db.r6g.xlarge"),
        (r"siloStorage: .*", "siloStorage: 150"),
        (r"alarmEmail: .*", "alarmEmail: oncall@harbour.example"),
    ),
    "Pulumi.org.yaml": ((r"organizationRegions: .*", "organizationRegions: [eu-west-1, eu-west-3]"),),
    "tenants/plans.yaml": (
        (r"name: Starter", "name: Entry"),
        (r"rate_limit: 50", "rate_limit: 60"),
        (r"\Z", "trial:\n  name: Trial\n  rate_limit: 5\n  burst_limit: 10\n  quota: 1000\n"),
        (r"\Z", "  quota_period: MONTH\n  budget_usd: 50\n"),
    ),
    "organization/accounts.yaml": (
        (r"name: Audit", "name: Audit and security"),
        (r"\Z", "data:\n  name: Data\n  email: aws-data@harbour.example\n  unit: workloads/prod\n"),
    ),
    "organization/units.yaml": ((r"\Z", "workloads/data: {name: Data}\n"),),
    "policies/exceptions.yaml": ((r"owner: .*", "owner: risk@harbour.example"),),
}
APPROVAL: Final = """\
- urn: urn:pulumi:dev::tenantry::aws:rds/instance:Instance::silo-ember-cards-instance
  operation: delete
  reason: the tenant has left and was erased
  owner: platform@harbour.example
  expires: 2027-01-31
"""
UNHURRIED: Final = settings(
    deadline=None,
    database=None,
    phases=[Part.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NEW_CELL: Final = """\
new-harbour:
  name: New Harbour
  isolation: silo
  residency: eu
  plan: premium
  contacts: {email: ops@new-harbour.example}
"""


def world_of(root: Path, stack: str) -> World:
    """One stack of a project, as its files have it."""
    project = Project(root)
    entries = tuple(project.entries(stack)[0].models.values())
    return World(committed_cell(stack), entries, project.ledger(stack)[0], DAY)


def write(root: Path, world: World) -> None:
    """Registry and ledger of one stack."""
    stack = world.cell.stack
    text = "".join(entry_text(t.id, values_of(t)) for t in world.entries)
    registry_file(root, stack).write_text(text, "utf-8")
    ledger_file(root, stack).write_text(render_ledger(world.ledger, stack), "utf-8")


def onboard(root: Path, stack: str, entry: str) -> None:
    """Append an entry to a registry, as the README says; the ledger stays as it is until a run."""
    with registry_file(root, stack).open("a", encoding="utf-8") as registry:
        registry.write("\n" + entry)


# ------------------------------------------------------------------ the life of a tenant


def way_to(phase: Phase) -> tuple[Transition, ...]:
    """The shortest way from an active tenant's phase to this one."""
    ways: dict[Phase, tuple[Transition, ...]] = {Phase.ACTIVE: ()}
    while phase not in ways:
        ways |= {
            a.after: (*ways[a.before], a) for a in TRANSITIONS if a.before in ways and a.after not in ways
        }
    return ways[phase]


def lead(world: World, tenant: Tenant, phase: Phase) -> World:
    """Take a tenant from step to step, each on a day when it may be taken, and run after each."""
    to = PlacementKind.SILO if tenant.placement_kind is PlacementKind.POOL else PlacementKind.POOL
    for arrow in way_to(phase):
        retain = world.day if arrow.after is Phase.RETAINED else None
        later = replace(world, day=world.day + timedelta(days=60))
        world = take_step(later, tenant.id, arrow, TransitionOptions(to=to, retain_until=retain)).run()
    return world


def every_phase(root: Path, stack: str) -> date:
    """Lead one tenant of a stack into each phase of a life; returns the day on which all are there."""
    world = world_of(root, stack)
    chosen = dict(zip(Phase, world.entries, strict=False))
    for phase, tenant in chosen.items():
        world = lead(world, tenant, phase)
    found = {t.phase for t in world.entries}
    assert found == set(Phase), f"not in any: {set(Phase) - found}"
    write(root, world)
    return world.day


# ------------------------------------------------------------------ edits


def any_edits(root: Path, stack: str, number: int, start: int) -> date:
    """Any edits of a registry that a run accepts, drawn from a seed; returns the day of the last."""
    worlds = [world_of(root, stack)]

    @seed(start)
    @settings(UNHURRIED, max_examples=4)
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        world = worlds[0]
        for _ in range(number):
            try:
                world = data.draw(edits(world)).apply(world).run()
            except RefusedError:  # the cell is full
                continue
        worlds.append(world)

    draw()
    write(root, worlds[-1])
    return worlds[-1].day


def set_otherwise(root: Path) -> None:
    """Change settings, service plans, the organization, exceptions and approvals."""
    for name, changes in SETTINGS.items():
        text = (root / name).read_text("utf-8")
        for pattern, new in changes:
            text, times = re.subn(pattern, new, text, count=1)
            assert times == 1, (name, pattern)
        (root / name).write_text(text, "utf-8")
    (root / "policies" / "approvals.yaml").write_text(APPROVAL, "utf-8")
    raise_quotas(root, "222233334444")


def raise_quotas(root: Path, account: str) -> None:
    """Note that AWS has raised every quota of an account, as for a cell that grew."""
    quotas, _ = Project(root).quotas
    raised = {id_: {"raised": {**quota.raised, account: quota.value * 10}} for id_, quota in quotas.items()}
    noted = "".join(f"{id_}: {json.dumps(entry)}\n" for id_, entry in raised.items())
    quota_increases_file(root).write_text(noted, "utf-8")


def begin_cell(root: Path, stack: str) -> None:
    """A further cell, in another account and Region, with a tenant of its own."""
    text = (root / "Pulumi.dev.yaml").read_text("utf-8")
    for old, new in (("eu-west-1", "eu-central-1"), ("10.16.", "10.48."), ("10.64.", "10.112.")):
        text = text.replace(old, new)
    text = re.sub(r"\b\d{12}\b", "555566667777", text)
    (root / f"Pulumi.{stack}.yaml").write_text(text.replace("domain: dev", f"domain: {stack}"), "utf-8")
    registry_file(root, stack).write_text(NEW_CELL, "utf-8")
    ledger_file(root, stack).write_text(render_ledger(Ledger(), stack), "utf-8")  # tenants ledger init
