"""Exports a tenant's data: a dump, its artefacts, and a manifest with their digests.

The dump is proved by restoring it from where it was handed over. What an earlier run has exported is kept, if
it still matches the tenant's data.
"""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pg8000.exceptions import DatabaseError

from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.dump import compressed, one_moment, write
from functions.common.fingerprint import Fingerprint, differences, fingerprint_of
from functions.common.protected_columns import unprotected
from functions.common.refusals import OF_REPLICATION, refusals
from functions.common.schema import Definition, make
from functions.common.serving import is_serving
from functions.common.tenant_session import as_tenant
from functions.tenant_leaving import artefacts
from functions.tenant_leaving.artefacts import Copying, File
from functions.tenant_leaving.documents import Hashed, digest, load, save
from functions.tenant_leaving.dump_reader import opened, restore
from functions.tenant_leaving.request import PLACE, Request, RequestFields
from functions.tenant_leaving.rights import LOGIN, WRITES
from functions.tenant_leaving.scratch_database import scratch, set_text_formats
from functions.tenant_leaving.session import administrator
from functions.tenant_leaving.stage import Right, Stage
from functions.tenant_leaving.tools import Found, OffboardingError, Tools

DUMP: Final = "dump.sql.gz"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Export:
    """One call: the tenant's place open, its buckets at hand."""

    request: Request
    endpoint: DatabaseEndpoint
    tools: Tools

    def run(self) -> Mapping[str, Any]:
        self._allowed()
        self.tools.step("artefacts listed")
        wanted = artefacts.listed(self.tools.objects, self.request.bucket)
        with self._acting():
            self.tools.step("rows counted")
            with self._as_tenant() as tenant, one_moment(tenant):
                moment, now = self.tools.now(), fingerprint_of(tenant)
                plain = unprotected(tenant, self.request.protected)
            content = digest([now.plain(), list(artefacts.plain(wanted))])
            before = load(self.tools.objects, self.request.handover, MANIFEST)
            if before and self._stands(before, content):
                return self._result(before)
            files = [*self._artefacts(wanted, before), self._proven_dump(now)]
        self.tools.step("manifest")
        manifest = {
            "format": FORMAT,
            "tenant": self.request.tenant,
            "moment": moment.isoformat(timespec="seconds"),
            "verified": True,
            "content": content,
            "rows": now.rows,
            # Their values are in the dump as they are in the rows: only the services can decrypt them.
            **self._protected(plain),
            "files": [f.plain() for f in files],
        }
        save(self.tools.objects, self.request.handover, MANIFEST, manifest)
        return self._result(manifest)

    def _protected(self, findings: Sequence[str]) -> Mapping[str, Any]:
        columns = self.request.protected.columns
        return {"protected": {"columns": list(columns), "findings": list(findings)}} if columns else {}

    def _allowed(self) -> None:
        """Of a tenant that still works, or lives elsewhere, a copy would be old when it is made."""
        self.tools.step("examined")
        tenant, role = self.request.tenant, self.request.role
        closed = self.endpoint.value("SELECT NOT rolcanlogin FROM pg_roles WHERE rolname = :role", role=role)
        if closed is None:
            raise OffboardingError(
                f"tenant {tenant}: role {role} is not there, so there is nothing to hand over"
            )
        if not closed:
            raise OffboardingError(f"tenant {tenant} can still log in: suspend it first")
        if not is_serving(self.tools.store, self.endpoint):
            raise OffboardingError(
                f"tenant {tenant} lives at another database than {self.endpoint.address.host}"
            )
        if wrong := refusals(self.endpoint, but=OF_REPLICATION):
            raise OffboardingError(f"tenant {tenant} cannot be handed over whole: {'; '.join(wrong)}")
        self.endpoint.end_sessions()

    @contextmanager
    def _acting(self) -> Generator[None]:
        self.endpoint.grant_tenant_role()
        try:
            yield
        finally:
            self.endpoint.revoke_tenant_role()

    def _as_tenant(self) -> AbstractContextManager[DatabaseEndpoint]:
        return as_tenant(self.endpoint, self.tools.connect)

    def _stands(self, manifest: Mapping[str, Any], content: str) -> bool:
        """Whether what was handed over was proven, says what the tenant has, and was not touched."""
        if not manifest.get("verified") or manifest.get("content") != content:
            return False
        there = {f.key: f for f in self.tools.objects.listed(self.request.handover)}
        return all(
            (found := there.get(f["key"])) is not None and (found.size, found.etag) == (f["bytes"], f["etag"])
            for f in manifest["files"]
        )

    def _proven_dump(self, now: Fingerprint) -> File:
        """The bytes that are handed over make the schema again, row for row."""
        self.tools.step("scratch made")
        with scratch(self.endpoint, self.tools.connect) as copy:
            self.tools.step("order found")
            order = self._order(copy, now)
            with tempfile.TemporaryDirectory() as folder:
                dump = self._dump(Path(folder) / DUMP, order)
            self._restore(copy, dump)
            self.tools.step("copy compared")
            set_text_formats(copy)
            if wrong := differences(now, fingerprint_of(copy)):
                raise OffboardingError(
                    f"the dump does not restore to what the schema holds: {', '.join(wrong)}"
                )
            self.tools.step("scratch dropped")
        return dump

    def _order(self, copy: DatabaseEndpoint, now: Fingerprint) -> Sequence[Definition]:
        """In which psql can make it all, without trying anything twice."""
        copy.run(f"CREATE SCHEMA {copy.schema}", f"SET search_path = {copy.schema}")
        order = make(copy.session, now.definitions, keep=False)
        copy.run(f"DROP SCHEMA {copy.schema}")
        return order

    def _dump(self, path: Path, order: Sequence[Definition]) -> File:
        self.tools.step("dump written")
        with compressed(path) as file, self._as_tenant() as tenant, one_moment(tenant):
            write(tenant, file, "when it left", order)
        self.tools.step("dump handed over")
        bucket = self.request.handover
        with path.open("rb") as file:
            sent = Hashed(file)
            self.tools.objects.write(bucket, DUMP, sent)
        found = self.tools.objects.find(bucket, DUMP)
        return File(DUMP, sent.size, sent.sha256, found.etag if found else "")

    def _restore(self, copy: DatabaseEndpoint, dump: File) -> None:
        self.tools.step("dump restored")
        source = self.tools.objects.read(self.request.handover, DUMP)
        if source is None:
            raise OffboardingError(f"the dump is not in {self.request.handover}: run again")
        arrived, failure = Hashed(source), None
        try:
            with opened(arrived) as found:
                restore(copy.session, found)
        except (DatabaseError, OffboardingError) as wrong:
            failure = wrong
        arrived.drain()
        if (arrived.size, arrived.sha256) != (dump.bytes, dump.sha256):  # and what that led to
            cause = f" ({failure})" if failure else ""
            bucket = self.request.handover
            raise OffboardingError(f"the dump in {bucket} is not what was written{cause}: run again")
        if failure:
            raise failure

    def _artefacts(self, wanted: Sequence[Found], before: Mapping[str, Any] | None) -> Sequence[File]:
        self.tools.step("artefacts copied")
        known = {f["key"]: File(**f) for f in (before or {}).get("files", ()) if f["key"] != DUMP}
        copying = Copying(self.tools, self.request.bucket, self.request.handover)
        files = copying.run(wanted, known, self._remember)
        if files != list(known.values()):  # a run that ends while the dump is proven has not copied in vain
            self._remember(files)
        return files

    def _remember(self, files: Sequence[File]) -> None:
        """A manifest of an export that is not over."""
        known = {"verified": False, "tenant": self.request.tenant, "files": [f.plain() for f in files]}
        save(self.tools.objects, self.request.handover, MANIFEST, known)

    def _result(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """`sha256` is the manifest's, which has those of all the rest."""
        return {
            "bucket": self.request.handover,
            "manifest": MANIFEST,
            "rows": sum(manifest["rows"].values()),
            "tables": len(manifest["rows"]),
            "files": len(manifest["files"]),
            "bytes": sum(f["bytes"] for f in manifest["files"]),
            "sha256": digest(manifest),
            "moment": manifest["moment"],
            "verified": True,
            **({"protected": manifest["protected"]} if "protected" in manifest else {}),
        }


def _run(request: Request, tools: Tools) -> Mapping[str, Any]:
    with administrator(request, tools) as endpoint:
        if endpoint is None:
            raise OffboardingError(f"tenant {request.tenant} has no database to export")
        return Export(request, endpoint, tools).run()


EXPORT: Final = Stage(
    request="export",
    run=_run,
    fields=RequestFields(needs=(*PLACE, "tenantSecret", "bucket", "handover"), may=("protected",)),
    rights=(
        *LOGIN,
        Right(("secretsmanager:GetSecretValue",), "{tenantSecret}"),
        Right(("s3:ListBucket",), "arn:aws:s3:::{bucket}"),
        Right(("s3:GetObject",), "arn:aws:s3:::{bucket}/*"),
        Right(("s3:ListBucket",), "arn:aws:s3:::{handover}"),
        Right(("s3:GetObject", "s3:DeleteObject", *WRITES), "arn:aws:s3:::{handover}/*"),
        Right(("kms:Decrypt", "kms:GenerateDataKey"), "the tenant's key"),
    ),
)
