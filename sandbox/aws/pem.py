"""Certificates that AWS issues by itself, such as API Gateway's client certificate: real, self-signed."""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAYS = 365  # as API Gateway's live


def self_signed(name: str) -> str:
    """The certificate in PEM; nobody keeps its key, since nothing here calls from AWS."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=DAYS))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def belongs(body: str, key: str) -> bool | None:
    """Whether a certificate is of a private key; None where one of them is not in PEM."""
    try:
        certificate = x509.load_pem_x509_certificate(body.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        return None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return certificate.public_key().public_bytes(*form) == private.public_key().public_bytes(*form)


def signed_by(body: str, chain: str) -> bool:
    """Whether the first certificate of a chain has issued this one."""
    try:
        certificate = x509.load_pem_x509_certificate(body.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificates(chain.encode())[0])
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
