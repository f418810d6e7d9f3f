"""Versions of objects: what a deletion hides, what it destroys, who may, and what keeps a bucket."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.data_plane.endpoint.buckets import BUCKET as KIND
from sandbox.data_plane.endpoint.buckets import BUCKET_POLICY, ENCRYPTION, VERSIONING
from sandbox.data_plane.endpoint.keys import KEY
from sandbox.data_plane.object_store import NULL, ObjectStore
from sandbox.data_plane.secret_store import SecretStore
from sandbox.providers.aws import Aws
from sandbox.providers.plugin import Refused
from tests.sandbox.live import ACCOUNT, REGION, Live, refused
from tests.sandbox.test_endpoint import key_of

A, B = "amber-pay", "birch-lending"
OF_A, OF_B = f"tenantry-dev-t-{A}-{ACCOUNT}", f"tenantry-dev-t-{B}-{ACCOUNT}"
BUCKET = "kept"


@pytest.fixture
def kept(bare: Live) -> Live:
    """A bucket with versions, under a key that its account's administrators may use."""
    cloud = Cloud(bare.store, {})
    _, key = cloud.create(KEY, f"urn:pulumi:dev::t::{KEY}::k", {})
    default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key["arn"]}
    for kind, inputs in (
        (KIND, {}),
        (VERSIONING, {"versioningConfiguration": {"status": "Enabled"}}),
        (ENCRYPTION[0], {"rules": [{"applyServerSideEncryptionByDefault": default}]}),
    ):
        cloud.create(kind, f"urn:pulumi:dev::t::{kind}::b", {"bucket": BUCKET, **inputs})
    return bare


def put(s3: Any, body: bytes, name: str = "report", bucket: str = BUCKET) -> str:
    return s3.put_object(Bucket=bucket, Key=name, Body=body)["VersionId"]


def body_of(s3: Any, **more: Any) -> bytes:
    return s3.get_object(**{"Bucket": BUCKET, "Key": "report", **more})["Body"].read()


def listed(s3: Any, **more: Any) -> list[tuple[str, str, bool, bool]]:
    """Key, version, whether it is the latest, whether it is a marker."""
    found = s3.list_object_versions(**{"Bucket": BUCKET, **more})
    kinds = (("Versions", False), ("DeleteMarkers", True))
    return [(v["Key"], v["VersionId"], v["IsLatest"], m) for k, m in kinds for v in found.get(k, [])]


def test_an_old_version_stays_and_can_be_had_by_its_id(kept: Live) -> None:
    s3 = kept.administrator("s3")
    first, second = put(s3, b"one"), put(s3, b"two")
    assert first != second
    assert (body_of(s3), body_of(s3, VersionId=first), body_of(s3, VersionId=second)) == (
        b"two",
        b"one",
        b"two",
    )
    about = s3.head_object(Bucket=BUCKET, Key="report", VersionId=first)
    assert (about["VersionId"], about["ContentLength"]) == (first, 3)
    assert [o["Size"] for o in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [3]
    assert all(b"one" not in body for (body,) in kept.vault.rows("SELECT body FROM noncurrent"))
    with pytest.raises(ClientError, match="NoSuchVersion"):
        body_of(s3, VersionId="of-nobody")


def test_a_deletion_hides_and_one_of_the_marker_shows_again(kept: Live) -> None:
    s3 = kept.administrator("s3")
    first = put(s3, b"one")
    gone = s3.delete_object(Bucket=BUCKET, Key="report")
    marker = gone["VersionId"]
    assert gone["DeleteMarker"] is True
    with pytest.raises(ClientError, match="NoSuchKey"):
        body_of(s3)
    with pytest.raises(ClientError, match="MethodNotAllowed"):
        body_of(s3, VersionId=marker)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    assert listed(s3) == [("report", first, False, False), ("report", marker, True, True)]
    assert body_of(s3, VersionId=first) == b"one"
    assert s3.delete_object(Bucket=BUCKET, Key="report", VersionId=marker)["DeleteMarker"] is True
    assert body_of(s3) == b"one"
    assert listed(s3) == [("report", first, True, False)]


def test_what_is_deleted_by_its_version_is_gone_and_the_one_before_is_current(kept: Live) -> None:
    s3 = kept.administrator("s3")
    first, second, third = (put(s3, body) for body in (b"one", b"two", b"three"))
    s3.delete_object(Bucket=BUCKET, Key="report", VersionId=third)
    assert body_of(s3) == b"two"
    s3.delete_object(Bucket=BUCKET, Key="report", VersionId=first)
    assert listed(s3) == [("report", second, True, False)]
    s3.delete_object(Bucket=BUCKET, Key="report", VersionId=second)
    assert listed(s3) == []


def test_versions_are_listed_in_pages(kept: Live) -> None:
    s3 = kept.administrator("s3")
    versions = [(name, put(s3, b"x", name)) for name in ("a/1", "a/2", "a/2", "a/3", "b")]
    expected = [versions[i] for i in (0, 2, 1, 3)]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=BUCKET, Prefix="a/", PaginationConfig={"PageSize": 2}
    )
    found = [[(v["Key"], v["VersionId"]) for v in page["Versions"]] for page in pages]
    assert found == [expected[:2], expected[2:]]


def test_many_go_at_once_each_as_it_is_allowed(kept: Live) -> None:
    s3 = kept.administrator("s3")
    first, second = put(s3, b"one"), put(s3, b"two", "other")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion"}
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**deny, "Resource": f"arn:aws:s3:::{BUCKET}/other"}]}
    )
    given = {"bucket": BUCKET, "policy": policy}
    made, _ = Cloud(kept.store, {}).create(BUCKET_POLICY, f"urn:pulumi:dev::t::{BUCKET_POLICY}::b", given)
    named = {"Key": "other", "VersionId": second}
    result = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "report"}, named]})
    assert [(d["Key"], d["DeleteMarker"]) for d in result["Deleted"]] == [("report", True)]
    assert [(e["Key"], e["VersionId"], e["Code"]) for e in result["Errors"]] == [
        ("other", second, "AccessDenied")
    ]
    assert "s3:DeleteObjectVersion" in result["Errors"][0]["Message"]
    Cloud(kept.store, {}).delete(BUCKET_POLICY, made)
    everything = [{"Key": k, "VersionId": v} for k, v, _, _ in listed(s3)]
    assert len(everything) == 3
    assert first in {e["VersionId"] for e in everything}
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": everything, "Quiet": True})
    assert "Deleted" not in quiet
    assert listed(s3) == []


def test_a_tenant_reads_no_old_versions_nor_lists_them(live: Live) -> None:
    """Its role names neither; what it deleted by mistake, the platform's people bring back."""
    s3 = live.tenant("s3", A)
    first = put(s3, b"one", bucket=OF_A)
    result = s3.delete_object(Bucket=OF_A, Key="report")
    copy = {"Bucket": OF_A, "Key": "report", "VersionId": first}
    for action, call in {
        "s3:GetObjectVersion ": lambda: body_of(s3, Bucket=OF_A, VersionId=first),
        "s3:ListBucketVersions ": lambda: listed(s3, Bucket=OF_A),
        "s3:ListBucketMultipartUploads ": lambda: s3.list_multipart_uploads(Bucket=OF_A),
        "s3:GetObjectVersion  ": lambda: s3.copy_object(Bucket=OF_A, Key="back", CopySource=copy),
        "s3:DeleteObjectVersion ": lambda: s3.delete_object(
            Bucket=OF_A, Key="report", VersionId=result["VersionId"]
        ),
    }.items():
        assert f"not authorized to perform: {action.strip()} " in refused(call)


def test_a_copy_needs_the_source_the_target_and_both_keys(live: Live) -> None:
    """Across tenants nobody may; so each guard is lifted, one after the other."""
    mine, stranger = live.tenant("s3", A), live.tenant("s3", B)
    source = {"Bucket": OF_A, "Key": "report"}
    first = put(mine, b"of amber", bucket=OF_A)

    def copy(**more: Any) -> Any:
        return stranger.copy_object(Bucket=OF_B, Key="x", CopySource={**source, **more})

    assert "s3:GetObject " in refused(copy)
    assert "s3:PutObject " in refused(lambda: mine.copy_object(Bucket=OF_B, Key="y", CopySource=source))
    with pytest.raises(ClientError, match=r"InvalidRequest.*copy an object to itself"):
        mine.copy_object(Bucket=OF_A, Key="report", CopySource=source)
    live.widen(f"tenant-{B}")
    live.edit(live.row(BUCKET_POLICY, f"{A}-tenant-artefacts-policy"), "policy", lambda _: [owner()])
    assert "kms:Decrypt " in refused(copy)
    live.edit(live.row(KEY, f"{A}-identity-key"), "policy", lambda s: [*s, everybody()])
    done = copy(VersionId=first)
    assert (done["CopySourceVersionId"], done["SSEKMSKeyId"]) == (first, key_of(live, B))
    assert body_of(stranger, Bucket=OF_B, Key="x") == b"of amber"


def owner() -> dict[str, Any]:
    """A bucket's policy that leaves everything to the callers' own."""
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    where = f"arn:aws:s3:::{OF_A}"
    return {"Effect": "Allow", "Principal": who, "Action": "s3:GetBucketLocation", "Resource": where}


def everybody() -> dict[str, Any]:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {"Sid": "All", "Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*"}


def test_what_is_large_is_copied_in_parts(kept: Live) -> None:
    s3, content = kept.administrator("s3"), bytes(range(256)) * 40_000
    put(s3, content)
    s3.copy({"Bucket": BUCKET, "Key": "report"}, BUCKET, "copy")
    assert body_of(s3, Key="copy") == content
    assert s3.head_object(Bucket=BUCKET, Key="copy")["ETag"].endswith('-2"')


def test_uploads_that_nobody_ended_are_listed(kept: Live) -> None:
    s3 = kept.administrator("s3")
    begun = sorted(
        (k, s3.create_multipart_upload(Bucket=BUCKET, Key=k)["UploadId"]) for k in ("b", "a", "c", "a")
    )
    found = [
        (u["Key"], u["UploadId"])
        for page in s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=BUCKET, PaginationConfig={"PageSize": 3}
        )
        for u in page["Uploads"]
    ]
    assert found == begun
    s3.abort_multipart_upload(Bucket=BUCKET, Key="a", UploadId=begun[0][1])
    assert len(s3.list_multipart_uploads(Bucket=BUCKET, Prefix="a")["Uploads"]) == 1


def test_where_versions_are_suspended_only_the_null_one_is_overwritten(kept: Live) -> None:
    s3 = kept.administrator("s3")
    first = put(s3, b"one")
    row = next(r for r in kept.store.all(VERSIONING) if r.inputs["bucket"] == BUCKET)
    suspended = {**row.inputs, "versioningConfiguration": {"status": "Suspended"}}
    kept.store.put(type(row)(row.type, row.id, row.urn, suspended, row.outputs), handles=(row.id,))
    for body in (b"two", b"three"):
        s3.put_object(Bucket=BUCKET, Key="report", Body=body)
    assert [v[1] for v in listed(s3)] == [NULL, first]
    assert (body_of(s3), body_of(s3, VersionId=first)) == (b"three", b"one")
    s3.delete_object(Bucket=BUCKET, Key="report")
    assert sorted(v[1:] for v in listed(s3)) == sorted([(first, False, False), (NULL, True, True)])
    s3.put_object(Bucket=BUCKET, Key="report", Body=b"four")
    assert listed(s3) == [("report", NULL, True, False), ("report", first, False, False)]


def test_without_versions_a_deletion_destroys(tmp_path: Path) -> None:
    objects = ObjectStore(SecretStore(tmp_path / "v"))
    for body in (b"one", b"two"):
        assert objects.put("b", "k", {}, body, None) == NULL
    assert [v.body for v in objects.all("b", "")] == [b"two"]
    assert objects.hide("b", "k", {}, None) is None
    assert not objects.holds("b")


@pytest.mark.parametrize("forced", [False, True])
def test_a_bucket_stays_while_it_holds_any_version(
    forced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_DIR", str(tmp_path))
    provider = Aws()
    provider.configure({"region": REGION, "allowedAccountIds": json.dumps([ACCOUNT])})
    given = {"bucket": "some-bucket", "forceDestroy": forced}
    made, _ = provider.create(KIND, f"urn:pulumi:dev::t::{KIND}::b", given, preview=False)
    objects = ObjectStore(provider.service.secret_store)
    objects.put(made, "k", {}, b"x", "Enabled")
    objects.hide(made, "k", {}, "Enabled")
    if forced:
        provider.delete(KIND, made)
        provider.service.sweep()
        assert not objects.holds(made)
        return
    with pytest.raises(Refused, match=r"BucketNotEmpty: .* You must delete all versions in the bucket"):
        provider.delete(KIND, made)
    assert provider.cloud.read(KIND, made)
    for version in objects.all(made, ""):
        objects.remove(made, "k", version.id)
    provider.delete(KIND, made)
    assert provider.cloud.read(KIND, made) is None
