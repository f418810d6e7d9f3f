"""Rules on load balancers, certificates and domain names.

Sources: Elastic Load Balancing API reference (CreateLoadBalancer, CreateListener) and user guide (two zones,
one balancer a target group); AWS Certificate Manager (ImportCertificate: what a key and a chain must be);
API Gateway developer guide (a custom domain name and its certificate); 2026-11.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sandbox.aws.refusals.network import SUBNET, VPC, known_list, network_of, one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.json_values import items

BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
TARGETS, LISTENER_RULE = "aws:lb/targetGroup:TargetGroup", "aws:lb/listenerRule:ListenerRule"
CERTIFICATE, DOMAIN = "aws:acm/certificate:Certificate", "aws:apigateway/domainName:DomainName"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
BUNDLE: Final = (
    "caCertificatesBundleS3Bucket",
    "caCertificatesBundleS3Key",
    "caCertificatesBundleS3ObjectVersion",
)
SECURE: Final = ("HTTPS", "TLS")


@rule(CREATE, BALANCER, checks=("subnets",))
def check_load_balancer_zones(at: RuleContext) -> Iterator[Refusal]:
    rows = [r for s in known_list(at.inputs.get("subnets")) if (r := one(at, SUBNET, s))]
    zones = [str(r.outputs.get("availabilityZone")) for r in rows]
    if not rows or at.inputs.get("loadBalancerType", "application") != "application":
        return
    if len(set(zones)) < 2:
        words = "At least two subnets in two different Availability Zones must be specified"
        yield Refusal("ValidationError", words, "subnets")
    elif len(zones) != len(set(zones)):
        words = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        yield Refusal("InvalidConfigurationRequest", words, "subnets")


@rule(INPUTS, LISTENER, checks=("certificateArn", "protocol"))
def check_listener_certificate(at: RuleContext) -> Iterator[Refusal]:
    is_secure = at.known("protocol") in SECURE
    if is_secure and at.inputs.get("certificateArn") is None:
        words = f"A certificate must be specified for {at.known('protocol')} listeners"
        yield Refusal("ValidationError", words, "certificateArn")
    if at.known("protocol") in ("HTTP", "TCP") and at.inputs.get("certificateArn") is not None:
        words = "You cannot specify a certificate for HTTP or TCP listeners"
        yield Refusal("InvalidConfigurationRequest", words, "certificateArn")


@rule(INPUTS, TARGETS, checks=("port", "protocol", "vpcId"))
def check_target_group(at: RuleContext) -> Iterator[Refusal]:
    if at.inputs.get("targetType") == "lambda":
        return
    for key, word in (("port", "port"), ("protocol", "protocol"), ("vpcId", "VPC ID")):
        if at.inputs.get(key) is None:
            yield Refusal("ValidationError", f"A {word} must be specified", key)


def _groups(actions: Any) -> list[str]:
    objects = [cast("Mapping[str, Any]", a) for a in items(actions) if isinstance(a, dict)]
    return known_list([a.get("targetGroupArn") for a in objects])


@rule(CREATE, LISTENER, checks=("defaultActions", "loadBalancerArn"))
def check_listener_targets(at: RuleContext) -> Iterator[Refusal]:
    yield from _reachable(at, at.known("loadBalancerArn"), _groups(at.inputs.get("defaultActions")))


@rule(CREATE, LISTENER_RULE, checks=("actions", "listenerArn"))
def check_listener_rule_targets(at: RuleContext) -> Iterator[Refusal]:
    listener = one(at, LISTENER, at.known("listenerArn"))
    if listener:
        yield from _reachable(at, listener.outputs.get("loadBalancerArn"), _groups(at.inputs.get("actions")))


def _reachable(at: RuleContext, balancer: Any, arns: list[str]) -> Iterator[Refusal]:
    row = one(at, BALANCER, balancer)
    subnets = known_list(row.outputs.get("subnets")) if row else []
    network = network_of(at, SUBNET, subnets[0]) if subnets else None
    for arn in arns:
        group = one(at, TARGETS, arn)
        if group is None:
            continue
        if network and group.outputs.get("vpcId") not in (None, network):
            words = f"The following target groups have a different VPC than load balancer '{balancer}': {arn}"
            yield Refusal("InvalidConfigurationRequest", words, "loadBalancerArn")
        if any(other != balancer for other in _balancers_of(at, group)):
            words = (
                f"The following target groups cannot be associated with more than one load balancer: {arn}"
            )
            yield Refusal("TargetGroupAssociationLimit", words, "loadBalancerArn")


def _balancers_of(at: RuleContext, group: Any) -> Iterator[Any]:
    for listener in at.store.users(group, LISTENER):
        if listener.id != at.id:
            yield listener.outputs.get("loadBalancerArn")
    for other in at.store.users(group, LISTENER_RULE):
        listener = one(at, LISTENER, other.outputs.get("listenerArn"))
        if listener and other.id != at.id:
            yield listener.outputs.get("loadBalancerArn")


@rule(CREATE, "aws:lb/trustStore:TrustStore", checks=BUNDLE)
def check_trust_store_bundle(at: RuleContext) -> Iterator[Refusal]:
    bucket, key = at.known(BUNDLE[0]), at.known(BUNDLE[1])
    if not bucket or not key:
        return
    row, version = one(at, OBJECT, f"{bucket}/{key}"), at.known(BUNDLE[2])
    if row is None or (version and version != row.outputs.get("versionId")):
        words = "The specified ca certificate bundle does not exist"
        yield Refusal("CaCertificatesBundleNotFound", words, BUNDLE[1])


# -- certificates


@rule(INPUTS, CERTIFICATE, checks=("certificateBody", "certificateChain", "privateKey"))
def check_imported_certificate(at: RuleContext) -> Iterator[Refusal]:
    """What is imported is a certificate, of the key that comes with it."""
    body, key = at.known("certificateBody"), at.known("privateKey")
    if at.inputs.get("certificateBody") is not None and at.inputs.get("privateKey") is None:
        yield Refusal("ValidationException", "A private key is required with a certificate", "privateKey")
    if at.inputs.get("certificateBody") is None and at.inputs.get("domainName") is None:
        yield Refusal("ValidationException", "A domain name or a certificate is required", "domainName")
    if body is None or key is None:
        return
    from sandbox.aws.pem import belongs, signed_by  # noqa: PLC0415 - a slow import that few runs need

    chain = at.known("certificateChain")
    if chain is not None and not signed_by(str(body), str(chain)):
        words = "Could not validate the certificate with the certificate chain."
        yield Refusal("ValidationException", words, "certificateChain")
    match belongs(str(body), str(key)):
        case None:
            words = "The certificate field or the private key is not in the PEM format."
            yield Refusal("ValidationException", words, "certificateBody")
        case False:
            words = "The certificate and the private key do not match."
            yield Refusal("ValidationException", words, "privateKey")
        case _:
            return


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name is a host's; a star stands for one label."""
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return pattern == name


@rule(CREATE, DOMAIN, checks=("domainName", "regionalCertificateArn"))
def check_domain_certificate(at: RuleContext) -> Iterator[Refusal]:
    certificate, name = one(at, CERTIFICATE, at.known("regionalCertificateArn")), at.known("domainName")
    if certificate is None or name is None or certificate.outputs.get("domainName") is None:
        return
    others = known_list(certificate.outputs.get("subjectAlternativeNames"))
    if not any(covers(p, str(name)) for p in (str(certificate.outputs["domainName"]), *others)):
        words = "The domain name to be created is not covered by the provided certificate."
        yield Refusal("BadRequestException", words, "regionalCertificateArn")


@rule(INPUTS, "aws:apigateway/restApi:RestApi", checks=("body",))
def check_api_body(at: RuleContext) -> Iterator[Refusal]:
    """Import of an OpenAPI file: a text that is none is no API."""
    body = at.known("body")
    if not isinstance(body, str) or UNKNOWN in body:
        return
    try:
        found = json.loads(body)
    except ValueError:
        found = None  # YAML is taken too; the platform writes JSON
    if not isinstance(found, dict) or not {"openapi", "swagger"} & found.keys():
        yield Refusal("BadRequestException", "Invalid OpenAPI input.", "body")


@rule(INPUTS, "aws:route53/record:Record", checks=("records", "ttl", "aliases"))
def check_dns_record(at: RuleContext) -> Iterator[Refusal]:
    has_alias, has_records = at.inputs.get("aliases"), at.inputs.get("records")
    if bool(has_alias) == bool(has_records):
        words = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]"
        yield Refusal("InvalidInput", words, "records")
    if has_records and at.inputs.get("ttl") is None:
        yield Refusal("InvalidInput", "Missing field 'TTL' in Change", "ttl")


@rule(CREATE, "aws:apigatewayv2/vpcLink:VpcLink", checks=("subnetIds",))
def check_vpc_link_subnets(at: RuleContext) -> Iterator[Refusal]:
    rows = [r for s in known_list(at.inputs.get("subnetIds")) if (r := one(at, SUBNET, s))]
    if rows and not one(at, VPC, rows[0].outputs.get("vpcId")):
        yield Refusal("BadRequestException", "Cannot find the VPC of the subnets", "subnetIds")
