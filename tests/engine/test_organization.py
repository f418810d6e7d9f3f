"""The organization on the real engine: comes up, stays as it is, takes over what exists, is never deleted."""

from pathlib import Path

import pytest

from sandbox.cloud.store import FILE, Store
from tests.engine.deployed import ORG, Copies
from tests.engine.workspace import Workspace

MANAGEMENT, HOME = "999900001111", "eu-west-1"
ORGANIZATION, ACCOUNT, UNIT = (
    f"aws:organizations/{kind}"
    for kind in ("organization:Organization", "account:Account", "organizationalUnit:OrganizationalUnit")
)


@pytest.fixture
def org(tmp_path: Path, copied: Copies) -> Workspace:
    """The organization, up."""
    return Workspace(copied(ORG, tmp_path / "org"), "org")


def store(space: Workspace, account: str) -> Store:
    return Store(space.sandbox / FILE, account, HOME)


def edit(space: Workspace, name: str, old: str, new: str) -> None:
    path = space.project / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.slow
def test_a_preview_of_nothing_yet_is_whole(tmp_path: Path) -> None:
    """Doors into accounts that are not there yet do not stop it."""
    run = Workspace(tmp_path, "org").preview()
    assert run.status == 0, run.output
    assert run.counts.keys() == {"create"}
    assert run.counts["create"] > 150


@pytest.mark.slow
def test_a_second_run_changes_nothing(org: Workspace) -> None:
    preview, second = org.preview(), org.up()
    assert (preview.status, preview.changes) == (0, ()), preview.output
    assert (second.status, second.changes) == (0, ()), second.output


def test_each_account_holds_what_is_its_own(org: Workspace) -> None:
    accounts = org.outputs()["accounts"]
    assert len(accounts) == 6
    archive = {r.type for r in store(org, accounts["log-archive"]["account"]).all()}
    audit = {r.type for r in store(org, accounts["audit"]["account"]).all()}
    management = {r.type for r in store(org, MANAGEMENT).all()}
    assert "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration" in archive
    assert "aws:securityhub/findingAggregator:FindingAggregator" in audit
    assert not {t for t in archive | audit if t.startswith("aws:organizations/")}
    assert {ORGANIZATION, ACCOUNT, "aws:cloudtrail/trail:Trail"} <= management


@pytest.mark.slow
def test_a_new_account_is_all_that_is_created(org: Workspace) -> None:
    path = org.project / "organization" / "accounts.yaml"
    new = "lab:\n  name: Lab\n  email: aws-lab@tenantry.example\n  unit: sandbox\n"
    path.write_text(path.read_text(encoding="utf-8") + new, encoding="utf-8")
    run = org.preview()
    assert run.status == 0, run.output
    assert {(s.op, s.name) for s in run.changes} == {
        ("create", "tree-account-lab"),
        ("create", "policies-backups-lab"),
        ("create", "policies-backups-lab-attachment"),
    }


@pytest.mark.slow
def test_nothing_of_it_is_destroyed(org: Workspace) -> None:
    before = len(store(org, MANAGEMENT).all())
    run = org.destroy()
    assert run.status == 1
    assert "nothing was deleted" in run.output
    assert len(store(org, MANAGEMENT).all()) == before


@pytest.mark.slow
def test_an_organization_that_exists_is_taken_over(tmp_path: Path, org: Workspace) -> None:
    """As where accounts are older than this program: same cloud, no state."""
    old = org
    cloud = store(old, MANAGEMENT)
    ids = {r.urn.rsplit("::", 1)[1]: r.id for r in cloud.all() if r.type in (ORGANIZATION, ACCOUNT, UNIT)}
    new = Workspace(tmp_path / "new", "org")
    assert len(ids) == 1 + 6 + 7
    _copy_tree(old, new)
    edit(
        new,
        "Pulumi.org.yaml",
        "tenantry:region:",
        f"tenantry:organizationImport: {ids['tree-organization']}\n  tenantry:region:",
    )
    for name in ("prod", "dev"):
        number = ids[f"tree-account-{name}"]
        edit(new, "organization/accounts.yaml", f"\n{name}:\n", f'\n{name}:\n  existing: "{number}"\n')
    edit(
        new,
        "organization/units.yaml",
        "name: Sandbox",
        f"name: Sandbox, existing: {ids['tree-unit-sandbox']}",
    )
    run = new.up()
    assert run.status == 0, run.output
    assert run.counts["import"] == 4
    taken = {s.name for s in run.changes if s.op == "import"}
    assert taken == {"tree-organization", "tree-account-prod", "tree-account-dev", "tree-unit-sandbox"}
    state = {r["urn"].rsplit("::", 1)[1]: r["id"] for r in new.state() if "id" in r}
    assert {n: state[n] for n in taken} == {n: ids[n] for n in taken}
    again = new.preview()
    assert (again.status, again.changes) == (0, ()), again.output


def _copy_tree(old: Workspace, new: Workspace) -> None:
    """The organization, two accounts and a unit of the old cloud, as a person would have left them."""
    wanted = {"tree-organization", "tree-account-prod", "tree-account-dev", "tree-unit-sandbox"}
    there, here = store(old, MANAGEMENT), store(new, MANAGEMENT)
    for row in there.all():
        if row.urn.rsplit("::", 1)[1] in wanted:
            here.put(row, "-", {row.id})


@pytest.mark.slow
def test_an_account_that_is_not_there_is_not_taken_over(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "org")
    edit(space, "organization/accounts.yaml", "\nprod:\n", '\nprod:\n  existing: "123456789012"\n')
    run = space.preview()
    assert run.status != 0
    assert "tree-account-prod" in run.output
    assert "Traceback" not in run.output


def test_bad_files_are_refused_before_the_engine_acts(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "org")
    edit(space, "organization/accounts.yaml", "unit: security", "unit: securty")
    edit(space, "Pulumi.org.yaml", "kind: organization", "kind: organisation")
    run = space.up()
    assert run.status != 0
    assert "tenantry:kind: 'organisation' is not allowed; expected one of cell, organization" in run.output
    edit(space, "Pulumi.org.yaml", "kind: organisation", "kind: organization")
    run = space.up()
    assert run.status != 0
    assert "organization/accounts.yaml:6:9: log-archive: unit securty is not in units.yaml" in run.output
    assert "Traceback" not in run.output
    assert store(space, MANAGEMENT).all() == []
