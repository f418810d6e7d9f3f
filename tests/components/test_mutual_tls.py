"""The certificates that the program issues, on real sockets: who is let in, and above all who is not.

A stand-in for the monolith's balancer (verify mode: a client certificate below a root of the bundle, and
not revoked) and one for the report service, speaking TLS 1.3 to each other on loopback.
"""

import datetime
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from components.services.certificate_expiry import ends_soon
from components.services.revocation import revocation_list
from plan import plan_cell
from plan.services.certificates import CaPlan
from tests.cells import registry_of, settings_of
from tests.components.parts import registry
from tests.components.real_tls import Authority, Deployed, real_tls
from tests.program.cell import deploy
from tests.waiting import LIMIT


@cache
def plan() -> CaPlan:
    return plan_cell(settings_of("prod"), registry(stack="prod")).ca


@cache
def cell() -> Deployed:
    return Authority(plan()).deploy()


HOST = "monolith.prod.tenantry.internal"
Certificate = Mapping[str, str]


@dataclass(frozen=True)
class Meeting:
    """Who stands at either end, and what each of them trusts."""

    server: Certificate
    client: Certificate | None
    trusted_by_server: str
    trusted_by_client: str
    revoked: str = ""
    host: str = HOST
    heard: list[str] = field(default_factory=list)

    def hold(self, directory: Path) -> str:
        """The version of TLS that both agreed on; raises what either refused with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=self.trusted_by_client)
        if self.client:
            context.load_cert_chain(*_files(directory, "client", self.client))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._serve, args=(listener, self._server_side(directory)))
            thread.start()
            try:
                plain = socket.create_connection(listener.getsockname(), timeout=LIMIT)
                with context.wrap_socket(plain, server_hostname=self.host) as tls:
                    tls.sendall(b"GET /api/data/reports")
                    assert tls.recv(2) == b"ok"
                    return str(tls.version())
            finally:
                thread.join(LIMIT)

    def _server_side(self, directory: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self.trusted_by_server)
        if self.revoked:
            lists = directory / "revoked.pem"
            lists.write_text(self.revoked, encoding="utf-8")
            context.load_verify_locations(cafile=str(lists))
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        context.load_cert_chain(*_files(directory, "server", self.server))
        return context

    def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError), listener.accept()[0] as plain:
            plain.settimeout(LIMIT)
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.recv(64)
                    tls.sendall(b"ok")
            except ssl.SSLError as refusal:
                self.heard.append(str(refusal))


def _files(directory: Path, who: str, certificate: Certificate) -> tuple[Path, Path]:
    chain, key = directory / f"{who}.pem", directory / f"{who}.key"
    chain.write_text(certificate["certificate"] + certificate["chain"], encoding="utf-8")
    key.write_text(certificate["private_key"], encoding="utf-8")
    return chain, key


def meeting(server: Deployed, client: Deployed | None = None) -> Meeting:
    """Between services of two deployments, each with what it was given in its own."""
    client = client or server
    return Meeting(
        server=server.secret("monolith-server"),
        client=client.secret("reports-client"),
        trusted_by_server=server.stored("bundle"),
        trusted_by_client=client.stored("bundle"),
    )


def test_the_report_service_and_the_monolith_meet_over_tls_1_3(tmp_path: Path) -> None:
    assert meeting(cell()).hold(tmp_path) == "TLSv1.3"


# ------------------------------------------------------------------ who is not let in


def another(certificate: Certificate, ca: Certificate, **changes: datetime.datetime) -> Certificate:
    """The same certificate, signed by `ca` with other dates."""
    old = x509.load_pem_x509_certificate(certificate["certificate"].encode())
    issuer = x509.load_pem_x509_certificate(ca["certificate"].encode())
    key = serialization.load_pem_private_key(ca["private_key"].encode(), None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(issuer.subject)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(changes.get("begin", old.not_valid_before_utc))
        .not_valid_after(changes.get("end", old.not_valid_after_utc))
    )
    for extension in old.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    made = builder.sign(key, hashes.SHA384())  # type: ignore[arg-type]
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    return {**certificate, "certificate": pem, "chain": ca["certificate"]}


def serial(certificate: Certificate) -> str:
    found = x509.load_pem_x509_certificate(certificate["certificate"].encode())
    return f"{found.serial_number:x}"


def refused_by_server(held: Meeting, directory: Path) -> str:
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"alert|EOF|reset|Broken pipe"):
        held.hold(directory)
    assert len(held.heard) == 1, "the server must have refused, and said why"
    return held.heard[0]


def test_without_a_client_certificate(tmp_path: Path) -> None:
    held = meeting(cell())
    nobody = Meeting(held.server, None, held.trusted_by_server, held.trusted_by_client)
    assert "peer did not return a certificate" in refused_by_server(nobody, tmp_path)


def test_with_an_expired_one(tmp_path: Path) -> None:
    held = meeting(cell())
    assert held.client is not None
    now = datetime.datetime.now(datetime.UTC)
    dates = {"begin": now - datetime.timedelta(days=91), "end": now - datetime.timedelta(days=1)}
    expired = another(held.client, cell().secret("issuing-a"), **dates)
    late = Meeting(held.server, expired, held.trusted_by_server, held.trusted_by_client)
    assert "certificate has expired" in refused_by_server(late, tmp_path)


def test_with_one_of_another_ca(tmp_path: Path) -> None:
    held, elsewhere = meeting(cell()), Authority(plan()).deploy()
    stranger = Meeting(
        held.server, elsewhere.secret("reports-client"), held.trusted_by_server, held.trusted_by_client
    )
    result = refused_by_server(stranger, tmp_path)
    assert "certificate verify failed" in result or "signature" in result


def test_with_a_certificate_of_a_server(tmp_path: Path) -> None:
    """Of the right CA and for another use: who serves may not call."""
    held = meeting(cell())
    server = Meeting(
        held.server, cell().secret("reports-server"), held.trusted_by_server, held.trusted_by_client
    )
    assert "unsuitable certificate purpose" in refused_by_server(server, tmp_path)


def test_with_a_revoked_one(tmp_path: Path) -> None:
    """The list is the one that a deployment publishes once the serial number is in the settings."""
    authority = Authority(plan())
    before = authority.deploy()
    after = authority.deploy(revoked=(serial(before.secret("reports-client")),))
    held = meeting(before)
    revoked = Meeting(
        held.server,
        held.client,
        held.trusted_by_server,
        held.trusted_by_client,
        revoked=after.stored("revocations-a"),
    )
    assert "certificate revoked" in refused_by_server(revoked, tmp_path)


def test_after_a_revocation_new_keys_are_let_in_by_the_same_list(tmp_path: Path) -> None:
    authority = Authority(plan())
    before = authority.deploy()
    gone = serial(before.secret("reports-client"))
    after = authority.deploy(revoked=(gone,), generation=plan().generation + 1)
    assert after.secret("reports-client")["private_key"] != before.secret("reports-client")["private_key"]
    held = meeting(after)
    renewed = Meeting(
        held.server,
        held.client,
        held.trusted_by_server,
        held.trusted_by_client,
        revoked=after.stored("revocations-a"),
    )
    assert renewed.hold(tmp_path) == "TLSv1.3"


def test_a_server_of_another_name_is_hung_up_on(tmp_path: Path) -> None:
    held = meeting(cell())
    other = Meeting(
        cell().secret("reports-server"), held.client, held.trusted_by_server, held.trusted_by_client
    )
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        other.hold(tmp_path)


def test_a_server_of_another_ca_is_hung_up_on(tmp_path: Path) -> None:
    held, elsewhere = meeting(cell()), Authority(plan()).deploy()
    stranger = Meeting(
        elsewhere.secret("monolith-server"), held.client, held.trusted_by_server, held.trusted_by_client
    )
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get|signature"):
        stranger.hold(tmp_path)


# ------------------------------------------------------------------ changing the root


def test_a_new_root_takes_over_in_stages_and_nobody_is_cut_off_on_the_way(tmp_path: Path) -> None:
    """Services of one stage meet those of the next, in either role: tasks are replaced one by one."""
    authority = Authority(plan())
    stages = [
        authority.deploy(),
        authority.deploy(roots=("a", "b")),
        authority.deploy(signer="b"),
        authority.deploy(roots=("b",)),
    ]
    for old, new in pairwise(stages):
        assert meeting(old, new).hold(tmp_path) == "TLSv1.3"
        assert meeting(new, old).hold(tmp_path) == "TLSv1.3"
    last = stages[-1].stored("bundle")
    assert (
        authority.made["tls:index/selfSignedCert:SelfSignedCert", "ca-root-a-certificate"]["outputs"][
            "certPem"
        ]
        not in last
    )


def test_a_stage_left_out_cuts_services_off(tmp_path: Path) -> None:
    """Which is why the key of the root that signs is protected: the engine refuses to let it go."""
    authority = Authority(plan())
    first = authority.deploy()
    jumped = authority.deploy(roots=("b",), signer="b")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        meeting(first, jumped).hold(tmp_path)
    key = first.recording.one("privateKey:PrivateKey", "ca-root-a-private-key")
    assert key.protect
    assert not [r for r in jumped.recording.resources if r.name == key.name]


def test_the_root_that_no_longer_signs_may_go() -> None:
    authority = Authority(plan())
    authority.deploy(roots=("a", "b"))
    taken_over = authority.deploy(signer="b").recording
    kept = {r.name: r.protect for r in taken_over.of("privateKey:PrivateKey")}
    assert (kept["ca-root-a-private-key"], kept["ca-issuing-a-private-key"]) == (False, False)
    assert (kept["ca-root-b-private-key"], kept["ca-issuing-b-private-key"]) == (True, True)


def test_trusting_another_root_touches_no_certificate_that_is_in_use() -> None:
    authority = Authority(plan())
    before, after = authority.deploy(), authority.deploy(roots=("a", "b"))
    for role in ("root-a", "issuing-a", "monolith-server", "reports-server", "reports-client"):
        assert after.secret(role) == before.secret(role)


# ------------------------------------------------------------------ lists and warnings


def test_one_list_is_always_the_same_list() -> None:
    ca = cell().secret("issuing-a")
    serials = ["a1", "0f3c", "7"]
    one, two = (revocation_list(ca["private_key"], ca["certificate"], s) for s in (serials, serials[::-1]))
    assert one == two
    found = x509.load_pem_x509_crl(one.encode())
    assert sorted(r.serial_number for r in found) == [7, 0xA1, 0x0F3C]
    issuer = x509.load_pem_x509_certificate(ca["certificate"].encode())
    assert found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def test_without_anything_revoked_there_is_no_list() -> None:
    assert not [r for r in cell().recording.resources if "revocations" in r.name]


def test_the_monoliths_trust_store_is_given_the_list_of_each_ca() -> None:
    settings = replace(settings_of("dev"), ca_roots=("a", "b"), ca_revoked=("0a1b",))
    with real_tls({}):
        found = deploy(plan_cell(settings, registry_of("dev")))
    lists = {r.name: r.inputs for r in found.of("trustStoreRevocation:TrustStoreRevocation")}
    assert set(lists) == {"monolith-revoked-a", "monolith-revoked-b"}
    for root in ("a", "b"):
        given = lists[f"monolith-revoked-{root}"]
        assert given["revocationsS3Key"] == f"revocations-{root}.pem"
        assert given["revocationsS3ObjectVersion"] == f"v-ca-revocations-{root}-object"


NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("2026-12-23T12:00:01Z", None),
        ("2026-12-23T11:59:59Z", "ends in 29 days, on 2026-12-23"),
        ("2026-11-24T11:00:00+00:00", "ends in 0 days, on 2026-11-24"),
        ("2026-11-23T11:00:00Z", "has ended, on 2026-11-23"),
    ],
)
def test_a_certificate_that_ends_soon_is_named(end: str, message: str | None) -> None:
    text = ends_soon("ca-reports-client", end, 30, NOW)
    assert text == (message and f"certificate ca-reports-client {message}; see docs/runbooks/private-ca.md")


def test_a_preview_warns_of_each_certificate_that_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(
        "components.services.certificate_expiry.pulumi.log.warn", lambda text, _: warned.append(text)
    )
    Authority(plan()).deploy()
    assert warned == []
    leaves = [replace(x, valid_hours=20 * 24, renew_hours=1) for x in plan().leaves]
    Authority(plan()).deploy(leaves=tuple(x for x in leaves if x.name == "reports-client"))
    assert [w.split(",")[0] for w in warned] == ["certificate ca-reports-client ends in 19 days"]
