"""The cell's private certificate authority: a root, an issuing CA, and a certificate per service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import acm, s3, secretsmanager

from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.context import CellContext
from components.common.json_text import json_text
from components.data.database import recovery_days
from components.services.ca_signing import SIGNERS, Issuer, Signer, Signing
from components.services.revocation import revocation_list
from plan.services.certificates import LEAF_CURVE, CaPlan, CertificatePlan, Use

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
    shared: CellContext


class PrivateCa(pulumi.ComponentResource):
    """Private keys exist as secrets in the state and in Secrets Manager, under the CA's key.

    Where AWS Private CA signs (`plan.kind`), those of the authorities exist in its hardware alone.

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
        plan = args.plan
        signing = Signing(
            name=name, plan=plan, stack=args.shared.settings.stack, child=self._child, kept=self._kept
        )
        signer = SIGNERS[plan.kind](signing)
        roots = {root: signer.root(root) for root in plan.roots}
        issuing = {root: signer.issuing(root, above) for root, above in roots.items()}
        leaves = {leaf.name: self._leaf(leaf, signer, issuing[plan.signer]) for leaf in plan.leaves}
        self._publish(roots, issuing)
        for role, issuers in (("root", roots), ("issuing", issuing)):
            for root, issuer in issuers.items():
                if issuer.key is not None:
                    self._keep(f"{role}-{root}", Pair(issuer.key, issuer.certificate, Output.from_input("")))
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

    def _leaf(self, leaf: CertificatePlan, signer: Signer, issuing: Issuer) -> Pair:
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
        return Pair(key.private_key_pem, signer.leaf(leaf, request, issuing), issuing.certificate)

    def _kept(self, root: str) -> ResourceOptions:
        """What everybody's trust hangs on is protected like data, for as long as it signs."""
        signs = root == self._args.plan.signer
        return ResourceOptions(parent=self, protect=signs and self._args.shared.settings.protect_data)

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
            secret_string=json_text(content),
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

    def _publish(self, roots: Mapping[str, Issuer], issuing: Mapping[str, Issuer]) -> None:
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
        self.revocations = {
            root: self._revoke(root, ca.key, ca.certificate, bucket)
            for root, ca in issuing.items()
            if args.plan.revoked and ca.key is not None
        }

    def _revoke(
        self, root: str, key: Output[str], certificate: Output[str], bucket: SecureBucket
    ) -> Revocations:
        """Each CA signs the whole list: serial numbers are random, so one CA's mean nothing to another."""
        signed = Output.all(key=key, certificate=certificate).apply(
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
