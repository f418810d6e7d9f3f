"""The cell's own certificate authority: a root, an issuing CA, and a certificate for each service."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import acm, s3, secretsmanager

from components.bucket import SecureBucket, SecureBucketArgs
from components.database import recovery_days
from components.expiry import warn_of_end
from components.revocation import revocation_list
from components.shared import Shared
from plan.certificates import (
    CA_CURVE,
    LEAF_CURVE,
    WARN_DAYS,
    WARN_ROOT_DAYS,
    CaPlan,
    CertificatePlan,
    Use,
)

CA_USES = ("cert_signing", "crl_signing", "digital_signature")
BUNDLE = "trust-bundle.pem"


@dataclass(frozen=True)
class Pair:
    """A private key, its certificate, and the certificates between that one and the root."""

    key: Output[str]
    certificate: Output[str]
    chain: Output[str]


@dataclass(frozen=True)
class Revocations:
    """Where one CA's list of revoked certificates is, for the trust stores of balancers."""

    bucket: Output[str]
    key: Output[str]
    version: Output[str]


@dataclass(frozen=True, kw_only=True)
class PrivateCaArgs:
    plan: CaPlan
    key_arn: Input[str]  # the CA's own KMS key: it encrypts private keys and nothing else of the cell
    shared: Shared


class PrivateCa(pulumi.ComponentResource):
    """Private keys exist as secrets in the state and in Secrets Manager, under the CA's key.

    Every root of the plan is trusted and one of them signs. The keys that sign are protected, so that a
    root can only be let go after another one has taken over, whatever the settings say.
    """

    bundle_pem: Output[str]  # every trusted root and its issuing CA
    bundle_bucket: Output[str]
    bundle_key: Output[str]
    bundle_version: Output[str]
    revocations: Mapping[str, Revocations]  # by root; none where nothing is revoked
    secret_arns: Mapping[str, Output[str]]  # leaf → secret of {certificate, private_key, chain}
    secret_versions: Mapping[str, Output[str]]  # leaf → its version, another with each renewal
    server_certificate_arns: Mapping[str, Output[str]]  # server leaf → its certificate in ACM
    key_arn: Output[str]

    def __init__(self, name: str, args: PrivateCaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:security:PrivateCa", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        roots = {root: self._root(root) for root in args.plan.roots}
        issuing = {root: self._issuing(root, pair) for root, pair in roots.items()}
        leaves = {leaf.name: self._leaf(leaf, issuing[args.plan.signer]) for leaf in args.plan.leaves}
        self._publish(roots, issuing)
        for role, pairs in (("root", roots), ("issuing", issuing)):
            for root, pair in pairs.items():
                self._keep(f"{role}-{root}", pair)
        kept = {leaf: self._keep(leaf, pair) for leaf, pair in leaves.items()}
        # Of what is written: known once there is something to read (a secret's id is its ARN).
        self.secret_arns = {leaf: version.secret_id for leaf, version in kept.items()}
        self.secret_versions = {leaf: version.version_id for leaf, version in kept.items()}
        servers = [leaf.name for leaf in args.plan.leaves if leaf.use is Use.SERVER]
        self.server_certificate_arns = {s: self._import(s, leaves[s]) for s in servers}
        self.key_arn = Output.from_input(args.key_arn)
        self.register_outputs(
            {
                "bundlePem": self.bundle_pem,
                "bundleVersion": self.bundle_version,
                "serverCertificateArns": self.server_certificate_arns,
            }
        )

    def _root(self, root: str) -> Pair:
        plan, name = self._args.plan, f"{self._name}-root-{root}"
        key = self._ca_key(name, root)
        certificate = tls.SelfSignedCert(
            f"{name}-certificate",
            private_key_pem=key,
            is_ca_certificate=True,
            max_path_length=1,  # the issuing CA below it, and no CA below that
            set_subject_key_id=True,
            set_authority_key_id=True,
            allowed_uses=CA_USES,
            validity_period_hours=plan.root_hours,
            subject=tls.SelfSignedCertSubjectArgs(
                common_name=self._ca_name(f"root {root}"), organization=plan.organization
            ),
            opts=self._kept(root),
        )
        warn_of_end(name, certificate.validity_end_time, WARN_ROOT_DAYS, certificate)
        return Pair(key, certificate.cert_pem, Output.from_input(""))

    def _issuing(self, root: str, signer: Pair) -> Pair:
        plan, name = self._args.plan, f"{self._name}-issuing-{root}"
        key = self._ca_key(name, root)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key,
            subject=tls.CertRequestSubjectArgs(
                common_name=self._ca_name(f"issuing {root}"), organization=plan.organization
            ),
            opts=self._child,
        )
        certificate = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=signer.key,
            ca_cert_pem=signer.certificate,
            is_ca_certificate=True,
            max_path_length=0,
            set_subject_key_id=True,
            allowed_uses=CA_USES,
            validity_period_hours=plan.issuing_hours,
            early_renewal_hours=plan.issuing_renew_hours,
            opts=self._child,
        )
        warn_of_end(name, certificate.validity_end_time, WARN_DAYS, certificate)
        return Pair(key, certificate.cert_pem, Output.from_input(""))

    def _leaf(self, leaf: CertificatePlan, issuing: Pair) -> Pair:
        """The generation is in the key's name alone: a new key is certified in the old one's place."""
        plan, name = self._args.plan, f"{self._name}-{leaf.name}"
        key = tls.PrivateKey(
            f"{name}-private-key-{plan.generation}",
            algorithm="ECDSA",
            ecdsa_curve=LEAF_CURVE,
            opts=self._child,
        )
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            dns_names=leaf.dns_names,
            subject=tls.CertRequestSubjectArgs(common_name=leaf.common_name, organization=plan.organization),
            opts=self._child,
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
            opts=self._child,
        )
        warn_of_end(name, certificate.validity_end_time, WARN_DAYS, certificate)
        return Pair(key.private_key_pem, certificate.cert_pem, issuing.certificate)

    def _ca_key(self, name: str, root: str) -> Output[str]:
        key = tls.PrivateKey(
            f"{name}-private-key", algorithm="ECDSA", ecdsa_curve=CA_CURVE, opts=self._kept(root)
        )
        return key.private_key_pem

    def _kept(self, root: str) -> ResourceOptions:
        """What everybody's trust hangs on is protected like data, for as long as it signs."""
        signs = root == self._args.plan.signer
        return ResourceOptions(parent=self, protect=signs and self._args.shared.settings.protect_data)

    def _ca_name(self, role: str) -> str:
        return f"{self._args.plan.organization} {self._args.shared.settings.stack} {role}"

    def _keep(self, role: str, pair: Pair) -> secretsmanager.SecretVersion:
        args, name = self._args, f"{self._name}-{role}"
        secret = secretsmanager.Secret(
            f"{name}-secret",
            name=args.shared.names.path("secret", "ca", role),
            description=f"Private key and certificate of {role}",
            kms_key_id=args.key_arn,
            recovery_window_in_days=recovery_days(args.shared.settings.protect_data),
            opts=self._child,
        )
        content = {"certificate": pair.certificate, "private_key": pair.key, "chain": pair.chain}
        return secretsmanager.SecretVersion(
            f"{name}-secret-version",
            secret_id=secret.id,
            secret_string=Output.json_dumps(content),
            opts=self._child,
        )

    def _import(self, leaf: str, pair: Pair) -> Output[str]:
        """A renewed certificate is imported over the old one: its ARN, and so every listener, stays."""
        return acm.Certificate(
            f"{self._name}-{leaf}-imported",
            private_key=pair.key,
            certificate_body=pair.certificate,
            certificate_chain=pair.chain,
            tags={"Name": leaf},
            opts=self._child,
        ).arn

    def _publish(self, roots: Mapping[str, Pair], issuing: Mapping[str, Pair]) -> None:
        """Versioned, since a balancer keeps the version that its trust store was last given."""
        args, shared = self._args, self._args.shared
        bucket = SecureBucket(
            f"{self._name}-bundle",
            SecureBucketArgs(
                bucket=shared.names.bucket("trust"),
                key_arn=args.key_arn,
                access_logs_bucket=shared.access_logs_bucket,
                protect=shared.settings.protect_data,
                noncurrent_days=400,
            ),
            self._child,
        )
        self.bundle_pem = Output.concat(*(p.certificate for p in (*roots.values(), *issuing.values())))
        bundle = self._object("bundle", bucket, BUNDLE, self.bundle_pem)
        self.bundle_bucket, self.bundle_key = bundle.bucket, bundle.key
        self.bundle_version = bundle.version_id
        self.revocations = {r: self._revoke(r, ca, bucket) for r, ca in issuing.items() if args.plan.revoked}

    def _revoke(self, root: str, ca: Pair, bucket: SecureBucket) -> Revocations:
        """Each CA signs the whole list: serial numbers are random, so one CA's mean nothing to another."""
        signed = Output.all(key=ca.key, certificate=ca.certificate).apply(
            lambda found: revocation_list(found["key"], found["certificate"], self._args.plan.revoked)
        )
        # Of the secret key only a signature is in it, and whoever asks may read the list.
        content = Output.unsecret(signed)
        stored = self._object(f"revocations-{root}", bucket, f"revocations-{root}.pem", content)
        return Revocations(stored.bucket, stored.key, stored.version_id)

    def _object(self, role: str, bucket: SecureBucket, key: str, content: Output[str]) -> s3.BucketObjectv2:
        return s3.BucketObjectv2(
            f"{self._name}-{role}-object",
            bucket=bucket.name,
            key=key,
            content=content,
            content_type="application/x-pem-file",
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )
