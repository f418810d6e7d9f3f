"""S3 object versions: hidden, destroyed, listed, copied (S3 API reference, 2026-11)."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Call
from sandbox.data_plane.endpoint.buckets import (
    PAGE,
    Buckets,
    asked_of,
    encryption,
    time_of,
    version_of,
    versioned,
    versioning,
)
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.object_store import Version
from sandbox.json_values import items

SAME: Final = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the"
    " object's metadata, storage class, website redirect location or encryption attributes."
)


class Versions(Buckets):
    def DeleteObject(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """With a version it is gone; without, a marker hides what is there where versions are kept."""
        named = p.get("VersionId")
        action = "s3:DeleteObjectVersion" if named else "s3:DeleteObject"
        row = self._bucket(call, p["Bucket"], action, p["Key"], version_of(p))
        if named:
            gone = self._objects.remove(row.id, p["Key"], str(named))
            marker = {"DeleteMarker": True} if gone and gone.is_marker else {}
            return {"VersionId": str(named), **marker}
        about = {"changed": call.store.now().timestamp()}
        made = self._objects.hide(row.id, p["Key"], about, versioning(call, row))
        return {"DeleteMarker": True, "VersionId": made} if made else {}

    def DeleteObjects(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """Each for itself: what may not be deleted is told, and the others go."""
        asked = items(p["Delete"].get("Objects"))
        if not 1 <= len(asked) <= PAGE:
            raise AwsError(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        done: list[dict[str, Any]] = []
        wrong: list[dict[str, Any]] = []
        for one in asked:
            named = {k: v for k, v in one.items() if k in ("Key", "VersionId") and v}
            try:
                done.append({**named, **_told(self.DeleteObject(call, {"Bucket": p["Bucket"], **named}))})
            except AwsError as refusal:
                if refusal.code == "NoSuchBucket":
                    raise
                wrong.append({**named, "Code": refusal.code, "Message": refusal.message})
        return {"Deleted": [] if p["Delete"].get("Quiet") else done, "Errors": wrong}

    def ListObjectVersions(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        prefix, size = str(p.get("Prefix") or ""), min(int(p.get("MaxKeys") or PAGE), PAGE)
        known = {"s3:prefix": prefix} if prefix else {}
        row = self._bucket(call, p["Bucket"], "s3:ListBucketVersions", known=known)
        if p.get("Delimiter"):
            raise AwsError("NotImplemented", "the sandbox's S3 does not know: GET bucket versions delimiter")
        found = _after(self._objects.all(row.id, prefix), p.get("KeyMarker"), p.get("VersionIdMarker"))
        page = found[:size]
        more = (
            {"NextKeyMarker": page[-1].name, "NextVersionIdMarker": page[-1].id} if len(found) > size else {}
        )
        return {
            "Name": row.id,
            "Prefix": prefix,
            "MaxKeys": size,
            "IsTruncated": bool(more),
            "Versions": [_listed(v) for v in page if not v.is_marker],
            "DeleteMarkers": [_marker(v) for v in page if v.is_marker],
            **more,
        }

    def CopyObject(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        """Read as who may read the source, write as who may write the target, under the target's key."""
        source, found = self._source(call, p)
        body = self._opened(call, source, found)
        known = {**asked_of(p), "s3:x-amz-copy-source": unquote(str(p["CopySource"])).lstrip("/")}
        row = self._bucket(call, p["Bucket"], "s3:PutObject", p["Key"], known)
        replaces = p.get("MetadataDirective") == "REPLACE"
        is_same = (source.id, found.name, found.latest) == (row.id, p["Key"], True)
        if is_same and not replaces and not asked_of(p):
            raise AwsError("InvalidRequest", SAME)
        kind = p.get("ContentType") if replaces else found.about["type"]
        done = self._put(call, row, p["Key"], body, {"key": self._key(call, row, p), "type": kind})
        result = {"ETag": f'"{done["etag"]}"', "LastModified": time_of(done)}
        of = {} if found.id == "null" else {"CopySourceVersionId": found.id}
        return {"CopyObjectResult": result, **of, **encryption(done["key"]), **versioned(done["version"])}

    # -- parts

    def _source(self, call: Call, p: Mapping[str, Any]) -> tuple[Row, Version]:
        """What is to be copied: `bucket/key`, with `?versionId=` where it is not the current one."""
        path, _, version = str(p["CopySource"]).partition("?versionId=")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        if not bucket or not key:
            raise AwsError("InvalidArgument", "Copy Source must mention the source bucket and key")
        return self._object(call, {"Bucket": bucket, "Key": key, "VersionId": version})


def _told(deleted: Mapping[str, Any]) -> dict[str, Any]:
    """As DeleteObjects words what DeleteObject says."""
    if not deleted.get("DeleteMarker"):
        return {}
    return {"DeleteMarker": True, "DeleteMarkerVersionId": deleted["VersionId"]}


def _after(found: list[Version], key: str | None, version: str | None) -> list[Version]:
    """What comes after a page that ended with this key and version."""
    if not key:
        return found
    names = [v.name for v in found]
    ids = [(v.name, v.id) for v in found]
    if version and (key, version) in ids:
        return found[ids.index((key, version)) + 1 :]
    return [v for v, name in zip(found, names, strict=True) if name > key]


def _marker(found: Version) -> dict[str, Any]:
    return {
        "Key": found.name,
        "VersionId": found.id,
        "IsLatest": found.latest,
        "LastModified": time_of(found.about),
    }


def _listed(found: Version) -> dict[str, Any]:
    about = found.about
    return {
        **_marker(found),
        "Size": about["size"],
        "ETag": f'"{about["etag"]}"',
        "StorageClass": "STANDARD",
    }
