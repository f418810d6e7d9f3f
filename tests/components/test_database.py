"""A database is private, encrypted under one key, logged, watched, and hard to lose."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from components.data.database import DatabaseArgs
from components.data.database_commons import DatabaseCommons, DatabaseSubnets, DatabaseSubnetsArgs
from devtools.mocks import Recording, Registered
from plan.data.databases import DatabasePlan, Master, plan_reports_database
from tests.cells import settings_of
from tests.components.parts import make_database, names, record, secret_free, shard_plan, shared


def reports(stack: str) -> DatabasePlan:
    return plan_reports_database(settings_of(stack), names(stack))


@cache
def made(stack: str, name: str = "shard") -> Recording:
    plan = shard_plan(stack) if name == "shard" else reports(stack)
    return record(lambda: make_database(plan, stack), stack)


def instances(recording: Recording) -> list[Registered]:
    found = recording.of("rds/instance:Instance")
    assert found
    return found


ALWAYS = {
    "storageEncrypted": True,
    "publiclyAccessible": False,
    "iamDatabaseAuthenticationEnabled": True,
    "performanceInsightsEnabled": True,
    "copyTagsToSnapshot": True,
    "autoMinorVersionUpgrade": True,
    "storageType": "gp3",
    "caCertIdentifier": "rds-ca-rsa2048-g1",
    "parameterGroupName": "parameters",
    "vpcSecurityGroupIds": ["sg-db"],
    "monitoringRoleArn": "arn:monitoring",
}


@pytest.mark.parametrize("stack", ["dev", "prod"])
@pytest.mark.parametrize("name", ["shard", "reports"])
@pytest.mark.parametrize("key", ALWAYS)
def test_every_instance_has_it(stack: str, name: str, key: str) -> None:
    assert [i.inputs[key] for i in instances(made(stack, name))] == [ALWAYS[key]] * len(
        instances(made(stack, name))
    )


def test_storage_insights_and_master_secret_are_under_the_databases_own_key_by_arn() -> None:
    (instance,) = instances(made("prod"))
    keys = ("kmsKeyId", "performanceInsightsKmsKeyId", "masterUserSecretKmsKeyId")
    assert {instance.inputs[k] for k in keys} == {"arn:key-of-shard-a"}


def test_prod_cannot_lose_it_by_an_edit() -> None:
    (instance,) = instances(made("prod"))
    assert instance.protect
    assert instance.inputs["deletionProtection"] is True
    assert instance.inputs["skipFinalSnapshot"] is False
    assert (
        instance.inputs["finalSnapshotIdentifier"] == "tenantry-prod-shard-a-final-hex-shard-a-final-snapshot"
    )
    assert instance.inputs["deleteAutomatedBackups"] is False
    assert instance.inputs["multiAz"] is True
    assert instance.inputs["backupRetentionPeriod"] == 35
    assert instance.inputs["applyImmediately"] is False


def test_dev_goes_away_without_a_trace() -> None:
    (instance,) = instances(made("dev"))
    assert not instance.protect
    assert instance.inputs["deletionProtection"] is False
    assert instance.inputs["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in instance.inputs


def test_rds_keeps_the_master_password_where_it_can() -> None:
    (instance,) = instances(made("prod"))
    assert instance.inputs["manageMasterUserPassword"] is True
    assert "password" not in instance.inputs


def test_the_program_makes_it_where_there_may_be_readers_and_keeps_it_secret() -> None:
    recording = made("prod", "reports")
    writer = recording.one("rds/instance:Instance", "reports-instance")
    secret = recording.one("secretVersion:SecretVersion", "reports-master-secret-version")
    assert "manageMasterUserPassword" not in writer.inputs
    for given in (writer.inputs["password"], secret.inputs["secretString"]):
        assert set(given) == {"4dabf18193072939515e22adb298388d", "value"}, "not a secret to the engine"
        assert "canary-password-reports-master-password" in secret_free(given)
    kept = recording.one("secretsmanager/secret:Secret", "reports-master-secret")
    assert kept.inputs["kmsKeyId"] == "arn:key-of-reports"
    assert kept.protect


def test_its_password_turns_with_the_generation_and_with_nothing_else() -> None:
    def keepers(plan: DatabasePlan) -> Any:
        recording = record(lambda: make_database(plan))
        return recording.one("randomPassword:RandomPassword", "reports-master-password").inputs["keepers"]

    plan = reports("dev")
    assert keepers(plan) == keepers(replace(plan, replicas=2, backup_days=9, multi_az=True))
    assert keepers(plan) != keepers(replace(plan, password_generation=2))


def test_a_managed_password_with_readers_is_refused_before_aws_would() -> None:
    plan = replace(reports("prod"), master=Master.MANAGED)
    with pytest.raises(ValueError, match="database reports: RDS refuses read replicas of a source whose"):
        DatabaseArgs(
            plan=plan,
            subnet_group="s",
            parameter_group="p",
            monitoring_role_arn="m",
            group_id="g",
            key_arn="k",
            shared=shared("prod"),
        )


def readers() -> list[Registered]:
    return [i for i in instances(made("prod", "reports")) if "replicateSourceDb" in i.inputs]


def test_readers_follow_the_writer_and_name_nothing_that_is_its() -> None:
    assert {r.inputs["identifier"] for r in readers()} == {
        "tenantry-prod-reader-a-reports",
        "tenantry-prod-reader-b-reports",
    }
    for reader in readers():
        assert reader.inputs["replicateSourceDb"] == "tenantry-prod-reports"
        assert reader.inputs["skipFinalSnapshot"] is True, "AWS refuses a final snapshot of a replica"
        forbidden = {
            "kmsKeyId",
            "dbSubnetGroupName",
            "username",
            "password",
            "dbName",
            "engine",
            "backupWindow",
        }
        assert not forbidden & reader.inputs.keys()


def test_the_source_of_readers_keeps_backups() -> None:
    assert (
        made("prod", "reports")
        .one("rds/instance:Instance", "reports-instance")
        .inputs["backupRetentionPeriod"]
    )


def test_logs_have_a_key_and_an_end_before_rds_writes_the_first_line() -> None:
    recording = made("prod")
    (instance,) = instances(recording)
    groups = {g.inputs["name"]: g for g in recording.of("cloudwatch/logGroup:LogGroup")}
    exported = instance.inputs["enabledCloudwatchLogsExports"]
    assert set(groups) == {f"/aws/rds/instance/tenantry-prod-shard-a/{log}" for log in exported}
    assert {g.inputs["kmsKeyId"] for g in groups.values()} == {"arn:logs-key"}
    assert groups["/aws/rds/instance/tenantry-prod-shard-a/postgresql"].inputs["retentionInDays"] >= 365
    for group in groups.values():
        assert any(d.endswith(f"::{group.name}") for d in instance.dependencies)


def test_alarms_reach_somebody_and_watch_each_instance() -> None:
    recording = made("prod", "reports")
    alarms = recording.of("metricAlarm:MetricAlarm")
    watched = {a.inputs["dimensions"]["DBInstanceIdentifier"] for a in alarms}
    assert watched == {i.inputs["identifier"] for i in instances(recording)}
    assert all(a.inputs["alarmActions"] == ["arn:alarms"] for a in alarms)
    assert len({a.inputs["name"] for a in alarms}) == len(alarms)


def test_a_tenants_database_is_tagged_as_the_tenants() -> None:
    plan = replace(shard_plan(), name="silo-casa", owner="casa")
    recording = record(lambda: make_database(plan))
    tagged = [r for r in recording.resources if "tags" in r.inputs]
    assert len(tagged) > 8
    assert {r.inputs["tags"]["tenant"] for r in tagged} == {"casa"}


@cache
def commons() -> Recording:
    def program() -> None:
        DatabaseCommons("commons", shared())
        DatabaseSubnets(
            "pool-data",
            DatabaseSubnetsArgs(network="cell", segment="pool-data", subnet_ids=["a", "b"], shared=shared()),
        )

    return record(program)


def test_one_parameter_group_turns_tls_and_logs_on() -> None:
    (group,) = commons().of("rds/parameterGroup:ParameterGroup")
    given: dict[str, Any] = {p["name"]: p for p in group.inputs["parameters"]}
    assert given["rds.force_ssl"]["value"] == "1"
    assert given["log_statement"]["value"] == "ddl"
    assert given["rds.logical_replication"]["applyMethod"] == "pending-reboot", "a static parameter"
    assert group.inputs["family"] in group.inputs["name"]


def test_the_monitoring_role_is_bounded_and_only_for_databases_of_the_cell() -> None:
    (role,) = commons().of("iam/role:Role")
    assert role.inputs["permissionsBoundary"] == "arn:boundary"
    assert "arn:aws:rds:eu-west-1:111122223333:db:tenantry-dev-*" in role.inputs["assumeRolePolicy"]


def test_a_subnet_group_needs_two_zones() -> None:
    with pytest.raises(ValueError, match="cell/pool-data needs subnets in two zones, got 1"):
        DatabaseSubnetsArgs(network="cell", segment="pool-data", subnet_ids=["a"], shared=shared())
