"""The certificate revocation list, signed by the CA that issued the certificates."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def revocation_list(key_pem: str, certificate_pem: str, serials: Sequence[str]) -> str:
    """The list as PEM; `serials` are hexadecimal.

    The same CA and serials make the same list, byte for byte, or every deployment would change it: its
    dates are those of the CA's certificate, and the signature is deterministic (RFC 6979).
    """
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    issuer = x509.load_pem_x509_certificate(certificate_pem.encode())
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"expected an ECDSA key of the CA, got {type(key).__name__}")
    begin, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(begin)
        .next_update(end)
        .add_extension(x509.CRLNumber(len(serials)), critical=False)
        .add_extension(identifier, critical=False)
    )
    for serial in sorted(serials, key=lambda s: int(s, 16)):
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(begin)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(key, hashes.SHA384(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.PEM).decode()
