"""The tls plugin makes real keys and certificates: another library's verifier accepts them, or refuses."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sandbox.providers.tls import KINDS

KEY, REQUEST = "tls:index/privateKey:PrivateKey", "tls:index/certRequest:CertRequest"
SELF, SIGNED = "tls:index/selfSignedCert:SelfSignedCert", "tls:index/locallySignedCert:LocallySignedCert"


def make(token: str, **inputs: Any) -> dict[str, Any]:
    kind = KINDS[token]
    given = {**kind.defaults, **inputs}
    assert kind.problems(given) == []
    return {**given, **kind.make(given)}


def new_key() -> dict[str, Any]:
    return make(KEY, algorithm="ECDSA", ecdsaCurve="P256")


def authority() -> tuple[dict[str, Any], dict[str, Any]]:
    key = new_key()
    uses = ["cert_signing", "crl_signing"]
    root = make(
        SELF,
        privateKeyPem=key["privateKeyPem"],
        isCaCertificate=True,
        validityPeriodHours=48,
        allowedUses=uses,
        subject={"commonName": "root"},
    )
    return key, root


def leaf(
    hours: int = 24, host: str = "monolith.internal", **more: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    ca_key, root = authority()
    key = new_key()
    request = make(REQUEST, privateKeyPem=key["privateKeyPem"], subject={"commonName": host}, dnsNames=[host])
    signed = make(
        SIGNED,
        certRequestPem=request["certRequestPem"],
        caCertPem=root["certPem"],
        caPrivateKeyPem=ca_key["privateKeyPem"],
        validityPeriodHours=hours,
        allowedUses=["digital_signature", "server_auth"],
        **more,
    )
    return root, signed


def load(made: dict[str, Any]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made["certPem"].encode())


@pytest.mark.parametrize(
    ("given", "bits"),
    [
        ({"algorithm": "RSA", "rsaBits": 2048}, 2048),
        ({"algorithm": "ECDSA", "ecdsaCurve": "P384"}, 384),
        ({"algorithm": "ED25519"}, None),
    ],
)
def test_keys_are_real(given: dict[str, Any], bits: int | None) -> None:
    made = make(KEY, **given)
    loaded: Any = serialization.load_pem_private_key(made["privateKeyPem"].encode(), None)
    assert bits is None or loaded.key_size == bits
    public = loaded.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode() == made["publicKeyPem"]
    assert make(KEY, **given)["privateKeyPem"] != made["privateKeyPem"]


def test_a_leaf_verifies_under_its_authority_for_its_host() -> None:
    root, signed = leaf()
    verifier = PolicyBuilder().store(Store([load(root)]))
    chain = verifier.build_server_verifier(x509.DNSName("monolith.internal")).verify(load(signed), [])
    assert chain[-1] == load(root)


@pytest.mark.parametrize("host", ["other.internal", "internal"])
def test_a_leaf_does_not_verify_for_another_host(host: str) -> None:
    root, signed = leaf()
    verifier = PolicyBuilder().store(Store([load(root)])).build_server_verifier(x509.DNSName(host))
    with pytest.raises(VerificationError, match="no matching subjectAltName"):
        verifier.verify(load(signed), [])


def test_a_leaf_does_not_verify_under_another_authority() -> None:
    _, signed = leaf()
    other = authority()[1]
    verifier = PolicyBuilder().store(Store([load(other)]))
    with pytest.raises(VerificationError, match="validation failed"):
        verifier.build_server_verifier(x509.DNSName("monolith.internal")).verify(load(signed), [])


def test_uses_and_authority_are_as_asked() -> None:
    root, signed = leaf()
    usage = load(signed).extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    extended = load(signed).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert load(root).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not load(signed).extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_an_early_renewal_is_due_in_time_and_not_before() -> None:
    kind = KINDS[SIGNED]
    assert not kind.due(leaf(hours=24, earlyRenewalHours=1)[1])
    assert kind.due(leaf(hours=24, earlyRenewalHours=25)[1])
    past = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).isoformat()
    assert kind.due({"validityEndTime": past, "earlyRenewalHours": 0})


def test_an_unknown_use_is_refused_with_the_uses_there_are() -> None:
    found = KINDS[SELF].problems({"allowedUses": ["serve"], "validityPeriodHours": 1})
    assert found[0][0] == "allowedUses"
    assert "server_auth" in found[0][1]


def test_an_unknown_algorithm_is_refused() -> None:
    assert KINDS[KEY].problems({"algorithm": "DSA"})[0][0] == "algorithm"
