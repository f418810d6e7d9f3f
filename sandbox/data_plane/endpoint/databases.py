"""RDS: instances, their snapshots and automated backups, to look at (RDS API reference, 2026-11)."""

import datetime
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws import backups
from sandbox.aws.backups import INSTANCE, SNAPSHOT, Backups
from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.json_values import items

RECORDS: Final = (20, 100)  # of a page, at least and at most
# By the name of a filter, the member that it looks at.
FILTERS: Final = {
    "db-instance-id": "DBInstanceIdentifier",
    "db-snapshot-id": "DBSnapshotIdentifier",
    "dbi-resource-id": "DbiResourceId",
    "engine": "Engine",
    "snapshot-type": "SnapshotType",
    "status": "Status",
}


class Databases:
    def DescribeDBInstances(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        name = p.get("DBInstanceIdentifier")
        rows = call.store.find(INSTANCE, str(name), here=True) if name else call.store.in_region(INSTANCE)
        arn = str(rows[0].outputs["arn"]) if name and rows else _arn(call, "db", name or "*")
        call.require(Asked("rds:DescribeDBInstances", arn, tags=tags_of(rows[0]) if name and rows else {}))
        if name and not rows:
            raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.")
        return _page("DBInstances", [_instance(call, row) for row in rows], p)

    def DescribeDBSnapshots(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """Manual ones: the system's own are not taken here, and restores go back by the log alone."""
        found = {name: _snapshot(call, name, a) for name, a in call.store.deleted_traces(SNAPSHOT).items()}
        name, instance = _name(p.get("DBSnapshotIdentifier")), _name(p.get("DBInstanceIdentifier"))
        kind, which = ("db", instance) if instance and not name else ("snapshot", name or "*")
        about = call.store.deleted_trace(SNAPSHOT, name) if name else None
        call.require(
            Asked("rds:DescribeDBSnapshots", _arn(call, kind, which), tags=(about or {}).get("tags", {}))
        )
        if name and name not in found:
            raise _no_snapshot(name)
        wanted = {
            "DBSnapshotIdentifier": name,
            "DBInstanceIdentifier": instance,
            "DbiResourceId": p.get("DbiResourceId"),
            "SnapshotType": p.get("SnapshotType"),
        }
        same = [s for s in found.values() if all(s[k] == v for k, v in wanted.items() if v)]
        return _page("DBSnapshots", same, p)

    def DeleteDBSnapshot(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(p["DBSnapshotIdentifier"])
        about = call.store.deleted_trace(SNAPSHOT, name)
        call.require(
            Asked("rds:DeleteDBSnapshot", _arn(call, "snapshot", name), tags=(about or {}).get("tags", {}))
        )
        if about is None:
            raise _no_snapshot(name)
        call.store.forget_deleted(SNAPSHOT, name)
        return {"DBSnapshot": {**_snapshot(call, name, about), "Status": "deleted"}}

    def DescribeDBInstanceAutomatedBackups(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        kept = [b for row in call.store.in_region(INSTANCE) if (b := backups.of(call.store, row))]
        found = [_automated(call, b) for b in [*kept, *backups.retained(call.store)]]
        wanted = {
            k: p.get(k) for k in ("DbiResourceId", "DBInstanceIdentifier", "DBInstanceAutomatedBackupsArn")
        }
        same = [b for b in found if all(b[k] == v for k, v in wanted.items() if v)]
        one = len(same) == 1 and any(wanted.values())
        arn = str(same[0]["DBInstanceAutomatedBackupsArn"]) if one else _arn(call, "auto-backup", "*")
        call.require(Asked("rds:DescribeDBInstanceAutomatedBackups", arn))
        if not same and (wanted["DbiResourceId"] or wanted["DBInstanceAutomatedBackupsArn"]):
            raise AwsError("DBInstanceAutomatedBackupNotFound", "DBInstanceAutomatedBackup not found.")
        return _page("DBInstanceAutomatedBackups", same, p)


def _no_snapshot(name: str) -> AwsError:
    return AwsError("DBSnapshotNotFound", f"DBSnapshot {name} not found.")


def _arn(call: Call, kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:aws:rds:{call.store.region}:{call.session.account}:{kind}:{name}"


def _name(word: Any) -> str:
    """RDS keeps names in lower case, and takes an ARN for one."""
    return str(word or "").rsplit(":", 1)[-1].lower()


def _page(key: str, found: list[dict[str, Any]], p: Mapping[str, Any]) -> dict[str, Any]:
    for one in items(p.get("Filters")):
        if one["Name"] not in FILTERS:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {one['Name']}")
        found = [f for f in found if f.get(FILTERS[one["Name"]]) in one["Values"]]
    size, begin = int(p.get("MaxRecords") or RECORDS[1]), int(p.get("Marker") or 0)
    if not RECORDS[0] <= size <= RECORDS[1]:
        words = f"Invalid value {size} for MaxRecords. Must be between {RECORDS[0]} and {RECORDS[1]}"
        raise AwsError("InvalidParameterValue", words)
    more = {"Marker": str(begin + size)} if begin + size < len(found) else {}
    return {key: found[begin : begin + size], **more}


def _common(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What instances, snapshots and backups say alike."""
    shown = {
        "DBInstanceIdentifier": outputs["identifier"],
        "DbiResourceId": outputs["resourceId"],
        "Engine": outputs.get("engine"),
        "EngineVersion": outputs.get("engineVersion"),
        "MasterUsername": outputs.get("username"),
        "AllocatedStorage": outputs.get("allocatedStorage"),
        "StorageType": outputs.get("storageType"),
        "KmsKeyId": outputs.get("kmsKeyId"),
        "AvailabilityZone": outputs.get("availabilityZone"),
        "IAMDatabaseAuthenticationEnabled": bool(outputs.get("iamDatabaseAuthenticationEnabled")),
    }
    return {k: v for k, v in shown.items() if v is not None}


def _instance(call: Call, row: Row) -> dict[str, Any]:
    given, kept = row.outputs, backups.of(call.store, row)
    shown = {
        "DBInstanceArn": given["arn"],
        "DBInstanceClass": given.get("instanceClass"),
        "DBInstanceStatus": given["status"],
        "DBName": given.get("dbName"),
        "Endpoint": {
            "Address": given["address"],
            "Port": int(given["port"]),
            "HostedZoneId": given["hostedZoneId"],
        },
        "InstanceCreateTime": kept.since if kept else None,
        "LatestRestorableTime": kept.latest if kept else None,
        "BackupRetentionPeriod": int(given.get("backupRetentionPeriod") or 0),
        "PreferredBackupWindow": given.get("backupWindow"),
        "PreferredMaintenanceWindow": given.get("maintenanceWindow"),
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": g, "Status": "active"} for g in items(given.get("vpcSecurityGroupIds"))
        ],
        "DBParameterGroups": [
            {"DBParameterGroupName": g, "ParameterApplyStatus": "in-sync"}
            for g in (given.get("parameterGroupName"),)
            if g
        ],
        "DBSubnetGroup": {"DBSubnetGroupName": given.get("dbSubnetGroupName")},
        "ReadReplicaSourceDBInstanceIdentifier": row.inputs.get("replicateSourceDb"),
        "ReadReplicaDBInstanceIdentifiers": [
            r.outputs["identifier"] for r in call.store.users(row, INSTANCE, "replicateSourceDb")
        ],
        "StorageEncrypted": bool(given.get("storageEncrypted")),
        "MultiAZ": bool(given.get("multiAz")),
        "PubliclyAccessible": bool(given.get("publiclyAccessible")),
        "DeletionProtection": bool(given.get("deletionProtection")),
        "MasterUserSecret": _secret(row),
        "TagList": _tags(tags_of(row)),
    }
    return {**_common(given), **{k: v for k, v in shown.items() if v is not None}}


def _secret(row: Row) -> dict[str, Any] | None:
    if not row.inputs.get("manageMasterUserPassword"):
        return None
    kept = row.outputs["masterUserSecrets"][0]
    return {"SecretArn": kept["secretArn"], "SecretStatus": "active", "KmsKeyId": kept["kmsKeyId"]}


def _snapshot(call: Call, name: str, about: Mapping[str, Any]) -> dict[str, Any]:
    given = about["outputs"]
    return {
        **_common(given),
        "DBSnapshotIdentifier": name,
        "DBSnapshotArn": _arn(call, "snapshot", name),
        "SnapshotCreateTime": datetime.datetime.fromisoformat(about["at"]),
        "SnapshotType": "manual",
        "Status": "available",
        "PercentProgress": 100,
        "Port": int(given["port"]),
        "Encrypted": bool(given.get("storageEncrypted")),
        "TagList": _tags(about["tags"]),
    }


def _automated(call: Call, kept: Backups) -> dict[str, Any]:
    given = kept.outputs
    name = hashlib.sha256(str(given["resourceId"]).encode()).hexdigest()[:26]
    return {
        **_common(given),
        "DBInstanceArn": given["arn"],
        "DBInstanceAutomatedBackupsArn": _arn(call, "auto-backup", f"ab-{name}"),
        "Region": call.store.region,
        "RestoreWindow": {"EarliestTime": kept.earliest, "LatestTime": kept.latest},
        "InstanceCreateTime": kept.since,
        "Status": "retained" if kept.is_retained else "active",
        "Port": int(given["port"]),
        "Encrypted": bool(given.get("storageEncrypted")),
        "BackupRetentionPeriod": int(given["backupRetentionPeriod"]),
    }


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in sorted(tags.items())]
