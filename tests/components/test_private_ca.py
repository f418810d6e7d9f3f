"""The private CA: who signs whom, where keys are, what the rest of the cell is given."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from components.services.private_ca import PrivateCa, PrivateCaArgs
from devtools.mocks import Recording
from plan import plan_cell
from plan.services.certificates import CaPlan
from tests.cells import settings_of
from tests.components.parts import record, registry, secret_free, shared


@dataclass
class Made:
    recording: Recording
    outputs: dict[str, Any]


def ca_plan(stack: str) -> CaPlan:
    return plan_cell(settings_of(stack), registry(stack=stack)).ca


@cache
def made(stack: str = "prod") -> Made:
    outputs: dict[str, Any] = {}

    def program() -> None:
        ca = PrivateCa("ca", PrivateCaArgs(plan=ca_plan(stack), key_arn="arn:ca-key", shared=shared(stack)))
        ca.bundle_pem.apply(lambda v: outputs.update(bundle=v))
        ca.bundle_version.apply(lambda v: outputs.update(version=v))
        for leaf, arn in ca.server_certificate_arns.items():
            arn.apply(lambda v, leaf=leaf: outputs.update({leaf: v}))
        outputs["secrets"] = set(ca.secret_arns)

    return Made(record(program, stack), outputs)


def test_the_root_signs_the_issuing_ca_and_the_issuing_ca_the_leaves() -> None:
    signed = {
        c.name: (c.inputs["caCertPem"], secret_free(c.inputs["caPrivateKeyPem"]))
        for c in made().recording.of("locallySignedCert:LocallySignedCert")
    }
    by_issuing = ("cert-ca-issuing-a-certificate", "canary-key-ca-issuing-a-private-key")
    assert signed.pop("ca-issuing-a-certificate") == (
        "cert-ca-root-a-certificate",
        "canary-key-ca-root-a-private-key",
    )
    assert signed == {f"ca-{leaf.name}-certificate": by_issuing for leaf in ca_plan("prod").leaves}


def test_only_cas_are_cas_and_their_paths_end() -> None:
    recording = made().recording
    root = recording.one("selfSignedCert:SelfSignedCert", "ca-root-a-certificate").inputs
    assert (root["isCaCertificate"], root["maxPathLength"]) == (True, 1)
    for certificate in recording.of("locallySignedCert:LocallySignedCert"):
        is_ca = certificate.name == "ca-issuing-a-certificate"
        assert certificate.inputs.get("isCaCertificate", False) is is_ca
        assert ("cert_signing" in certificate.inputs["allowedUses"]) is is_ca
        assert certificate.inputs.get("maxPathLength") == (0 if is_ca else None)


def test_leaves_name_their_hosts_and_one_use() -> None:
    recording = made().recording
    for leaf in ca_plan("prod").leaves:
        request = recording.one("certRequest:CertRequest", f"ca-{leaf.name}-request").inputs
        certificate = recording.one(
            "locallySignedCert:LocallySignedCert", f"ca-{leaf.name}-certificate"
        ).inputs
        assert request["dnsNames"] == list(leaf.dns_names)
        assert certificate["allowedUses"] == ["digital_signature", leaf.use]
        assert certificate["earlyRenewalHours"] < certificate["validityPeriodHours"]


def test_private_keys_are_secrets_everywhere() -> None:
    """A planted canary stands for each key: it may be seen below the engine's mark of a secret only."""
    seen = [(r.name, r.inputs) for r in made().recording.resources]
    bare = [(name, open_parts(inputs)) for name, inputs in seen]
    assert any("canary-key" in json.dumps(secret_free(inputs)) for _, inputs in seen)
    assert [name for name, inputs in bare if "canary-key" in json.dumps(inputs)] == []


def open_parts(value: Any) -> Any:
    """What anybody sees who may look at the state: secrets left out."""
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "secret"
        return {k: open_parts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [open_parts(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def test_each_key_is_kept_under_the_cas_own_key() -> None:
    recording = made().recording
    secrets = recording.of("secretsmanager/secret:Secret")
    assert {s.inputs["name"] for s in secrets} == {
        f"tenantry/prod/ca/{x}"
        for x in ("root-a", "issuing-a", "monolith-server", "reports-server", "reports-client")
    }
    assert {s.inputs["kmsKeyId"] for s in secrets} == {"arn:ca-key"}
    content = json.loads(
        secret_free(recording.one("secretVersion:SecretVersion", "ca-reports-client-secret-version").inputs)[
            "secretString"
        ]
    )
    assert content == {
        "certificate": "cert-ca-reports-client-certificate",
        "private_key": "canary-key-ca-reports-client-private-key-1",
        "chain": "cert-ca-issuing-a-certificate",
    }


@pytest.mark.parametrize(("stack", "protected"), [("dev", False), ("prod", True)])
def test_the_keys_that_all_trust_hangs_on_are_protected(stack: str, protected: bool) -> None:
    recording = made(stack).recording
    for role in ("root", "issuing"):
        assert recording.one("privateKey:PrivateKey", f"ca-{role}-a-private-key").protect is protected
    assert not recording.one("privateKey:PrivateKey", "ca-reports-client-private-key-1").protect


def test_balancers_get_server_certificates_with_their_chain() -> None:
    found = made()
    imported = found.recording.of("acm/certificate:Certificate")
    assert {i.name for i in imported} == {"ca-monolith-server-imported", "ca-reports-server-imported"}
    assert all(i.inputs["certificateChain"] == "cert-ca-issuing-a-certificate" for i in imported)
    assert found.outputs["monolith-server"].endswith("ca-monolith-server-imported")


def test_the_bundle_holds_both_cas_and_is_read_by_version() -> None:
    found = made()
    assert found.outputs["bundle"] == "cert-ca-root-a-certificatecert-ca-issuing-a-certificate"
    stored = found.recording.one("s3/bucketObjectv2:BucketObjectv2", "ca-bundle-object")
    assert stored.inputs["content"] == found.outputs["bundle"]
    assert found.outputs["version"] == "v-ca-bundle-object"
    assert found.outputs["secrets"] == {leaf.name for leaf in ca_plan("prod").leaves}
