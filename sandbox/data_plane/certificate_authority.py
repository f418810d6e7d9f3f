"""The root CA that signs the certificates of the sandbox's servers, as RDS has one."""

import datetime
import ipaddress
import ssl
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.files import write

DAYS: Final = 365
NAME: Final = "tenantry sandbox root"


class CertificateAuthority:
    """A root in a folder, made when it is first asked for; its key never leaves the sandbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        bundle = folder / "root.key"
        if not bundle.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = sign_certificate(NAME, key.public_key(), NAME, key, ca=True)
            _keep(bundle, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM).decode())
        # One file holds both, and the first that is kept stays: all who start together agree on it.
        text = bundle.read_bytes()
        key = serialization.load_pem_private_key(text, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - narrows the type; made above
        self._key, self._certificate = key, x509.load_pem_x509_certificate(text)
        if not self.root.exists():
            write(self.root, self.pem)

    @property
    def root(self) -> Path:
        """The certificate alone, for those who are to trust it."""
        return self.folder / "root.pem"

    @property
    def pem(self) -> str:
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, host: str) -> ssl.SSLContext:
        """What a server of this name shows; kept, so that one name has one context."""
        if host not in self._contexts:
            self._contexts[host] = self._context(host)
        return self._contexts[host]

    def _context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = sign_certificate(host, key.public_key(), NAME, self._key)
        chain = self.folder / f"{host}.pem"
        write(chain, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM).decode(), 0o600)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain)
        return context


def _keep(path: Path, text: str) -> None:
    """Write a file for its owner alone, unless somebody was quicker."""
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    write(new, text, 0o600)
    with suppress(FileExistsError):
        path.hardlink_to(new)
    new.unlink()


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def sign_certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool = False,
) -> x509.Certificate:
    """A certificate of a host's name or address; with `ca` one that may sign others."""
    now = datetime.datetime.now(datetime.UTC)
    # A common name has 64 characters at most; the name that counts is the alternative one.
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n[:64])]) for n in (name, issuer))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
    )
    return builder.sign(signer, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
