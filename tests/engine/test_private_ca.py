"""A cell whose certificates AWS Private CA signs, on the real engine: real certificates, one chain."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import ClientVerifier, PolicyBuilder, Store

from tests.engine.deployed import small
from tests.engine.workspace import Workspace


@pytest.mark.slow
def test_it_comes_up_with_one_chain_and_stays_as_it_is(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    small(space)
    path = space.project / "Pulumi.dev.yaml"
    path.write_text(path.read_text("utf-8") + "  tenantry:privateCa: acm-pca\n", "utf-8")
    run = space.up()
    assert run.status == 0, run.output
    assert space.preview().counts == {}
    found = {
        r["urn"].rsplit("::", 1)[-1]: r["outputs"]["certificate"]
        for r in space.state()
        if r["type"] == "aws:acmpca/certificate:Certificate"
    }
    certificates = {k: x509.load_pem_x509_certificate(str(v).encode()) for k, v in found.items()}
    root, issuing = certificates["ca-root-a-certificate"], certificates["ca-issuing-a-certificate"]
    issuing.verify_directly_issued_by(root)
    for name, certificate in certificates.items():
        if "-server-" in name or "-client-" in name:
            certificate.verify_directly_issued_by(issuing)
    client = certificates["ca-reports-client-certificate-1"]
    assert "reports" in json.dumps(
        [str(n.value) for n in client.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]
    )
    verifier: ClientVerifier = PolicyBuilder().store(Store([root])).build_client_verifier()
    assert len(verifier.verify(client, [issuing]).chain) == 3
