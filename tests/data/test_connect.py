"""How the function reaches a database: TLS that is verified, patience with a new one, none with a refusal."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.common import connection as way
from functions.common.connection import TenantDatabase
from plan.data.databases import CA_CERTIFICATE
from sandbox.data_plane.certificate_authority import sign_certificate
from tests.data.server import MASTER, PASSWORD, Server

MASTER_SECRET = {"username": MASTER, "password": PASSWORD}
SSL_REQUEST = 80877103


@dataclass
class Authority:
    """A root, and certificates that it signs."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, sign_certificate(name, key.public_key(), name, key, ca=True))

    def issue(self, host: str, directory: Path) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = sign_certificate(host, key.public_key(), str(issuer), self.key)
        chain, private = directory / "server.pem", directory / "server.key"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return chain, private

    def trusted(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)


@contextmanager
def behind_tls(server: Server, chain: tuple[Path, Path]) -> Iterator[int]:
    """The port of a front that speaks TLS as RDS does, with the real server behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*chain)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                with suppress(OSError, struct.error):  # one that hangs up, or only wakes us
                    _serve(listener.accept()[0], context, server)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            with suppress(OSError), socket.create_connection(listener.getsockname(), timeout=1):
                pass
            thread.join(timeout=5)


def _serve(client: socket.socket, context: ssl.SSLContext, server: Server) -> None:
    with client:
        length, code = struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))
        assert (length, code) == (8, SSL_REQUEST), "the function must ask for TLS first"
        client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as tls, socket.socket(socket.AF_UNIX) as real:
            real.connect(str(server.directory / ".s.PGSQL.5432"))
            back = threading.Thread(target=_copy, args=(real, tls), daemon=True)
            back.start()
            _copy(tls, real)
            with suppress(OSError):
                real.shutdown(socket.SHUT_RDWR)
            back.join(timeout=5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def to(port: int) -> TenantDatabase:
    return TenantDatabase("acme-pay", "localhost", port, "postgres")


@pytest.fixture
def authority() -> Authority:
    return Authority.new("root of the test")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(way.time, "sleep", slept.append)
    return slept


def test_it_comes_in_over_tls_to_whom_it_trusts(
    server: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "trusted", authority.trusted)
    with behind_tls(server, authority.issue("localhost", tmp_path)) as port:
        connection = way.connect(to(port), MASTER_SECRET)
        assert connection.run("SELECT current_user") == [[MASTER]]
        connection.close()


@pytest.mark.parametrize(
    ("issuer", "name", "message"),
    [
        ("another root", "localhost", "unable to get local issuer certificate|self-signed|signature"),
        ("root of the test", "elsewhere.example", "mismatch|doesn't match|not valid for"),
    ],
)
def test_who_shows_another_certificate_is_not_told_the_password(
    server: Server,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    issuer: str,
    name: str,
    message: str,
) -> None:
    signer = authority if issuer == "root of the test" else Authority.new(issuer)
    monkeypatch.setattr(way, "trusted", authority.trusted)
    with (
        behind_tls(server, signer.issue(name, tmp_path)) as port,
        pytest.raises(ssl.SSLCertVerificationError, match=message),
    ):
        way.connect(to(port), MASTER_SECRET)


def test_the_real_roots_trust_no_other(server: Server, authority: Authority, tmp_path: Path) -> None:
    with (
        behind_tls(server, authority.issue("localhost", tmp_path)) as port,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"),
    ):
        way.connect(to(port), MASTER_SECRET)


def test_a_server_without_tls_is_not_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse_tls() -> None:
            for _ in range(1 + len(way.PAUSES)):
                with listener.accept()[0] as client:
                    client.recv(8)
                    client.sendall(b"N")

        threading.Thread(target=refuse_tls, daemon=True).start()
        with pytest.raises(way.BootstrapError, match="localhost does not answer"):
            way.connect(to(listener.getsockname()[1]), MASTER_SECRET)


def test_a_new_instance_that_does_not_answer_yet_is_tried_again(no_pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(way.BootstrapError, match="tenant acme-pay: localhost does not answer"):
        way.connect(to(port), MASTER_SECRET)
    assert no_pauses == list(way.PAUSES)


def test_a_refused_login_is_said_at_once_and_without_the_password(
    server: Server,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_pauses: list[float],
) -> None:
    monkeypatch.setattr(way, "trusted", authority.trusted)
    wrong = {"username": MASTER, "password": "canary-master"}
    with (
        behind_tls(server, authority.issue("localhost", tmp_path)) as port,
        pytest.raises(way.BootstrapError, match="password authentication failed") as refusal,
    ):
        way.connect(to(port), wrong)
    assert "canary-master" not in str(refusal.value)
    assert no_pauses == []


def test_the_roots_are_those_of_the_certificate_authority_that_databases_are_made_with() -> None:

    assert CA_CERTIFICATE == "rds-ca-rsa2048-g1"
    subjects = [c.subject.rfc4514_string() for c in x509.load_pem_x509_certificates(way.ROOTS.read_bytes())]
    assert len(subjects) > 20
    assert all("Root CA RSA2048 G1" in s for s in subjects)
    assert any("eu-west-1" in s for s in subjects)
