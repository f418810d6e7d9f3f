"""Every database is saved: in the vault, and in a second Region where the settings name one."""

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache

import pytest

from devtools.mocks import Recording, Registered
from plan import CellPlan, plan_cell
from plan.data.databases import DatabasePlan
from tests.cells import cell_of, registry_of, settings_of, with_tenants
from tests.program.cell import deploy, deployed, owners

STACKS = pytest.mark.parametrize("stack", ["dev", "prod"])
THERE = "eu-central-1"


def databases(plan: CellPlan) -> list[DatabasePlan]:
    own = [plan.monolith_database, plan.reports_database, *plan.shards]
    return own + [silo for t in plan.tenants for silo in t.silos]


def selected(recording: Recording, stack: str) -> set[str]:
    """Identifiers of the instances that the selection takes, judged as AWS Backup does: a pattern of their
    ARN fits, and every tag is as asked, the provider's tags included.
    """
    (choice,) = recording.of("backup/selection:Selection")
    settings, tags = settings_of(stack), cell_of(stack).tags
    (condition,) = choice.inputs["conditions"]
    asked = {c["key"].removeprefix("aws:ResourceTag/"): c["value"] for c in condition["stringEquals"]}
    assert asked
    found: set[str] = set()
    for instance in recording.of("rds/instance:Instance"):
        identifier = str(instance.inputs["identifier"])
        arn = f"arn:aws:rds:{settings.region}:{settings.account_id}:db:{identifier}"
        has = {**tags, **instance.inputs["tags"]}
        if any(fnmatchcase(arn, p) for p in choice.inputs["resources"]) and asked.items() <= has.items():
            found.add(identifier)
    return found


@STACKS
def test_every_database_goes_into_the_vault_and_no_reader(stack: str) -> None:
    planned = databases(cell_of(stack))
    assert selected(deployed(stack), stack) == {d.identifier for d in planned}
    assert len(planned) > 3


@STACKS
def test_the_vault_has_a_key_and_a_plan_that_fills_it(stack: str) -> None:
    recording = deployed(stack)
    (vault,) = recording.of("backup/vault:Vault")
    (plan,) = recording.of("backup/plan:Plan")
    assert vault.inputs["kmsKeyArn"].endswith(":backup-vault-key")
    assert {r["targetVaultName"] for r in plan.inputs["rules"]} == {vault.inputs["name"]}
    settings = settings_of(stack)
    kept = [r["lifecycle"]["deleteAfter"] for r in plan.inputs["rules"]]
    assert kept == [settings.vault_days, *([settings.vault_months * 31] if settings.vault_months else [])]


def test_prod_locks_its_vault_and_dev_does_not() -> None:
    (lock,) = deployed("prod").of("VaultLockConfiguration")
    assert (lock.inputs["minRetentionDays"], lock.inputs["maxRetentionDays"]) == (90, 403)
    assert "changeableForDays" not in lock.inputs
    assert lock.protect
    assert deployed("prod").of("backup/vault:Vault")[0].protect
    assert not deployed("dev").of("VaultLockConfiguration")


@STACKS
def test_somebody_hears_of_a_backup_that_failed_or_never_came(stack: str) -> None:
    recording = deployed(stack)
    target = recording.one("eventTarget:EventTarget", "backup-failed")
    rule = recording.one("eventRule:EventRule", "backup-failed")
    assert target.inputs["rule"] == rule.inputs["name"]
    assert "baseline-alarms-topic" in target.inputs["arn"]
    assert '"FAILED"' in rule.inputs["eventPattern"]
    assert recording.one("MetricAlarm", "backup-missing-alarm").inputs["treatMissingData"] == "breaching"


@cache
def copying() -> tuple[CellPlan, Recording]:
    registry = registry_of("prod")
    there = with_tenants(registry, [t for t in registry.tenants if t.residency == "eu"])
    plan = plan_cell(replace(settings_of("prod"), backup_copy_region=THERE), there)
    return plan, deploy(plan)


def by_urn(recording: Recording) -> dict[str, Registered]:
    return {r.urn: r for r in recording.resources}


def test_without_a_second_region_nothing_is_made_there() -> None:
    assert not deployed("prod").of("InstanceAutomatedBackupsReplication")
    assert len(deployed("prod").of("pulumi:providers:aws")) == 1


def test_every_databases_backups_are_copied_under_a_key_of_its_own() -> None:
    plan, recording = copying()
    copies = recording.of("InstanceAutomatedBackupsReplication")
    sources = {c.inputs["sourceDbInstanceArn"].rsplit(":", 1)[1] for c in copies}
    assert sources == {f"{d.name}-instance" for d in databases(plan)}
    assert len({c.inputs["kmsKeyId"] for c in copies}) == len(copies) == len(databases(plan))
    assert {c.inputs["retentionPeriod"] for c in copies} >= {plan.settings.backup_days}
    assert all(c.protect for c in copies)


def test_copies_and_their_keys_are_made_in_the_second_region_and_nothing_else_is() -> None:
    plan, recording = copying()
    doors = {r.name: r for r in recording.of("pulumi:providers:aws")}
    assert {n: r.inputs["region"] for n, r in doors.items()} == {"aws": "eu-west-1", "aws-copies": THERE}
    assert {r.inputs["allowedAccountIds"] for r in doors.values()} == {f'["{plan.settings.account_id}"]'}
    through = [r for r in recording.resources if f"::{doors['aws-copies'].name}::" in r.provider]
    kinds = {r.type for r in through}
    assert kinds == {
        "aws:kms/key:Key",
        "aws:kms/alias:Alias",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    }
    for key in (r for r in through if r.type == "aws:kms/key:Key"):
        assert f"rds.{THERE}.amazonaws.com" in key.inputs["policy"]


def test_a_tenants_copy_is_the_tenants() -> None:
    plan, recording = copying()
    whose = owners(recording)
    silos = {t.id for t in plan.tenants if t.silos}
    assert silos
    owned = {whose[c.urn] for c in recording.of("InstanceAutomatedBackupsReplication")}
    assert owned == {*silos, None}
