"""The private CA when AWS Private CA signs: the same outputs, and no CA key outside its hardware."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from components.services.ca_signing import SIGNERS
from components.services.private_ca import PrivateCa, PrivateCaArgs
from config.settings_fields import SettingsError
from devtools.mocks import Recording
from plan.services.certificates import CaPlan
from plan.settings import parse_settings
from tests.cells import values_of
from tests.components.parts import record, shared
from tests.components.test_private_ca import ca_plan


@cache
def made(kind: str, stack: str = "prod", generation: int = 1) -> tuple[Recording, dict[str, Any]]:
    plan: CaPlan = replace(ca_plan(stack), kind=kind, generation=generation)
    answer: dict[str, Any] = {}

    def program() -> None:
        ca = PrivateCa("ca", PrivateCaArgs(plan=plan, key_arn="arn:ca-key", shared=shared(stack)))
        answer.update(
            secrets=set(ca.secret_arns), servers=set(ca.server_certificate_arns), lists=ca.revocations
        )
        ca.bundle_pem.apply(lambda v: answer.update(bundle=v))

    return record(program, stack), answer


def test_the_rest_of_the_cell_is_given_the_same_by_either() -> None:
    ours, theirs = made("tls")[1], made("acm-pca")[1]
    assert {k: v for k, v in ours.items() if k != "bundle"} == {
        k: v for k, v in theirs.items() if k != "bundle"
    }
    assert theirs["bundle"]


def test_the_root_signs_itself_then_the_issuing_ca_which_signs_the_leaves() -> None:
    recording = made("acm-pca")[0]
    certificates = {c.name: c.inputs for c in recording.of("acmpca/certificate:Certificate")}
    templates = {name: c["templateArn"].split("/")[1] for name, c in certificates.items()}
    assert templates == {
        "ca-root-a-certificate": "RootCACertificate",
        "ca-issuing-a-certificate": "SubordinateCACertificate_PathLen0",
        "ca-monolith-server-certificate-1": "EndEntityServerAuthCertificate",
        "ca-reports-server-certificate-1": "EndEntityServerAuthCertificate",
        "ca-reports-client-certificate-1": "EndEntityClientAuthCertificate",
    }
    signers = {name: c["certificateAuthorityArn"].rsplit(":", 1)[-1] for name, c in certificates.items()}
    assert signers.pop("ca-root-a-certificate") == "ca-root-a-authority"
    assert signers.pop("ca-issuing-a-certificate") == "ca-root-a-authority"
    assert set(signers.values()) == {"ca-issuing-a-authority"}
    kinds = {a.name: a.inputs["type"] for a in recording.of("certificateAuthority:CertificateAuthority")}
    assert kinds == {"ca-root-a-authority": "ROOT", "ca-issuing-a-authority": "SUBORDINATE"}


def test_no_key_of_an_authority_is_made_or_kept() -> None:
    recording = made("acm-pca")[0]
    leaves = {leaf.name for leaf in ca_plan("prod").leaves}
    assert {k.name for k in recording.of("privateKey:PrivateKey")} == {
        f"ca-{x}-private-key-1" for x in leaves
    }
    assert {s.name for s in recording.of("secret:Secret")} == {f"ca-{x}-secret" for x in leaves}
    assert (
        recording.of("selfSignedCert:SelfSignedCert")
        == recording.of("locallySignedCert:LocallySignedCert")
        == []
    )


@pytest.mark.parametrize(("stack", "protected"), [("prod", True), ("dev", False)])
def test_authorities_are_protected_where_data_is(stack: str, protected: bool) -> None:
    authorities = made("acm-pca", stack)[0].of("certificateAuthority:CertificateAuthority")
    assert {a.protect for a in authorities} == {protected}
    assert {a.inputs["permanentDeletionTimeInDays"] for a in authorities} == {30}


def test_a_new_generation_is_a_new_certificate_beside_the_old_ca() -> None:
    before, after = (
        {c.name for c in made("acm-pca", generation=n)[0].of("acmpca/certificate:Certificate")}
        for n in (1, 2)
    )
    assert before & after == {"ca-root-a-certificate", "ca-issuing-a-certificate"}
    assert len(after - before) == len(ca_plan("prod").leaves)


def test_the_setting_names_its_values_and_refuses_a_list_that_nobody_signs() -> None:
    assert set(SIGNERS) == {"tls", "acm-pca"}
    with pytest.raises(SettingsError, match=r"privateCa: .*allowed: tls, acm-pca"):
        parse_settings("dev", values_of("dev") | {"privateCa": "letsencrypt"})
    with pytest.raises(SettingsError, match=r"caRevoked: AWS Private CA revokes by its own command"):
        parse_settings("dev", values_of("dev") | {"privateCa": "acm-pca", "caRevoked": ["1a2b"]})
    assert parse_settings("dev", values_of("dev") | {"privateCa": "acm-pca"}).private_ca == "acm-pca"
