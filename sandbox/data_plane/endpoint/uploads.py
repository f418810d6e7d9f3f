"""S3 multipart uploads, as boto3 makes them from 8 MiB on (S3 API reference, 2026-11)."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Call
from sandbox.data_plane.endpoint.buckets import (
    PAGE,
    asked_of,
    bound,
    bytes_of,
    encryption,
    etag_of,
    range_of,
    time_of,
    versioned,
)
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.versions import Versions
from sandbox.json_values import items, members

SMALLEST: Final = 5 * 1024 * 1024  # bytes of a part that is not the last
MOST: Final = 10_000  # parts of one upload


class Uploads(Versions):
    """A part lies under the key that its upload began with, as the object will."""

    def CreateMultipartUpload(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row = self._bucket(call, p["Bucket"], "s3:PutObject", p["Key"], asked_of(p))
        key = self._key(call, row, p)
        if key:
            key = self._keys.encrypt(call, key, b"", bound(row), "s3")[1]
        about = {"key": key, "type": p.get("ContentType"), "begun": call.store.now().timestamp()}
        upload = secrets.token_urlsafe(48)
        with self._vault.change() as db:
            db.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?)", (upload, row.id, p["Key"], json.dumps(about))
            )
        return {"Bucket": row.id, "Key": p["Key"], "UploadId": upload, **encryption(key)}

    def UploadPart(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row, about = self._upload(call, p, "s3:PutObject")
        etag = self._add(call, row, about, p, bytes_of(p.get("Body")))
        return {"ETag": f'"{etag}"', **encryption(about["key"])}

    def UploadPartCopy(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """A part from what lies in a bucket already, as boto3 copies what is large."""
        row, about = self._upload(call, p, "s3:PutObject")
        source, found = self._source(call, p)
        body = self._opened(call, source, found)
        if p.get("CopySourceRange"):
            first, last = range_of(str(p["CopySourceRange"]), len(body))
            body = body[first : last + 1]
        etag = self._add(call, row, about, p, body)
        result = {"ETag": f'"{etag}"', "LastModified": call.store.now()}
        return {"CopyPartResult": result, **encryption(about["key"])}

    def _add(self, call: Call, row: Row, about: Mapping[str, Any], p: Mapping[str, Any], body: bytes) -> str:
        number = int(p["PartNumber"])
        if not 1 <= number <= MOST:
            raise AwsError(
                "InvalidArgument", f"Part number must be an integer between 1 and {MOST}, inclusive"
            )
        sealed, etag = body, etag_of(body)
        if about["key"]:
            # Parts are put together later, so who uploads must be able to read them.
            self._keys.use(call, about["key"], "kms:Decrypt", bound(row), "s3")
            sealed, _ = self._keys.encrypt(call, about["key"], body, bound(row), "s3")
        with self._vault.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
                (p["UploadId"], row.id, number, etag, len(body), sealed),
            )
        return etag

    def CompleteMultipartUpload(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row, about = self._upload(call, p, "s3:PutObject")
        listed = items(members(p.get("MultipartUpload")).get("Parts"))
        wanted = [(int(x["PartNumber"]), str(x["ETag"]).strip('"')) for x in listed]
        if not wanted:
            raise AwsError(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        if [n for n, _ in wanted] != sorted({n for n, _ in wanted}):
            raise AwsError(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            )
        bodies = [self._part(call, row, about, str(p["UploadId"]), *part) for part in wanted]
        if any(len(body) < SMALLEST for body in bodies[:-1]):
            raise AwsError(
                "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size."
            )
        sums = b"".join(bytes.fromhex(etag) for _, etag in wanted)
        etag = f"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-{len(wanted)}"
        done = self._put(call, row, p["Key"], b"".join(bodies), {**about, "etag": etag})
        self._forget(str(p["UploadId"]))
        known = {**encryption(about["key"]), **versioned(done["version"])}
        return {"Bucket": row.id, "Key": p["Key"], "ETag": f'"{etag}"', **known}

    def AbortMultipartUpload(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        self._upload(call, p, "s3:AbortMultipartUpload")
        self._forget(str(p["UploadId"]))
        return {}

    def ListParts(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row, _ = self._upload(call, p, "s3:ListMultipartUploadParts")
        found = self._vault.rows(
            "SELECT number, etag, size FROM parts WHERE upload = ? ORDER BY number", p["UploadId"]
        )
        return {
            "Bucket": row.id,
            "Key": p["Key"],
            "UploadId": p["UploadId"],
            "IsTruncated": False,
            "Parts": [{"PartNumber": n, "ETag": f'"{etag}"', "Size": size} for n, etag, size in found],
        }

    def ListMultipartUploads(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """Uploads that were begun and not ended, by key."""
        row = self._bucket(call, p["Bucket"], "s3:ListBucketMultipartUploads")
        prefix, size = str(p.get("Prefix") or ""), int(p.get("MaxUploads") or PAGE)
        after = (str(p.get("KeyMarker") or ""), str(p.get("UploadIdMarker") or "~"))
        found = [
            (name, upload, json.loads(about).get("begun", 0.0))
            for upload, name, about in self._vault.rows(
                "SELECT id, name, about FROM uploads WHERE bucket = ? ORDER BY name, id", row.id
            )
            if name.startswith(prefix) and (name, upload) > after
        ]
        page = found[:size]
        more = {"NextKeyMarker": page[-1][0], "NextUploadIdMarker": page[-1][1]} if len(found) > size else {}
        return {
            "Bucket": row.id,
            "Prefix": prefix,
            "MaxUploads": size,
            "IsTruncated": bool(more),
            "Uploads": [
                {"Key": name, "UploadId": upload, "Initiated": time_of({"changed": begun})}
                for name, upload, begun in page
            ],
            **more,
        }

    # -- parts

    def _upload(self, call: Call, p: Mapping[str, Any], action: str) -> tuple[Row, dict[str, Any]]:
        row = self._bucket(call, p["Bucket"], action, p["Key"])
        found = self._vault.rows(
            "SELECT about FROM uploads WHERE id = ? AND bucket = ? AND name = ?",
            p["UploadId"],
            row.id,
            p["Key"],
        )
        if not found:
            raise AwsError(
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have"
                " been aborted or completed.",
            )
        return row, json.loads(found[0][0])

    def _part(
        self, call: Call, row: Row, about: Mapping[str, Any], upload: str, number: int, etag: str
    ) -> bytes:
        found = self._vault.rows(
            "SELECT body FROM parts WHERE upload = ? AND number = ? AND etag = ?", upload, number, etag
        )
        if not found:
            raise AwsError(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded,"
                " or the specified entity tag may not match the part's entity tag.",
            )
        body: bytes = found[0][0]
        return self._keys.decrypt(call, body, bound(row), via="s3")[0] if about["key"] else body

    def _forget(self, upload: str) -> None:
        with self._vault.change() as db:
            db.execute("DELETE FROM parts WHERE upload = ?", (upload,))
            db.execute("DELETE FROM uploads WHERE id = ?", (upload,))
