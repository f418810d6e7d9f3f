"""Rules on databases: versions, classes, storage, passwords, readers, last snapshots.

Sources: Amazon RDS API reference (CreateDBInstance, CreateDBInstanceReadReplica, DeleteDBInstance,
ModifyDBInstance) and user guide; classes and versions of PostgreSQL by Region as cfn-lint keeps them
(`input_rules.json`); readers of a managed password: terraform-aws-rds#512, #532; 2026-11.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.aws.backups import INSTANCE, SNAPSHOT
from sandbox.aws.input_validation import rules
from sandbox.aws.refusals.network import SUBNET, known_list, network_of, one
from sandbox.aws.refusals.rule import CREATE, DELETE, INPUTS, Refusal, RuleContext, rule
from sandbox.json_values import items

SUBNET_GROUP, FAMILY = "aws:rds/subnetGroup:SubnetGroup", "aws:rds/parameterGroup:ParameterGroup"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
COMBINATION: Final = "InvalidParameterCombination"
VALUE: Final = "InvalidParameterValue"
RESERVED: Final = {"admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "rds_replication", "public"}
DAYS: Final = {d: i for i, d in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
MINUTES_OF_A_WEEK: Final = 7 * 24 * 60
LOGS: Final = {"iam-db-auth-error", "postgresql", "upgrade"}
FAST_FROM: Final = 400  # GiB, from which gp3 of PostgreSQL takes IOPS and throughput


def is_reader(at: RuleContext) -> bool:
    return bool(at.inputs.get("replicateSourceDb"))


@rule(INPUTS, INSTANCE, checks=("engine", "engineVersion"))
def check_engine_version(at: RuleContext) -> Iterator[Refusal]:
    version = at.known("engineVersion")
    if at.known("engine") == "postgres" and version is not None:
        if str(version) not in rules()["tables"]["postgres_versions"]:
            yield Refusal(COMBINATION, f"Cannot find version {version} for postgres", "engineVersion")
    elif at.known("engine") is not None and at.known("engine") not in ENGINES:
        yield Refusal(VALUE, f"Invalid DB engine: {at.known('engine')}", "engine")


ENGINES: Final = {"postgres", "mysql", "mariadb", "aurora-postgresql", "aurora-mysql", "db2-se", "db2-ae"} | {
    f"{e}-{k}"
    for e, ks in {"oracle": ("ee", "se2"), "sqlserver": ("ee", "se", "ex", "web")}.items()
    for k in ks
}


@rule(CREATE, INSTANCE, checks=("instanceClass",))
def check_instance_class(at: RuleContext) -> Iterator[Refusal]:
    classes = rules()["tables"]["postgres_classes"]
    wanted, here = at.known("instanceClass"), classes.get(at.store.region)
    if wanted is None or here is None or at.inputs.get("engine", "postgres") != "postgres":
        return
    if wanted not in classes["all"] and wanted not in here:
        words = (
            "RDS does not support creating a DB instance with the following combination:"
            f" DBInstanceClass={wanted}, Engine=postgres, EngineVersion={at.known('engineVersion')},"
            " LicenseModel=postgresql-license. For supported combinations of instance class and database"
            " engine version, see the documentation."
        )
        yield Refusal(COMBINATION, words, "instanceClass")


@rule(INPUTS, INSTANCE, checks=("allocatedStorage", "maxAllocatedStorage", "iops", "storageThroughput"))
def check_storage(at: RuleContext) -> Iterator[Refusal]:
    size, most = at.known("allocatedStorage"), at.known("maxAllocatedStorage")
    if size and most and int(most) <= int(size):
        words = "Max storage size must be greater than storage size"
        yield Refusal(COMBINATION, words, "maxAllocatedStorage")
    is_gp3 = at.inputs.get("storageType", "gp3") == "gp3"
    fast = next((k for k in ("iops", "storageThroughput") if at.known(k)), None)
    if fast and is_gp3 and size and int(size) < FAST_FROM:
        words = (
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than"
            f" {FAST_FROM}."
        )
        yield Refusal(COMBINATION, words, fast)
    if at.known("storageType") in ("io1", "io2") and at.inputs.get("iops") is None:
        words = f"You must specify IOPS for storage type {at.known('storageType')}"
        yield Refusal(COMBINATION, words, "storageType")


@rule(INPUTS, INSTANCE, checks=("kmsKeyId", "storageEncrypted"))
def check_storage_key(at: RuleContext) -> Iterator[Refusal]:
    key = at.known("kmsKeyId")
    if at.inputs.get("kmsKeyId") and not is_reader(at) and at.inputs.get("storageEncrypted") in (None, False):
        words = "KmsKeyId cannot be specified for a DB instance that is not encrypted"
        yield Refusal(COMBINATION, words, "kmsKeyId")
    if key and not str(key).startswith("arn:"):
        yield Refusal(
            "KMSKeyNotAccessibleFault", f'"{key}" is an invalid ARN: arn: invalid prefix', "kmsKeyId"
        )


@rule(INPUTS, INSTANCE, checks=("monitoringInterval", "monitoringRoleArn"))
def check_monitoring_role(at: RuleContext) -> Iterator[Refusal]:
    if at.known("monitoringInterval") and at.inputs.get("monitoringRoleArn") is None:
        words = (
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
        yield Refusal(COMBINATION, words, "monitoringInterval")


@rule(INPUTS, INSTANCE, checks=("performanceInsightsEnabled", "performanceInsightsRetentionPeriod"))
def check_performance_insights(at: RuleContext) -> Iterator[Refusal]:
    given = [k for k in ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod") if at.known(k)]
    if given and at.inputs.get("performanceInsightsEnabled") in (None, False):
        words = "To specify a Performance Insights key or retention, Performance Insights must be enabled"
        yield Refusal(COMBINATION, words, given[0])


@rule(INPUTS, INSTANCE, checks=("username",))
def check_master_username(at: RuleContext) -> Iterator[Refusal]:
    name = at.known("username")
    if name and (str(name).lower() in RESERVED or str(name).lower().startswith("pg_")):
        words = f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        yield Refusal(VALUE, words, "username")


@rule(INPUTS, INSTANCE, checks=("password", "manageMasterUserPassword"))
def check_master_password(at: RuleContext) -> Iterator[Refusal]:
    """The text of a password is never in a refusal."""
    password = at.known("password")
    invalid = "The parameter MasterUserPassword is not a valid password"
    if password is not None:
        if len(str(password)) < 8:
            yield Refusal(VALUE, f"{invalid} because it is shorter than 8 characters.", "password")
        if len(str(password)) > 128:
            yield Refusal(VALUE, f"{invalid} because it is longer than 128 characters.", "password")
        if any(not "!" <= c <= "~" or c in '/@"' for c in str(password)):
            allowed = "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
            yield Refusal(VALUE, f"{invalid}. {allowed}", "password")
    elif not is_reader(at) and not any(at.inputs.get(k) for k in MASTERS):
        words = "The parameter MasterUserPassword must be provided and must not be blank."
        yield Refusal(VALUE, words, "password")


MASTERS: Final = (
    "manageMasterUserPassword",
    "password",
    "passwordWo",
    "restoreToPointInTime",
    "s3Import",
    "snapshotIdentifier",
)


@rule(INPUTS, INSTANCE, checks=("dbName",))
def check_database_name(at: RuleContext) -> Iterator[Refusal]:
    name = at.known("dbName")
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", str(name)):
        words = "DBName must begin with a letter and contain only alphanumeric characters."
        yield Refusal(VALUE, words, "dbName")


@rule(INPUTS, INSTANCE, checks=("enabledCloudwatchLogsExports",))
def check_log_exports(at: RuleContext) -> Iterator[Refusal]:
    wrong = sorted(set(known_list(at.inputs.get("enabledCloudwatchLogsExports"))) - LOGS)
    if wrong and at.known("engine") == "postgres":
        words = f"You cannot use the log types '{', '.join(wrong)}' with engine version postgres."
        yield Refusal(COMBINATION, words, "enabledCloudwatchLogsExports")


# -- windows


@rule(INPUTS, INSTANCE, checks=("backupWindow", "maintenanceWindow"))
def check_backup_and_maintenance_windows(at: RuleContext) -> Iterator[Refusal]:
    backup, upkeep = at.known("backupWindow"), at.known("maintenanceWindow")
    daily = _window(backup, r"(\d\d):(\d\d)-(\d\d):(\d\d)")
    weekly = _window(upkeep, r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)")
    if backup and daily is None:
        yield Refusal(VALUE, f"The parameter PreferredBackupWindow is not valid: {backup}", "backupWindow")
    if upkeep and weekly is None:
        words = f"Invalid maintenance window format: {upkeep}"
        yield Refusal(VALUE, words, "maintenanceWindow")
    if (
        daily
        and weekly
        and any(_overlap((daily[0] + d * 1440, daily[1] + d * 1440), weekly) for d in range(-1, 8))
    ):
        words = "The backup window and maintenance window must not overlap."
        yield Refusal(COMBINATION, words, "backupWindow")


def _window(text: Any, pattern: str) -> tuple[int, int] | None:
    """Minutes from the first day on; at least half an hour, as RDS wants."""
    found = re.fullmatch(pattern, str(text).lower()) if text else None
    if found is None:
        return None
    half = len(found.groups()) // 2
    begins, ends = (_minute(found.groups()[i : i + half]) for i in (0, half))
    if begins is None or ends is None:
        return None
    whole = 1440 if half == 2 else MINUTES_OF_A_WEEK
    ends = ends if ends > begins else ends + whole
    return (begins, ends) if ends - begins >= 30 else None


def _minute(parts: tuple[str, ...]) -> int | None:
    day = DAYS.get(parts[0]) if len(parts) == 3 else 0
    hour, minute = int(parts[-2]), int(parts[-1])
    return None if day is None or hour > 23 or minute > 59 else day * 1440 + hour * 60 + minute


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# -- where it lies, what it belongs to


@rule(CREATE, SUBNET_GROUP, checks=("subnetIds",))
def check_subnet_group_zones(at: RuleContext) -> Iterator[Refusal]:
    rows = [r for s in items(at.inputs.get("subnetIds")) if (r := one(at, SUBNET, s))]
    zones = sorted({str(r.outputs.get("availabilityZone")) for r in rows})
    if rows and len(zones) < 2:
        words = (
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ"
            f" coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs."
        )
        yield Refusal("DBSubnetGroupDoesNotCoverEnoughAZs", words, "subnetIds")
    if len({r.outputs.get("vpcId") for r in rows}) > 1:
        yield Refusal("InvalidSubnet", "The DB subnet group's subnets are not all in one VPC", "subnetIds")
    if len(rows) > 20:
        words = "The request would result in the user exceeding the allowed number of subnets: 20"
        yield Refusal("DBSubnetQuotaExceededFault", words, "subnetIds")


@rule(CREATE, INSTANCE, checks=("vpcSecurityGroupIds", "dbSubnetGroupName"))
def check_instance_security_groups(at: RuleContext) -> Iterator[Refusal]:
    group = one(at, SUBNET_GROUP, at.known("dbSubnetGroupName"))
    subnets = items(group.outputs.get("subnetIds")) if group else []
    network = network_of(at, SUBNET, subnets[0]) if subnets else None
    for security in items(at.inputs.get("vpcSecurityGroupIds")):
        theirs = network_of(at, GROUP, security)
        if network and theirs and network != theirs:
            words = (
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in"
                f" {network} and the EC2 security group is in {theirs}"
            )
            yield Refusal(COMBINATION, words, "vpcSecurityGroupIds")


@rule(CREATE, INSTANCE, checks=("parameterGroupName", "engineVersion"))
def check_parameter_group_family(at: RuleContext) -> Iterator[Refusal]:
    group, version = one(at, FAMILY, at.known("parameterGroupName")), at.known("engineVersion")
    if group is None or version is None:
        return
    family, wanted = (
        group.outputs.get("family"),
        f"{at.known('engine')}{str(version).split('.', maxsplit=1)[0]}",
    )
    if family != wanted and at.known("engine") == "postgres":
        words = (
            f"The parameter group {group.id} with DBParameterGroupFamily {family} can't be used for this"
            f" instance. Please use a parameter group with DBParameterGroupFamily {wanted}"
        )
        yield Refusal(COMBINATION, words, "parameterGroupName")


# -- readers


@rule(CREATE, INSTANCE, checks=("replicateSourceDb", "backupRetentionPeriod"))
def check_replica_source(at: RuleContext) -> Iterator[Refusal]:
    source = one(at, INSTANCE, at.known("replicateSourceDb"))
    if source is None or at.before is not None:
        return
    if not source.outputs.get("backupRetentionPeriod"):
        words = (
            "Automated backups are not enabled for this database instance. To enable automated backups, use"
            " ModifyDBInstance to set the backup retention period to a non-zero value."
        )
        yield Refusal("InvalidDBInstanceState", words, "replicateSourceDb")
    if source.outputs.get("manageMasterUserPassword"):
        words = (
            f"Creating read replicas for source instance with engine {source.outputs.get('engine')} where"
            " ManageMasterUserPassword is enabled is not supported."
        )
        yield Refusal(VALUE, words, "replicateSourceDb")
    key, theirs = at.known("kmsKeyId"), source.outputs.get("kmsKeyId")
    if key and theirs and key != theirs and f":{at.store.region}:" in str(theirs):
        words = "A read replica in the Region of its source is encrypted with the key of its source"
        yield Refusal(COMBINATION, words, "kmsKeyId")


@rule(INPUTS, INSTANCE, checks=("replicateSourceDb",))
def check_replica_inherits_from_source(at: RuleContext) -> Iterator[Refusal]:
    for key in ("username", "password", "dbName", "manageMasterUserPassword"):
        if is_reader(at) and at.inputs.get(key):
            words = f"{key} cannot be given for a read replica: it comes from its source"
            yield Refusal(COMBINATION, words, key)


@rule(CREATE, INSTANCE, checks=("manageMasterUserPassword",))
def check_managed_password_without_replicas(at: RuleContext) -> Iterator[Refusal]:
    if at.before and at.known("manageMasterUserPassword") and at.store.users(at.before, INSTANCE):
        words = "You can't enable ManageMasterUserPassword for a DB instance that has read replicas."
        yield Refusal(VALUE, words, "manageMasterUserPassword")


# -- changes and the end


@rule(CREATE, INSTANCE, checks=("allocatedStorage",))
def check_storage_does_not_shrink(at: RuleContext) -> Iterator[Refusal]:
    before = at.before.outputs.get("allocatedStorage") if at.before else None
    now = at.known("allocatedStorage")
    if before and now and int(now) < int(before):
        words = (
            f"Invalid storage size for engine name postgres and storage type"
            f" {at.inputs.get('storageType', 'gp3')}: {now}"
        )
        yield Refusal(COMBINATION, words, "allocatedStorage")


@rule(CREATE, INSTANCE, checks=("engineVersion", "allowMajorVersionUpgrade"))
def check_version_does_not_fall(at: RuleContext) -> Iterator[Refusal]:
    before = at.before.outputs.get("engineVersion") if at.before else None
    now = at.known("engineVersion")
    if not before or not now or before == now:
        return
    old, new = ([int(p) for p in re.findall(r"\d+", str(v))] for v in (before, now))
    if new[: len(old)] < old[: len(new)]:
        yield Refusal(COMBINATION, f"Cannot upgrade postgres from {before} to {now}", "engineVersion")
    elif new[0] > old[0] and not at.known("allowMajorVersionUpgrade"):
        words = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        yield Refusal(COMBINATION, words, "engineVersion")


@rule(DELETE, INSTANCE)
def check_final_snapshot(at: RuleContext) -> Iterator[Refusal]:
    """A writer leaves a snapshot of a new name or says that it leaves none; a reader cannot leave one."""
    name = at.known("finalSnapshotIdentifier")
    if at.inputs.get("skipFinalSnapshot"):
        return
    if is_reader(at):
        if name:
            words = "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance"
            yield Refusal(COMBINATION, words)
    elif not name:
        words = "final_snapshot_identifier is required when skip_final_snapshot is false"
        yield Refusal(COMBINATION, words)
    elif at.store.deleted_trace(SNAPSHOT, str(name).lower()) is not None:
        words = f"Cannot create the snapshot because a snapshot with the identifier {name} already exists."
        yield Refusal("DBSnapshotAlreadyExists", words)
