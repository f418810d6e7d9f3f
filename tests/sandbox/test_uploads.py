"""Large objects, as boto3 sends and fetches them: in parts, under the key that the bucket names."""

import io
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.live import ACCOUNT, Live
from tests.sandbox.test_endpoint import key_of

A, B = "amber-pay", "birch-lending"
BUCKET, NAME = f"tenantry-dev-t-{A}-{ACCOUNT}", "moves/amber-pay.dump"
MIB = 1024 * 1024


def part(live: Live, number: int, body: bytes, upload: str, tenant: str = A) -> dict[str, Any]:
    done = live.tenant("s3", tenant).upload_part(
        Bucket=BUCKET, Key=NAME, PartNumber=number, UploadId=upload, Body=body
    )
    return {"PartNumber": number, "ETag": done["ETag"]}


def begun(live: Live) -> str:
    return live.tenant("s3", A).create_multipart_upload(Bucket=BUCKET, Key=NAME)["UploadId"]


def complete(live: Live, upload: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return live.tenant("s3", A).complete_multipart_upload(
        Bucket=BUCKET, Key=NAME, UploadId=upload, MultipartUpload={"Parts": list(parts)}
    )


def left(live: Live) -> list[tuple[Any, ...]]:
    return live.vault.rows("SELECT upload FROM parts UNION SELECT id FROM uploads")


@pytest.mark.slow
def test_fifty_megabytes_go_up_and_come_back(live: Live) -> None:
    s3, content = live.tenant("s3", A), os.urandom(50_000_000)
    s3.upload_fileobj(io.BytesIO(content), BUCKET, NAME)
    about = s3.head_object(Bucket=BUCKET, Key=NAME)
    assert (about["ContentLength"], about["SSEKMSKeyId"]) == (len(content), key_of(live, A))
    assert about["ETag"].endswith('-6"')
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, NAME, back)
    assert back.getvalue() == content
    assert content[:64] not in live.vault.rows("SELECT body FROM objects")[0][0]
    assert left(live) == []


@pytest.mark.parametrize(
    ("asked", "message", "expected"),
    [
        ("bytes=0-3", "bytes 0-3/10", b"0123"),
        ("bytes=7-", "bytes 7-9/10", b"789"),
        ("bytes=-2", "bytes 8-9/10", b"89"),
        ("bytes=8-99", "bytes 8-9/10", b"89"),
    ],
)
def test_a_range_of_an_object(live: Live, asked: str, message: str, expected: bytes) -> None:
    s3 = live.tenant("s3", A)
    s3.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")
    got = s3.get_object(Bucket=BUCKET, Key="digits", Range=asked)
    assert (got["Body"].read(), got["ContentRange"]) == (expected, message)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=BUCKET, Key="digits", Range="bytes=10-")


def test_parts_are_put_together_as_they_are_named(live: Live) -> None:
    upload = begun(live)
    one, two = part(live, 1, b"a" * 5 * MIB, upload), part(live, 2, b"b", upload)
    small = part(live, 3, b"c", upload)
    s3 = live.tenant("s3", A)
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListMultipartUploadParts"):
        s3.list_parts(Bucket=BUCKET, Key=NAME, UploadId=upload)
    live.widen(f"tenant-{A}")
    listed = s3.list_parts(Bucket=BUCKET, Key=NAME, UploadId=upload)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, 5 * MIB), (2, 1), (3, 1)]
    with pytest.raises(ClientError, match="InvalidPartOrder"):
        complete(live, upload, two, one)
    with pytest.raises(ClientError, match="EntityTooSmall"):
        complete(live, upload, one, two, small)
    with pytest.raises(ClientError, match=r"InvalidPart\b"):
        complete(live, upload, {**one, "ETag": two["ETag"]})
    complete(live, upload, one, small)
    assert s3.get_object(Bucket=BUCKET, Key=NAME)["Body"].read() == b"a" * 5 * MIB + b"c"
    with pytest.raises(ClientError, match="NoSuchUpload"):
        complete(live, upload, one)


def test_an_upload_that_is_given_up_leaves_nothing(live: Live) -> None:
    upload = begun(live)
    part(live, 1, b"of amber", upload)
    assert b"of amber" not in live.vault.rows("SELECT body FROM parts")[0][0]
    live.tenant("s3", A).abort_multipart_upload(Bucket=BUCKET, Key=NAME, UploadId=upload)
    assert left(live) == []


def test_another_tenant_adds_no_part_and_ends_no_upload(live: Live) -> None:
    upload = begun(live)
    with pytest.raises(ClientError, match="AccessDenied"):
        part(live, 1, b"of birch", upload, tenant=B)
    stranger = live.tenant("s3", B)
    with pytest.raises(ClientError, match="s3:AbortMultipartUpload"):
        stranger.abort_multipart_upload(Bucket=BUCKET, Key=NAME, UploadId=upload)
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.create_multipart_upload(Bucket=BUCKET, Key=NAME)
    assert left(live) == [(upload,)]
