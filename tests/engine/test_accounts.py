"""What a cell finds in its account: what its organization has switched on, or somebody before it, or AWS."""

import datetime
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.failure_reasons import young_account
from sandbox.aws.member_accounts import ACCOUNT, DETECTOR, HUB
from sandbox.aws.new_accounts import RECORDER, VPC
from sandbox.cloud.store import FILE, Row, Store
from tests.engine.deployed import ORG, SMALL, Copies
from tests.engine.workspace import Workspace

MANAGEMENT, REGION = "999900001111", "eu-west-1"
DEV = "111122223333"

pytestmark = pytest.mark.slow


def account(space: Workspace, number: str) -> Store:
    return Store(space.sandbox / FILE, number, REGION)


def edit(space: Workspace, name: str, old: str, new: str) -> None:
    path = space.project / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def watched_by(space: Workspace, owner: str) -> None:
    """Say who switches detection on in the account of the cell."""
    text = (space.project / "Pulumi.dev.yaml").read_text("utf-8")
    kept = [line for line in text.splitlines() if "tenantry:detection:" not in line]
    lines = "\n".join([*kept, f"  tenantry:detection: {owner}", ""])
    (space.project / "Pulumi.dev.yaml").write_text(lines, "utf-8")


def up_and_settled(space: Workspace) -> None:
    run = space.up()
    assert run.status == 0, run.output
    again = space.preview()
    assert (again.status, again.changes) == (0, ()), again.output


def test_a_cell_comes_up_in_an_account_that_the_organization_made(tmp_path: Path, copied: Copies) -> None:
    org = Workspace(copied(ORG, tmp_path / "both"), "org")
    number = org.outputs()["accounts"]["dev"]["account"]
    _joined(org, number, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    (detector,) = account(org, number).in_region(DETECTOR)
    cell = Workspace(tmp_path / "both", "dev")
    edit(cell, "Pulumi.dev.yaml", f'accountId: "{DEV}"', f'accountId: "{number}"')
    refused = cell.up()
    assert refused.status != 0
    assert "creating GUARDDUTY Detector" in refused.output
    assert "BadRequestException" in refused.output
    watched_by(cell, "organization")
    _joined(org, number, account(org, number).now())
    refused = cell.up()
    assert refused.status != 0
    assert "OptInRequired: You are not subscribed to this service" in refused.output
    assert f"AWS has just made the account {number}" in (young_account("dev", cell.env) or "")
    account(org, number).move_clock(0.01)
    assert young_account("dev", cell.env) is None
    up_and_settled(cell)
    assert account(cell, number).in_region(DETECTOR) == [detector]
    assert DETECTOR not in {r["type"] for r in cell.state()}
    again = org.preview()
    assert (again.status, again.changes) == (0, ()), again.output


def test_a_cell_joins_an_organization(tmp_path: Path, copied: Copies) -> None:
    """It keeps its own detector as long as its file says so, and hands it over when that says so."""
    cell = Workspace(copied(SMALL, tmp_path / "both"), "dev")
    org = Workspace(tmp_path / "both", "org")
    edit(org, "organization/accounts.yaml", "\ndev:\n", f'\ndev:\n  existing: "{DEV}"\n')
    _invite(account(org, MANAGEMENT), "aws-dev@tenantry.example")
    up_and_settled(org)
    up_and_settled(cell)
    (detector,), (hub,) = (account(cell, DEV).in_region(kind) for kind in (DETECTOR, HUB))
    watched_by(cell, "handover")
    up_and_settled(cell)
    watched_by(cell, "organization")
    up_and_settled(cell)
    cell.orphans = 1 + 3 + 1 + 2  # detector and its features, hub and its standards: left on
    assert not {DETECTOR, HUB} & {r["type"] for r in cell.state()}
    assert [account(cell, DEV).in_region(kind) for kind in (DETECTOR, HUB)] == [[detector], [hub]]


GRANTED = (
    "function-concurrency: {raised: {'111122223333': 1000}}\nfargate-vcpus: {raised: {'111122223333': 64}}\n"
)


Cells = Callable[[str, str], Workspace]


@pytest.fixture
def new_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    """Make a cell that is not deployed yet, in a cloud of a profile, with a further setting."""

    def make(profile: str, setting: str) -> Workspace:
        monkeypatch.setenv("SANDBOX_PROFILE", profile)
        cell = Workspace(tmp_path, "dev")
        edit(cell, "Pulumi.dev.yaml", "config:\n", f"config:\n  tenantry:{setting}\n")
        return cell

    return make


def test_a_cell_comes_up_in_a_new_account_that_has_what_it_asked_for(new_cell: Cells) -> None:
    cell = new_cell("fresh", "quotas: fresh")
    (cell.project / "tenants" / "quota-increases.yaml").write_text(GRANTED, "utf-8")
    run = cell.up()
    assert run.status != 0
    assert "No rollback candidate was found" in run.output, "a new account has no repository with the images"
    settings = cell.project / "Pulumi.dev.yaml"
    settings.write_text(re.sub(r"(Image:) .*", r"\g<1> none", settings.read_text("utf-8")), "utf-8")
    up_and_settled(cell)
    assert "172.31.0.0/16" in {r.outputs["cidrBlock"] for r in account(cell, DEV).in_region(VPC)}


def test_a_cell_leaves_an_account_that_somebody_used_as_it_is(new_cell: Cells) -> None:
    cell = new_cell("used", "accountScope: none")
    up_and_settled(cell)
    assert [r.id for r in account(cell, DEV).in_region(RECORDER)] == ["default"]
    assert len(account(cell, DEV).in_region(DETECTOR)) == 1


def _joined(org: Workspace, number: str, when: datetime.datetime) -> None:
    """Let an account have been made then."""
    management = Store(org.sandbox / FILE, MANAGEMENT, "-")
    row = management.get(ACCOUNT, number)
    assert row is not None
    management.update_outputs(ACCOUNT, number, {**row.outputs, "joinedTimestamp": when.isoformat()})


def _invite(management: Store, email: str) -> None:
    """An account that is older than the organization, as a person invited it."""
    given = {"name": "Development", "email": email, "parentId": "r-ab12"}
    made = {
        **given,
        "arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-sandbox/{DEV}",
        "status": "ACTIVE",
    }
    management.put(Row(ACCOUNT, DEV, "", given, made), "-", {DEV})
