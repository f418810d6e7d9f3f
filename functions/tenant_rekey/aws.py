"""The real bucket, by boto3 of the Lambda runtime; only the handler imports this module."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from functions.common.aws_client import aws_client
from functions.tenant_rekey.rekey import AT_ONCE
from functions.tenant_rekey.tools import Found

MISSING: Final = frozenset({"404", "NoSuchKey"})
# Written or deleted since it was looked at.
CHANGED: Final = MISSING | {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}


class S3:
    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("s3", max_pool_connections=AT_ONCE)
        self._error = self._client.exceptions.ClientError

    def names(self, bucket: str, after: str) -> Iterator[Sequence[str]]:
        for page in self._pages("list_objects_v2", bucket, StartAfter=after):
            yield [one["Key"] for one in page.get("Contents", ())]

    def find(self, bucket: str, name: str) -> Found | None:
        try:
            found = self._client.head_object(Bucket=bucket, Key=name)
        except self._error as failure:
            if _code(failure) in MISSING:
                return None
            raise
        return Found(found["ContentLength"], found["ETag"], found.get("SSEKMSKeyId"))

    def copy(self, bucket: str, name: str, found: Found, key: str) -> bool:
        # Metadata and tags go along by themselves.
        try:
            self._client.copy_object(
                Bucket=bucket,
                Key=name,
                CopySource={"Bucket": bucket, "Key": name},
                CopySourceIfMatch=found.etag,
                IfMatch=found.etag,
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=key,
                BucketKeyEnabled=True,
            )
        except self._error as failure:
            if _code(failure) in CHANGED:
                return False
            raise
        return True

    def earlier(self, bucket: str) -> int:
        pages = self._pages("list_object_versions", bucket)
        return sum(not one["IsLatest"] for page in pages for one in page.get("Versions", ()))

    def _pages(self, operation: str, bucket: str, **more: str) -> Iterator[Any]:
        return iter(self._client.get_paginator(operation).paginate(Bucket=bucket, **more))


def _code(failure: BaseException) -> str:
    return str(getattr(failure, "response", {}).get("Error", {}).get("Code"))
