"""A certificate of a public CA, for names that the internet and API Gateway must trust."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import acm, route53


@dataclass(frozen=True, kw_only=True)
class PublicCertificateArgs:
    host: str
    zone_id: Input[str]


class PublicCertificate(pulumi.ComponentResource):
    """Validated through DNS; ACM renews it by itself as long as the record stands."""

    arn: Output[str]  # known once the certificate is valid

    def __init__(self, name: str, args: PublicCertificateArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:security:PublicCertificate", name, None, opts)
        child = ResourceOptions(parent=self)
        certificate = acm.Certificate(
            f"{name}-certificate",
            domain_name=args.host,
            validation_method="DNS",
            key_algorithm="EC_prime256v1",
            options=acm.CertificateOptionsArgs(certificate_transparency_logging_preference="ENABLED"),
            tags={"Name": args.host},
            opts=child,
        )
        proof = certificate.domain_validation_options[0]  # one host, one proof
        record = route53.Record(
            f"{name}-proof",
            zone_id=args.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            allow_overwrite=True,  # the same host asks for the same record each time
            opts=child,
        )
        validation = acm.CertificateValidation(
            f"{name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=child,
        )
        self.arn = validation.certificate_arn
        self.register_outputs({"arn": self.arn})
