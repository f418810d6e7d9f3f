"""Erases everything of the tenant once its key is gone: rows, artefacts, the export, snapshots.

Each thing is recorded before it is removed, so that the run after one that was killed continues with it.
Pulumi deletes the buckets, secrets and instances themselves; `certify` checks that it has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.events import ADDRESS
from functions.common.going_on import GoesOn
from functions.common.replication import Replication, drop_replication_role
from functions.common.tenant_session import drop_session_role
from functions.tenant_leaving.keys import EARLIER, Found, described, ends, gone, text
from functions.tenant_leaving.report import Report
from functions.tenant_leaving.request import PLACE, Request, RequestFields
from functions.tenant_leaving.rights import EVIDENCE, LOGIN, SEES_INSTANCES, on_keys
from functions.tenant_leaving.scratch_database import drop
from functions.tenant_leaving.session import administrator
from functions.tenant_leaving.stage import Right, Stage
from functions.tenant_leaving.stores import StoreKind
from functions.tenant_leaving.tools import Objects, OffboardingError, Snapshot, Tools, Version

BY_HAND: Final = "manual"  # the kind of a snapshot that RDS deletes when it is told to


def erase(request: Request, endpoint: DatabaseEndpoint | None, tools: Tools) -> Mapping[str, Any]:
    """`endpoint` is None where the database was an instance of the tenant's own."""
    found = described(request, tools)
    if not all(gone(key, tools.now()) for key in found.values()):
        raise OffboardingError(_refusal(request, found, tools))
    report = Report(request.tenant, request.evidence, tools)
    report.about_keys(request.key, ends(request, tools, found))
    report.done("key gone")
    erasing = Erasing(request, tools, report)
    if endpoint is not None:
        erasing.place(endpoint)
    for bucket in (request.bucket, request.handover):
        erasing.bucket(bucket)
    for instance in request.instances:
        erasing.instance(instance)
    for copy in request.copies:
        erasing.copy(copy)
    for arn in request.secrets:
        report.store(StoreKind.SECRET, arn)
    report.done("secrets")
    report.finish()
    return _result(report)


def _refusal(request: Request, found: Found, tools: Tools) -> str:
    there = [
        f"its key {arn} exists "
        + (f"until {text(key.deletion)}" if key.deletion else "and is not scheduled for deletion")
        for arn, key in found.items()
        if key and not gone(key, tools.now())
    ]
    return f"tenant {request.tenant}: {', '.join(there)}, so nothing is erased yet"


def _result(report: Report) -> Mapping[str, Any]:
    content = report.content
    return {
        "bucket": report.bucket,
        "report": report.key,
        "stores": len(content["stores"]),
        "objects": sum(s.get("objects") or 0 for s in content["stores"]),
        "snapshots": sum(bool(b.get("deleted")) for b in content["backups"]),
        "remaining": sum(not b.get("deleted") for b in content["backups"]),
    }


@dataclass(frozen=True, slots=True)
class Erasing:
    """One call."""

    request: Request
    tools: Tools
    report: Report

    # a place in a database that others use

    def place(self, endpoint: DatabaseEndpoint) -> None:
        end, schema = endpoint.address, self.request.schema
        name = f"{end.host}:{end.port}/{end.database}/{schema}"
        self.report.store(StoreKind.SCHEMA, name, host=end.host, database=end.database, schema=schema)
        self.report.save()
        self.tools.step("what moves left")
        for direction in ("out", "back"):
            Replication(endpoint, endpoint, direction).drop()
        drop_replication_role(endpoint)
        drop_session_role(endpoint)
        drop(endpoint)
        self.tools.step("schema and role")
        endpoint.drop_tenant()
        endpoint.run(f"DROP SCHEMA IF EXISTS {endpoint.schema} CASCADE")
        left = endpoint.rows(
            "SELECT 'schema' FROM pg_namespace WHERE nspname = :schema UNION ALL"
            " SELECT 'role' FROM pg_roles WHERE rolname = :role",
            schema=self.request.schema,
            role=self.request.role,
        )
        if left:
            raise OffboardingError(f"{' and '.join(str(w) for (w,) in left)} {schema} cannot be dropped")
        self._shared_backups(endpoint.address.host.partition(".")[0])
        self.report.done("schema and role")

    def _shared_backups(self, name: str) -> None:
        """Of a database that others use too: under a key of its own, so readable as long as they are kept."""
        instance = self.tools.databases.instance(name)
        if instance is None:
            return
        until = self.tools.now() + timedelta(days=instance.backup_days)
        self.report.backup(
            "automated backups", name, of=name, key=instance.key, until=text(until),
            readable=instance.key not in self.request.keys,
        )  # fmt: skip
        for snapshot in self.tools.databases.snapshots(name):
            if snapshot.kind != "automated":  # those end with the automated backups
                self._remains(name, snapshot)

    # buckets

    def bucket(self, name: str) -> None:
        step = f"bucket {name}"
        self.tools.step(step)
        objects = self.tools.objects
        if objects.exists(name):
            count = sum(len(page) for page in objects.versions(name))
            self.report.store(StoreKind.BUCKET, name, objects=count)
            self.report.save()
            self.tools.step(f"{step} emptied")
            empty_bucket(objects, name, self.tools.late)
        else:
            self.report.store(StoreKind.BUCKET, name, objects=0)
        self.report.done(step)

    # a database of its own

    def instance(self, name: str) -> None:
        step = f"backups of {name}"
        self.tools.step(step)
        self.report.store(StoreKind.INSTANCE, name)
        found = self.tools.databases.snapshots(name)
        ours = [s for s in found if s.kind == BY_HAND]
        for snapshot in ours:
            self.report.backup("snapshot", snapshot.name, of=name, key=snapshot.key, deleted=None)
        self.report.save()
        for snapshot in ours:
            self.tools.step(f"snapshot {snapshot.name}")
            self.tools.databases.remove_snapshot(snapshot.name)
        self._snapshots_deleted(name)
        for snapshot in found:
            if snapshot.kind not in (BY_HAND, "automated"):
                self._remains(name, snapshot)
        for kept in self.tools.databases.backups(name):
            until = (kept.latest or self.tools.now()) + timedelta(days=kept.days)
            self.report.backup(
                "automated backups", name, of=name, key=kept.key, until=text(until),
                readable=kept.key not in self.request.keys,
            )  # fmt: skip
        self.report.done(step)

    def copy(self, name: str) -> None:
        """In another Region, where this function has no way: named as remaining, and not looked at."""
        self.report.backup("copied backups", name, of=name.partition("/")[2], until=None, readable=None)

    def _snapshots_deleted(self, instance: str) -> None:
        """Also those that a killed run deleted and could not say so."""
        for one in list(self.report.content["backups"]):
            if one["kind"] == "snapshot" and one["of"] == instance and "until" not in one:
                self.report.backup("snapshot", one["name"], deleted=text(self.tools.now()))

    def _remains(self, instance: str, snapshot: Snapshot) -> None:
        """Not this function's to delete: it holds other tenants' rows, or a backup plan keeps it."""
        self.report.backup(
            "snapshot", snapshot.name, of=instance, key=snapshot.key, until=None,
            readable=snapshot.key not in self.request.keys,
        )  # fmt: skip


def empty_bucket(objects: Objects, name: str, late: Callable[[], bool]) -> None:
    """Every version, from the front again after each page: what goes moves all that is behind it. Raises
    `GoesOn` where there are more than this round takes.
    """
    for upload in objects.uploads(name):
        objects.abort(name, upload)
    before: Sequence[Version] = ()
    gone = 0
    while page := next(iter(objects.versions(name)), ()):
        if page == before:
            raise OffboardingError(
                f"bucket {name} still holds {len(page)} versions that do not go: run again"
            )
        if late():
            raise GoesOn(f"bucket {name} is being emptied, {gone} versions in this round")
        objects.purge(name, page)
        before, gone = page, gone + len(page)


def _run(request: Request, tools: Tools) -> Mapping[str, Any]:
    if not all(gone(key, tools.now()) for key in described(request, tools).values()):
        return erase(request, None, tools)  # which refuses, before anybody logs in
    with administrator(request, tools) as endpoint:
        return erase(request, endpoint, tools)


_EMPTIES: Final = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
_PURGES: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")
ERASE: Final = Stage(
    request="erase",
    run=_run,
    fields=RequestFields(
        needs=(*PLACE, "bucket", "handover", "keyArn", "instances", "secrets", "evidence"),
        may=(*EARLIER, "copies"),  # of a cell that copies backups, and a tenant with a database of its own
        # Under a key that is gone nobody logs in to a database of the tenant's own.
        null=frozenset(ADDRESS),
        remembered=("keyArn", "secrets", *EARLIER),
    ),
    rights=(
        *on_keys("kms:DescribeKey"),
        *LOGIN,
        *(Right(_EMPTIES, f"arn:aws:s3:::{{{bucket}}}") for bucket in ("bucket", "handover")),
        *(Right(_PURGES, f"arn:aws:s3:::{{{bucket}}}/*") for bucket in ("bucket", "handover")),
        *SEES_INSTANCES,
        Right(("rds:DescribeDBInstanceAutomatedBackups",), "*"),
        # A final snapshot is called after its instance; the name is the program's to know.
        Right(("rds:DeleteDBSnapshot",), "arn:aws:rds:REGION:ACCOUNT:snapshot:{instances}*"),
        *EVIDENCE,
    ),
)
