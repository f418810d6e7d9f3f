"""Who signs the private CA's certificates: keys of this program (tls), or AWS Private CA (acm-pca)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import pulumi_tls as tls
from cryptography import x509
from pulumi import Output, ResourceOptions
from pulumi_aws import acmpca

from components.common.waiting import after
from components.services.certificate_expiry import warn_of_end
from plan.services.certificates import CA_CURVE, WARN_DAYS, WARN_ROOT_DAYS, CaPlan, CertificatePlan, Use

CA_USES: Final = ("cert_signing", "crl_signing", "digital_signature")
# AWS Private CA user guide, "Certificate templates", 2026-11.
TEMPLATE: Final = "arn:aws:acm-pca:::template/{}/V1"
LEAF_TEMPLATES: Final = {
    Use.SERVER: "EndEntityServerAuthCertificate",
    Use.CLIENT: "EndEntityClientAuthCertificate",
}
PCA_KEY: Final = "EC_secp384r1"  # as CA_CURVE
PCA_SIGNS: Final = "SHA384WITHECDSA"
DELETION_DAYS: Final = 30  # that a deleted authority can be restored (7 to 30; AWS Private CA, 2026-11)


@dataclass(frozen=True)
class Issuer:
    """A CA that can sign: its certificate, and the key or the ARN that it signs by."""

    certificate: Output[str]
    key: Output[str] | None = None
    arn: Output[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What a signer makes its resources with."""

    name: str
    plan: CaPlan
    stack: str
    child: ResourceOptions
    kept: Callable[[str], ResourceOptions]  # by root: options of what everybody's trust hangs on

    def title(self, role: str) -> str:
        return f"{self.plan.organization} {self.stack} {role}"


class Signer(Protocol):
    def root(self, root: str) -> Issuer: ...

    def issuing(self, root: str, above: Issuer) -> Issuer: ...

    def leaf(self, leaf: CertificatePlan, request: tls.CertRequest, above: Issuer) -> Output[str]:
        """The certificate of a request, signed by the issuing CA."""
        ...


class TlsSigner:
    """Keys are made here, kept as secrets, and protected: who signs is let go only after another signs."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def root(self, root: str) -> Issuer:
        signing, name = self._signing, f"{self._signing.name}-root-{root}"
        key = self._key(name, root)
        certificate = tls.SelfSignedCert(
            f"{name}-certificate",
            private_key_pem=key,
            is_ca_certificate=True,
            max_path_length=1,  # the issuing CA below it, and no CA below that
            set_subject_key_id=True,
            set_authority_key_id=True,
            allowed_uses=CA_USES,
            validity_period_hours=signing.plan.root_hours,
            subject=tls.SelfSignedCertSubjectArgs(
                common_name=signing.title(f"root {root}"), organization=signing.plan.organization
            ),
            opts=signing.kept(root),
        )
        warn_of_end(name, certificate.validity_end_time, WARN_ROOT_DAYS, certificate)
        return Issuer(certificate.cert_pem, key)

    def issuing(self, root: str, above: Issuer) -> Issuer:
        signing, name = self._signing, f"{self._signing.name}-issuing-{root}"
        plan = signing.plan
        key = self._key(name, root)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key,
            subject=tls.CertRequestSubjectArgs(
                common_name=signing.title(f"issuing {root}"), organization=plan.organization
            ),
            opts=signing.child,
        )
        certificate = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=_key_of(above),
            ca_cert_pem=above.certificate,
            is_ca_certificate=True,
            max_path_length=0,
            set_subject_key_id=True,
            allowed_uses=CA_USES,
            validity_period_hours=plan.issuing_hours,
            early_renewal_hours=plan.issuing_renew_hours,
            opts=signing.child,
        )
        warn_of_end(name, certificate.validity_end_time, WARN_DAYS, certificate)
        return Issuer(certificate.cert_pem, key)

    def leaf(self, leaf: CertificatePlan, request: tls.CertRequest, above: Issuer) -> Output[str]:
        name = f"{self._signing.name}-{leaf.name}"
        certificate = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=_key_of(above),
            ca_cert_pem=above.certificate,
            set_subject_key_id=True,
            allowed_uses=leaf.usages,
            validity_period_hours=leaf.valid_hours,
            early_renewal_hours=leaf.renew_hours,
            opts=self._signing.child,
        )
        warn_of_end(name, certificate.validity_end_time, WARN_DAYS, certificate)
        return certificate.cert_pem

    def _key(self, name: str, root: str) -> Output[str]:
        key = tls.PrivateKey(
            f"{name}-private-key", algorithm="ECDSA", ecdsa_curve=CA_CURVE, opts=self._signing.kept(root)
        )
        return key.private_key_pem


def _key_of(issuer: Issuer) -> Output[str]:
    if issuer.key is None:
        raise TypeError("expected a CA of this program's, which has its key")
    return issuer.key


class PcaSigner:
    """Keys never leave AWS's hardware. A certificate lasts as it was issued: a new generation renews it."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def root(self, root: str) -> Issuer:
        plan = self._signing.plan
        return self._authority(f"root-{root}", root, "ROOT", "RootCACertificate", plan.root_hours, None)

    def issuing(self, root: str, above: Issuer) -> Issuer:
        template, hours = "SubordinateCACertificate_PathLen0", self._signing.plan.issuing_hours
        return self._authority(f"issuing-{root}", root, "SUBORDINATE", template, hours, above)

    def _authority(
        self, role: str, root: str, kind: str, template: str, hours: int, above: Issuer | None
    ) -> Issuer:
        """An authority, the certificate that the one above it (or it itself) signs, and the two together."""
        signing, name = self._signing, f"{self._signing.name}-{role}"
        authority = acmpca.CertificateAuthority(
            f"{name}-authority",
            type=kind,
            usage_mode="GENERAL_PURPOSE",
            key_storage_security_standard="FIPS_140_2_LEVEL_3_OR_HIGHER",
            permanent_deletion_time_in_days=DELETION_DAYS,
            certificate_authority_configuration=acmpca.CertificateAuthorityCertificateAuthorityConfigurationArgs(
                key_algorithm=PCA_KEY,
                signing_algorithm=PCA_SIGNS,
                subject=acmpca.CertificateAuthorityCertificateAuthorityConfigurationSubjectArgs(
                    common_name=signing.title(role.replace("-", " ")), organization=signing.plan.organization
                ),
            ),
            revocation_configuration=acmpca.CertificateAuthorityRevocationConfigurationArgs(
                ocsp_configuration=acmpca.CertificateAuthorityRevocationConfigurationOcspConfigurationArgs(
                    enabled=above is not None  # a root is not revoked, it is let go
                )
            ),
            tags={"Name": name},
            opts=signing.kept(root),
        )
        certificate = acmpca.Certificate(
            f"{name}-certificate",
            certificate_authority_arn=above.arn if above and above.arn else authority.arn,
            certificate_signing_request=authority.certificate_signing_request,
            signing_algorithm=PCA_SIGNS,
            template_arn=TEMPLATE.format(template),
            validity=_days(hours),
            opts=signing.child,
        )
        installed = acmpca.CertificateAuthorityCertificate(
            f"{name}-installed",
            certificate_authority_arn=authority.arn,
            certificate=certificate.certificate,
            certificate_chain=certificate.certificate_chain if above else None,
            opts=signing.child,
        )
        warn_of_end(name, _end_of(certificate.certificate), WARN_ROOT_DAYS, certificate)
        # Before its certificate is there it signs nothing.
        return Issuer(certificate.certificate, arn=after(authority.arn, [installed.id]))

    def leaf(self, leaf: CertificatePlan, request: tls.CertRequest, above: Issuer) -> Output[str]:
        signing, name = self._signing, f"{self._signing.name}-{leaf.name}"
        if above.arn is None:
            raise TypeError("expected an authority of AWS's, which has an ARN")
        certificate = acmpca.Certificate(
            f"{name}-certificate-{signing.plan.generation}",
            certificate_authority_arn=above.arn,
            certificate_signing_request=request.cert_request_pem,
            signing_algorithm=PCA_SIGNS,
            template_arn=TEMPLATE.format(LEAF_TEMPLATES[leaf.use]),
            validity=_days(leaf.valid_hours),
            opts=signing.child,
        )
        warn_of_end(name, _end_of(certificate.certificate), WARN_DAYS, certificate)
        return certificate.certificate


def _days(hours: int) -> acmpca.CertificateValidityArgs:
    return acmpca.CertificateValidityArgs(type="DAYS", value=str(hours // 24))


def _end_of(certificate: Output[str]) -> Output[str]:
    """The end of a certificate's validity, as RFC 3339."""
    return certificate.apply(_end)


def _end(pem: str) -> str:
    try:
        end = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        return ""
    return end.astimezone(datetime.UTC).isoformat()


SIGNERS: Final[dict[str, Callable[[Signing], Signer]]] = {"tls": TlsSigner, "acm-pca": PcaSigner}
