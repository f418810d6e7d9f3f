"""S3: objects of the cloud's buckets, under the key that the bucket names (S3 API reference, 2026-11)."""

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, policy_row, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.keys import Keys
from sandbox.data_plane.object_store import ENABLED, NULL, SUSPENDED, ObjectStore, Version
from sandbox.data_plane.secret_store import SecretStore
from sandbox.json_values import items, members

BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION: Final = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
PAGE: Final = 1000


class Buckets:
    def __init__(self, vault: SecretStore, keys: Keys) -> None:
        self._vault, self._keys, self._objects = vault, keys, ObjectStore(vault)

    def PutObject(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row = self._bucket(call, p["Bucket"], "s3:PutObject", p["Key"], asked_of(p))
        about = {"key": self._key(call, row, p), "type": p.get("ContentType")}
        done = self._put(call, row, p["Key"], bytes_of(p.get("Body")), about)
        return {"ETag": f'"{done["etag"]}"', **encryption(done["key"]), **versioned(done["version"])}

    def GetObject(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row, found = self._object(call, p)
        body, known = self._opened(call, row, found), _shown(found)
        if "Range" not in p:
            return {"Body": body, **known}
        first, last = range_of(str(p["Range"]), len(body))
        part = body[first : last + 1]
        shown = {**known, "ContentLength": len(part)}
        return {"Body": part, **shown, "ContentRange": f"bytes {first}-{last}/{len(body)}"}

    def HeadObject(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row, found = self._object(call, p)
        if found.about["key"]:
            self._keys.use(call, found.about["key"], "kms:Decrypt", bound(row), "s3")
        return _shown(found)

    def HeadBucket(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        self._bucket(call, p["Bucket"], "s3:ListBucket")
        return {"BucketRegion": call.store.region}

    def ListObjectsV2(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        prefix, size = str(p.get("Prefix") or ""), min(int(p.get("MaxKeys") or PAGE), PAGE)
        known = {"s3:prefix": prefix} if prefix else {}
        row = self._bucket(call, p["Bucket"], "s3:ListBucket", known=known)
        after = str(p.get("ContinuationToken") or p.get("StartAfter") or "")
        found = [
            (name, json.loads(about))
            for name, about in self._vault.rows(
                "SELECT name, about FROM objects WHERE bucket = ? AND name > ? ORDER BY name", row.id, after
            )
            if name.startswith(prefix)
        ]
        page = found[:size]
        more = {"NextContinuationToken": page[-1][0]} if len(found) > size else {}
        return {
            "Name": row.id,
            "Prefix": prefix,
            "KeyCount": len(page),
            "MaxKeys": size,
            "IsTruncated": bool(more),
            "Contents": [
                {
                    "Key": n,
                    "Size": a["size"],
                    "ETag": f'"{a["etag"]}"',
                    "LastModified": time_of(a),
                    "StorageClass": "STANDARD",
                }
                for n, a in page
            ],
            **more,
        }

    # -- parts

    def _bucket(
        self,
        call: Call,
        name: str,
        action: str,
        key: str | None = None,
        known: Mapping[str, str] | None = None,
    ) -> Row:
        rows = call.store.find(BUCKET, name)
        policy = policy_row(call.store, BUCKET_POLICY, "bucket", (name,)) if rows else None
        arn = f"arn:aws:s3:::{name}" + (f"/{key}" if key is not None else "")
        call.require(Asked(action, arn, policy, tags_of(rows[0]) if rows else {}, dict(known or {})))
        if not rows:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        return rows[0]

    def _object(self, call: Call, p: Mapping[str, Any]) -> tuple[Row, Version]:
        """The version that is asked for, or the current one; to name one needs a permission of its own."""
        named = p.get("VersionId")
        action = "s3:GetObjectVersion" if named else "s3:GetObject"
        row = self._bucket(call, p["Bucket"], action, p["Key"], version_of(p))
        if not named:
            found = self._objects.current(row.id, p["Key"])
            if found is None or found.is_marker:
                raise AwsError("NoSuchKey", "The specified key does not exist.")
            return row, found
        found = self._objects.find(row.id, p["Key"], str(named))
        if found is None:
            raise AwsError("NoSuchVersion", "The specified version does not exist.")
        if found.is_marker:
            raise AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.")
        return row, found

    def _opened(self, call: Call, row: Row, found: Version) -> bytes:
        """What a version holds, for whoever may use its key."""
        body = found.body or b""
        return self._keys.decrypt(call, body, bound(row), via="s3")[0] if found.about["key"] else body

    def _key(self, call: Call, row: Row, p: Mapping[str, Any]) -> str | None:
        """What the object is to lie under: as the request says, or as the bucket does."""
        if p.get("ServerSideEncryption") == "AES256":
            return None
        return p.get("SSEKMSKeyId") or self._default_key(call, row)

    def _put(self, call: Call, row: Row, name: str, body: bytes, about: Mapping[str, Any]) -> dict[str, Any]:
        """Keep an object; what is now known about it."""
        sealed, key = body, about["key"]
        if key:
            sealed, key = self._keys.encrypt(call, key, body, bound(row), "s3")
        known = {
            "key": key,
            "etag": about.get("etag") or etag_of(body),
            "type": about.get("type") or "binary/octet-stream",
            "size": len(body),
            "changed": call.store.now().timestamp(),
        }
        return {**known, "version": self._objects.put(row.id, name, known, sealed, versioning(call, row))}

    def _default_key(self, call: Call, row: Row) -> str | None:
        for kind in ENCRYPTION:
            for found in call.store.all(kind):
                if found.inputs.get("bucket") == row.id:
                    rules = items(found.inputs.get("rules"))
                    rule = members(rules[0] if rules else None)
                    return members(rule.get("applyServerSideEncryptionByDefault")).get("kmsMasterKeyId")
        return None


def versioning(call: Call, row: Row) -> str | None:
    """Enabled, Suspended, or None where nobody has ever asked for versions."""
    for found in call.store.all(VERSIONING):
        if found.inputs.get("bucket") == row.id:
            status = members(found.inputs.get("versioningConfiguration")).get("status")
            return status if status in (ENABLED, SUSPENDED) else None
    return None


def version_of(p: Mapping[str, Any]) -> dict[str, str]:
    """The version that a request names, as conditions see it."""
    return {"s3:versionid": str(p["VersionId"])} if p.get("VersionId") else {}


def versioned(version: str) -> dict[str, str]:
    return {} if version == NULL else {"VersionId": version}


def asked_of(p: Mapping[str, Any]) -> dict[str, str]:
    """What a request says about encryption, as conditions see it."""
    known = {
        "s3:x-amz-server-side-encryption": p.get("ServerSideEncryption"),
        "s3:x-amz-server-side-encryption-aws-kms-key-id": p.get("SSEKMSKeyId"),
    }
    return {k: v for k, v in known.items() if v}


def range_of(asked: str, size: int) -> tuple[int, int]:
    """First and last byte (RFC 9110, section 14); S3 takes one range only."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    begin, end = found.groups() if found else ("", "")
    first, last = (int(begin), min(int(end or size), size - 1)) if begin else (size - int(end or 0), size - 1)
    first = max(first, 0)
    if first > last:
        raise AwsError("InvalidRange", "The requested range is not satisfiable")
    return first, last


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def bound(row: Row) -> dict[str, str]:
    """With a bucket key, the context is the bucket (S3 user guide, "Using S3 Bucket Keys")."""
    return {"aws:s3:arn": str(row.outputs["arn"])}


def encryption(key: str | None) -> dict[str, Any]:
    return (
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {"ServerSideEncryption": "AES256"}
    )


def _shown(found: Version) -> dict[str, Any]:
    about = found.about
    return {
        **versioned(found.id),
        "ETag": f'"{about["etag"]}"',
        "ContentLength": about["size"],
        "ContentType": about["type"],
        "LastModified": time_of(about),
        **encryption(about["key"]),
    }


def time_of(about: Mapping[str, Any]) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(about["changed"], datetime.UTC)


def bytes_of(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")
