"""The cell's own certificate authority: a root, an issuing CA, and a certificate for each service."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import acm, s3, secretsmanager

from components.bucket import SecureBucket, SecureBucketArgs
from components.database import recovery_days
from components.shared import Shared
from components.waiting import after
from plan.certificates import CA_CURVE, LEAF_CURVE, CaPlan, CertificatePlan, Use

CA_USES = ("cert_signing", "crl_signing", "digital_signature")
BUNDLE = "trust-bundle.pem"


@dataclass(frozen=True, kw_only=True)
class PrivateCaArgs:
    plan: CaPlan
    key_arn: Input[str]  # the CA's own KMS key: it encrypts private keys and nothing else of the cell
    shared: Shared


class PrivateCa(pulumi.ComponentResource):
    """Private keys exist as secrets in the state and in Secrets Manager, under the CA's key."""

    bundle_pem: Output[str]
    bundle_bucket: Output[str]
    bundle_key: Output[str]
    bundle_version: Output[str]
    secret_arns: Mapping[str, Output[str]]  # leaf → secret of {certificate, private_key, chain}
    secret_versions: Mapping[str, Output[str]]  # leaf → its version, another with each renewal
    server_certificate_arns: Mapping[str, Output[str]]  # server leaf → its certificate in ACM
    key_arn: Output[str]

    def __init__(self, name: str, args: PrivateCaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:security:PrivateCa", name, None, opts)
        root = _root(name, args, self)
        issuing = _issuing(name, args, root, self)
        leaves = {
            leaf.name: _leaf(f"{name}-{leaf.name}", leaf, args, issuing, self) for leaf in args.plan.leaves
        }
        self.bundle_pem = Output.concat(root.certificate, issuing.certificate)
        bundle = _bundle(name, args, self.bundle_pem, self)
        self.bundle_bucket, self.bundle_key = bundle.bucket, bundle.key
        self.bundle_version = bundle.version_id
        _keep(f"{name}-root", "root", root, args, self)
        _keep(f"{name}-issuing", "issuing", issuing, args, self)
        kept = {leaf: _keep(f"{name}-{leaf}", leaf, pair, args, self) for leaf, pair in leaves.items()}
        self.secret_arns = {leaf: secret.arn for leaf, secret in kept.items()}
        self.secret_versions = {leaf: secret.version for leaf, secret in kept.items()}
        servers = [leaf.name for leaf in args.plan.leaves if leaf.use is Use.SERVER]
        self.server_certificate_arns = {s: _import(f"{name}-{s}", leaves[s], self).arn for s in servers}
        self.key_arn = Output.from_input(args.key_arn)
        self.register_outputs(
            {
                "bundlePem": self.bundle_pem,
                "bundleVersion": self.bundle_version,
                "serverCertificateArns": self.server_certificate_arns,
            }
        )


@dataclass(frozen=True)
class _Pair:
    """A private key, its certificate, and the certificates between that one and the root."""

    key: Output[str]
    certificate: Output[str]
    chain: Output[str]


@dataclass(frozen=True)
class _Kept:
    """A pair in Secrets Manager; the ARN is known once there is something behind it."""

    arn: Output[str]
    version: Output[str]


def _root(name: str, args: PrivateCaArgs, parent: pulumi.Resource) -> _Pair:
    key = _key(f"{name}-root", CA_CURVE, args, parent)
    certificate = tls.SelfSignedCert(
        f"{name}-root-certificate",
        private_key_pem=key,
        is_ca_certificate=True,
        max_path_length=1,  # the issuing CA below it, and no CA below that
        set_subject_key_id=True,
        set_authority_key_id=True,
        allowed_uses=CA_USES,
        validity_period_hours=args.plan.root_hours,
        subject=tls.SelfSignedCertSubjectArgs(
            common_name=_ca_name(args, "root"), organization=args.plan.organization
        ),
        opts=ResourceOptions(parent=parent, protect=args.shared.settings.protect_data),
    )
    return _Pair(key, certificate.cert_pem, Output.from_input(""))


def _issuing(name: str, args: PrivateCaArgs, root: _Pair, parent: pulumi.Resource) -> _Pair:
    child = ResourceOptions(parent=parent)
    key = _key(f"{name}-issuing", CA_CURVE, args, parent)
    request = tls.CertRequest(
        f"{name}-issuing-request",
        private_key_pem=key,
        subject=tls.CertRequestSubjectArgs(
            common_name=_ca_name(args, "issuing"), organization=args.plan.organization
        ),
        opts=child,
    )
    certificate = tls.LocallySignedCert(
        f"{name}-issuing-certificate",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=root.key,
        ca_cert_pem=root.certificate,
        is_ca_certificate=True,
        max_path_length=0,
        set_subject_key_id=True,
        allowed_uses=CA_USES,
        validity_period_hours=args.plan.issuing_hours,
        early_renewal_hours=args.plan.issuing_renew_hours,
        opts=child,
    )
    return _Pair(key, certificate.cert_pem, Output.from_input(""))


def _leaf(
    name: str, leaf: CertificatePlan, args: PrivateCaArgs, issuing: _Pair, parent: pulumi.Resource
) -> _Pair:
    child = ResourceOptions(parent=parent)
    key = tls.PrivateKey(f"{name}-private-key", algorithm="ECDSA", ecdsa_curve=LEAF_CURVE, opts=child)
    request = tls.CertRequest(
        f"{name}-request",
        private_key_pem=key.private_key_pem,
        dns_names=leaf.dns_names,
        subject=tls.CertRequestSubjectArgs(common_name=leaf.common_name, organization=args.plan.organization),
        opts=child,
    )
    certificate = tls.LocallySignedCert(
        f"{name}-certificate",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=issuing.key,
        ca_cert_pem=issuing.certificate,
        set_subject_key_id=True,
        allowed_uses=leaf.usages,
        validity_period_hours=leaf.valid_hours,
        early_renewal_hours=leaf.renew_hours,
        opts=child,
    )
    return _Pair(key.private_key_pem, certificate.cert_pem, issuing.certificate)


def _key(name: str, curve: str, args: PrivateCaArgs, parent: pulumi.Resource) -> Output[str]:
    """A CA's key is what everybody's trust hangs on, so it is protected like data."""
    key = tls.PrivateKey(
        f"{name}-private-key",
        algorithm="ECDSA",
        ecdsa_curve=curve,
        opts=ResourceOptions(parent=parent, protect=args.shared.settings.protect_data),
    )
    return key.private_key_pem


def _ca_name(args: PrivateCaArgs, role: str) -> str:
    return f"{args.plan.organization} {args.shared.settings.stack} {role} CA"


def _keep(name: str, role: str, pair: _Pair, args: PrivateCaArgs, parent: pulumi.Resource) -> _Kept:
    protect = args.shared.settings.protect_data
    secret = secretsmanager.Secret(
        f"{name}-secret",
        name=args.shared.names.path("secret", "ca", role),
        description=f"Private key and certificate of {role}",
        kms_key_id=args.key_arn,
        recovery_window_in_days=recovery_days(protect),
        opts=ResourceOptions(parent=parent),
    )
    content = {"certificate": pair.certificate, "private_key": pair.key, "chain": pair.chain}
    version = secretsmanager.SecretVersion(
        f"{name}-secret-version",
        secret_id=secret.id,
        secret_string=Output.json_dumps(content),
        opts=ResourceOptions(parent=parent),
    ).version_id
    return _Kept(after(secret.arn, [version]), version)


def _import(name: str, pair: _Pair, parent: pulumi.Resource) -> acm.Certificate:
    """A renewed certificate is imported over the old one: its ARN, and so every listener, stays."""
    return acm.Certificate(
        f"{name}-imported",
        private_key=pair.key,
        certificate_body=pair.certificate,
        certificate_chain=pair.chain,
        tags={"Name": name},
        opts=ResourceOptions(parent=parent),
    )


def _bundle(name: str, args: PrivateCaArgs, pem: Output[str], parent: pulumi.Resource) -> s3.BucketObjectv2:
    """Versioned, since a balancer keeps the version that its trust store was last given."""
    shared = args.shared
    bucket = SecureBucket(
        f"{name}-bundle",
        SecureBucketArgs(
            bucket=shared.names.bucket("trust"),
            key_arn=args.key_arn,
            access_logs_bucket=shared.access_logs_bucket,
            protect=shared.settings.protect_data,
            noncurrent_days=400,
        ),
        opts=ResourceOptions(parent=parent),
    )
    return s3.BucketObjectv2(
        f"{name}-bundle-object",
        bucket=bucket.name,
        key=BUNDLE,
        content=pem,
        content_type="application/x-pem-file",
        kms_key_id=args.key_arn,
        opts=ResourceOptions(parent=parent),
    )
