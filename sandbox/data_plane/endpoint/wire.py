"""AWS's protocols, parsed and serialized by moto from botocore's service models.

JSON, query and REST-XML alike: an operation's name and parameters come in, a result or an error goes out.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.signing import Http

# S3 names its operations by method, by whether there is a key, and by a sub-resource; others are not known.
S3 = {
    ("PUT", True, ""): "PutObject",
    ("GET", True, ""): "GetObject",
    ("HEAD", True, ""): "HeadObject",
    ("DELETE", True, ""): "DeleteObject",
    ("POST", True, "uploads"): "CreateMultipartUpload",
    ("PUT", True, "uploadId"): "UploadPart",
    ("GET", True, "uploadId"): "ListParts",
    ("POST", True, "uploadId"): "CompleteMultipartUpload",
    ("DELETE", True, "uploadId"): "AbortMultipartUpload",
    ("GET", False, ""): "ListObjectsV2",
    ("GET", False, "versions"): "ListObjectVersions",
    ("GET", False, "uploads"): "ListMultipartUploads",
    ("POST", False, "delete"): "DeleteObjects",
    ("HEAD", False, ""): "HeadBucket",
}
S3_PARTS = ("uploads", "uploadId", "versions", "delete")
# With this header, what would be written is what lies elsewhere already.
S3_SOURCE = "x-amz-copy-source"
S3_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
S3_QUERY = frozenset({*S3_PARTS, "partNumber", "list-type", "prefix", "delimiter", "max-keys", "fetch-owner",
                      "continuation-token", "start-after", "encoding-type", "x-id", "versionId", "key-marker",
                      "version-id-marker", "upload-id-marker", "max-uploads"})  # fmt: skip
CHUNK = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")


# Services that botocore calls by another name than they sign requests with.
NAMES = {"states": "stepfunctions"}


@cache
def model(service: str) -> ServiceModel:
    return get_service_model(NAMES.get(service, service))


def read(http: Http, service: str) -> tuple[OperationModel, dict[str, Any]]:
    """The operation and its parameters; raises `AwsError` for what is none."""
    split = urlsplit(http.path)
    values = MultiDict(parse_qsl(split.query, keep_blank_values=True))
    body, url_params = http.body, {}
    if service == "s3":
        name, url_params, body = _s3(http, split.path, values)
    elif "x-amz-target" in http.headers:
        name = http.headers["x-amz-target"].rpartition(".")[2]
    else:
        form = parse_qsl(http.body.decode(), keep_blank_values=True)
        values.update(form)
        name = values.get("Action", "")
    try:
        operation = model(service).operation_model(name)
    except Exception:  # botocore's own have no common base
        raise AwsError("UnknownOperationException", f"{service} has no operation {name!r}") from None
    parser = PROTOCOL_PARSERS[model(service).protocol](operation)
    request = {
        "body": body,
        "headers": Headers(list(http.headers.items())),
        "method": http.method,
        "url_params": url_params,
        "url_path": split.path,
        "values": values,
    }
    return operation, parser.parse(request)


def _s3(http: Http, path: str, values: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    name = S3.get((http.method, bool(key), next((x for x in S3_PARTS if x in values), "")))
    if S3_SOURCE in http.headers:
        name = S3_COPIES.get(str(name))
    strange = sorted(set(values) - S3_QUERY)
    if name is None or strange:
        what = f"{http.method} {'object' if key else 'bucket'} {' '.join(strange)}".strip()
        raise AwsError("NotImplemented", f"the sandbox's S3 does not know: {what}")
    body = http.body
    if http.headers.get("content-encoding", "").startswith("aws-chunked"):
        body = _unchunked(body)
    return name, {"Bucket": bucket} | ({"Key": key} if key else {}), body


def _unchunked(body: bytes) -> bytes:
    """The content of `aws-chunked`: sizes in hexadecimal, and checksums as trailers, which are dropped."""
    parts: list[bytes] = []
    offset = 0
    while found := CHUNK.match(body, offset):
        size = int(found[1], 16)
        if size == 0:
            break
        parts.append(body[found.end() : found.end() + size])
        offset = found.end() + size + 2
    return b"".join(parts)


def write(
    service: str, operation: OperationModel | None, result: Any, request_id: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a result or of an `AwsError`."""
    known = operation or _any_operation(service)
    serializer = get_serializer_class(NAMES.get(service, service), model(service).protocol)
    done = serializer(known, SerializationContext(request_id=request_id)).serialize(result)
    body = done["body"]
    headers = {str(k): str(v) for k, v in dict(done["headers"]).items()}
    status = done["status_code"]
    if isinstance(result, AwsError) and "ccessDenied" in result.code:
        status = 403
    elif "Content-Range" in headers:
        status = 206
    return status, headers, body.encode() if isinstance(body, str) else bytes(body)


def _any_operation(service: str) -> OperationModel:
    """An error that comes before the operation is known is written as any of the service's would be."""
    return model(service).operation_model(model(service).operation_names[0])
