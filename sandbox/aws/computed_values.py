"""Values that AWS computes by more than a template: real certificates of AWS Private CA, and times.

An authority's key is derived from its ARN, so that nothing has to be kept beside what AWS shows.
"""

import datetime
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.aws.refusals import CloudError
from sandbox.aws.refusals.young_accounts import ACCOUNT
from sandbox.cloud.store import Store
from sandbox.json_values import members

AUTHORITY: Final = "aws:acmpca/certificateAuthority:CertificateAuthority"
CERTIFICATE: Final = "aws:acmpca/certificate:Certificate"
INSTALLED: Final = "aws:acmpca/certificateAuthorityCertificate:CertificateAuthorityCertificate"

Maker = Callable[[Store, str, Mapping[str, Any]], dict[str, Any]]


def _key(arn: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - few runs need it

    number = int.from_bytes(hashlib.sha512(b"authority " + arn.encode()).digest()) >> 160
    return ec.derive_private_key(number + 1, ec.SECP384R1())


def _request(_store: Store, arn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The request that an authority makes of its own key."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    subject = members(inputs["certificateAuthorityConfiguration"].get("subject"))
    kinds = {"commonName": NameOID.COMMON_NAME, "organization": NameOID.ORGANIZATION_NAME}
    name = x509.Name([x509.NameAttribute(oid, subject[k]) for k, oid in kinds.items() if subject.get(k)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_key(arn), hashes.SHA384())
    return {"certificateSigningRequest": made.public_bytes(serialization.Encoding.PEM).decode()}


def _issued(store: Store, _id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate as its template says, signed by the authority."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    arn, template = inputs["certificateAuthorityArn"], str(inputs.get("templateArn")).split("/")[-2]
    request = x509.load_pem_x509_csr(inputs["certificateSigningRequest"].encode())
    installed = _installed(store, arn)
    if template != "RootCACertificate" and installed is None:
        raise CloudError(f"issuing ACM PCA Certificate: InvalidStateException: {arn} has no certificate yet")
    issuer = x509.load_pem_x509_certificate(installed.encode()).subject if installed else request.subject
    begins = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=int(inputs["validity"]["value"])))
    )
    for extension, critical in _extensions(template, request, arn):
        builder = builder.add_extension(extension, critical=critical)
    pem = builder.sign(_key(arn), hashes.SHA384()).public_bytes(serialization.Encoding.PEM).decode()
    return {"certificate": pem, "certificateChain": installed or ""}


def _extensions(template: str, request: Any, arn: str) -> list[tuple[Any, bool]]:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose  # noqa: PLC0415

    ca = "CACertificate" in template
    length = (None if template == "RootCACertificate" else 0) if ca else None
    found: list[tuple[Any, bool]] = [
        (x509.BasicConstraints(ca=ca, path_length=length), True),
        (x509.SubjectKeyIdentifier.from_public_key(request.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(arn).public_key()), False),
        (
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False,
                encipher_only=False, decipher_only=False,
            ),
            True,
        ),
    ]  # fmt: skip
    purposes = {
        "EndEntityServerAuthCertificate": Purpose.SERVER_AUTH,
        "EndEntityClientAuthCertificate": Purpose.CLIENT_AUTH,
    }
    if template in purposes:
        found.append((x509.ExtendedKeyUsage([purposes[template]]), False))
    found += [
        (e.value, e.critical) for e in request.extensions if isinstance(e.value, x509.SubjectAlternativeName)
    ]
    return found


def _installed(store: Store, arn: str) -> str | None:
    """The certificate that was given to an authority, None before."""
    rows = [r for r in store.all(INSTALLED) if r.inputs.get("certificateAuthorityArn") == arn]
    return str(rows[0].inputs["certificate"]) if rows else None


def _joined(store: Store, _id: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    """An account of an organization is made now."""
    return {"joinedTimestamp": store.now().isoformat()}


MAKERS: Final[Mapping[str, Maker]] = {AUTHORITY: _request, CERTIFICATE: _issued, ACCOUNT: _joined}
