"""Verifies Signature Version 4 as AWS does: with botocore's own signer, over the same request."""

import datetime
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.sessions import Credentials, Session, Sessions

SKEW: Final = 900  # seconds that a request may be old
AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Http:
    """A request as it came."""

    method: str
    path: str  # with its query, still encoded
    headers: Mapping[str, str]  # by lower-case name
    body: bytes
    tls: str = ""  # its version ("1.3"), nothing without TLS

    @property
    def secure(self) -> bool:
        return bool(self.tls)


@dataclass(frozen=True)
class Signed:
    """Who signed it, and for which service and Region."""

    session: Session
    service: str
    region: str


def verify(http: Http, sessions: Sessions) -> Signed:
    """Raises `AwsError` in AWS's words where anything about the signature is wrong."""
    found = AUTHORIZATION.fullmatch(http.headers.get("authorization", ""))
    if found is None:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token")
    access_key, _, region, service, names, signature = found.groups()
    known = sessions.find(access_key)
    if known is None or http.headers.get("x-amz-security-token") != known[1].token:
        raise AwsError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    session, credentials = known
    if credentials.ends < time.time():
        raise AwsError("ExpiredTokenException", "The security token included in the request is expired")
    _require_fresh(http.headers.get("x-amz-date", ""))
    wanted = _signature(http, credentials, (region, service), names.split(";"))
    if not hmac.compare_digest(wanted, signature) or not _whole(http):
        raise AwsError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS"
            " Secret Access Key and signing method. Consult the service documentation for details.",
        )
    return Signed(session, service, region)


def _require_fresh(date: str) -> None:
    try:
        sent = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        sent = 0.0
    if abs(time.time() - sent) > SKEW:
        raise AwsError(
            "InvalidSignatureException", f"Signature expired: {date} is not within {SKEW} seconds of now"
        )


def _signature(http: Http, given: Credentials, scope: tuple[str, str], names: list[str]) -> str:
    region, service = scope
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = signer(Keys(given.access_key, given.secret_key, given.token), service, region)
    scheme = "https" if http.secure else "http"
    url = f"{scheme}://{http.headers.get('host', '')}{http.path}"
    request = AWSRequest(http.method, url, {n: http.headers.get(n, "") for n in names}, http.body)
    request.context["timestamp"] = http.headers.get("x-amz-date", "")
    # Not what the body is but what the signer said of it; `_whole` then compares the two.
    digest = http.headers.get("x-amz-content-sha256") or hashlib.sha256(http.body).hexdigest()
    auth.payload = lambda request: digest  # noqa: ARG005 - botocore's own name
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def _whole(http: Http) -> bool:
    """Whether the body is the one that was signed; S3 lets TLS answer for it."""
    digest = http.headers.get("x-amz-content-sha256")
    if digest is None:
        return True  # the body itself was hashed above
    if digest == "UNSIGNED-PAYLOAD" or digest.startswith("STREAMING-UNSIGNED-PAYLOAD"):
        return http.secure
    return digest == hashlib.sha256(http.body).hexdigest()
