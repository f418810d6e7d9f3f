"""Rules on encryption in transit, with TLS versions that are still good."""

from collections.abc import Mapping
from typing import Any, Final

from iam.documents import DocumentError, Statement
from policies.checks import all_of, any_of, at_least, companion, each, matches, one_of, value, when
from policies.control_ids import TRANSIT
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail
from policies.plan_documents import policy_documents
from policies.rule import Check, Made, Ref, Rule
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, example

LISTENER: Final = "aws:lb/listener:Listener"
TARGETS: Final = "aws:lb/targetGroup:TargetGroup"
PARAMETERS: Final = "aws:rds/parameterGroup:ParameterGroup"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
# Policies that offer TLS 1.3 and nothing before 1.2, strong ciphers only (ELB user guide, "Security
# policies", 2026-11): …-TLS13-1-3-…, …-TLS13-1-2-Res-…, and their FIPS twins.
_MODERN: Final = r"ELBSecurityPolicy-TLS13-1-(3|2-Res)(-FIPS)?-\d{4}-\d{2}(-.*)?"
_API_TLS: Final = ("TLS_1_2", "SecurityPolicy_TLS13_1_3_2025_09", "SecurityPolicy_TLS13_1_2_2021_06")


def _redirects(resource: Resource, _plan: Plan) -> Verdict:
    actions: Any = resource.get("defaultActions", ())
    if actions is UNKNOWN:
        return cannot_tell("defaultActions is not known before the update")
    to = [a.get("redirect", {}).get("protocol") for a in actions if a.get("type") == "redirect"]
    return PASS if to and all(p == "HTTPS" for p in to) else fail("protocol HTTP does not lead to HTTPS")


def _denies_plain(statement: Statement) -> bool:
    """Whether a statement refuses everybody who comes without TLS."""
    return (
        not statement.allow
        and "*" in statement.principals.get("AWS", ())
        and any("false" in values for _, values in statement.condition_values("aws:SecureTransport"))
    )


def tls_only(resource: Resource, _plan: Plan) -> Verdict:
    """A policy that the resource holds refuses whoever comes without TLS."""
    try:
        documents = list(policy_documents(resource, "resource"))
    except DocumentError as wrong:
        return fail(f"its policy cannot be read: {wrong}")
    if any(d.statements is not None and any(map(_denies_plain, d.statements)) for d in documents):
        return PASS
    unknown = [d.path for d in documents if d.statements is None]
    if unknown:
        return cannot_tell(f"{unknown[0]} is not known before the update")
    return fail("no statement denies requests without TLS (aws:SecureTransport is false)")


def _own_or(kind: str, path: str) -> Check:
    """The resource's own policy, or the one that another resource gives it."""
    return any_of(tls_only, companion(kind, path, tls_only))


def _parameter(name: str, right: str) -> Check:
    def check(resource: Resource, plan: Plan) -> Verdict:
        wrong: list[Verdict] = []

        def one(parameter: Mapping[str, Any], place: str) -> Verdict:
            if parameter.get("name") == name:
                given = str(parameter.get("value"))
                wrong.append(
                    PASS if given == right else fail(f"{place}: {name} is {given}, expected {right}")
                )
            return PASS

        seen = each("parameters", one)(resource, plan)
        return wrong[0] if wrong else seen if seen is not PASS else fail(f"{name} is not set to {right}")

    return check


_POSTGRES: Final = matches("family", r"(aurora-)?postgres.*", "a family of PostgreSQL")
_FAMILY: Final = {"family": "postgres17"}
_DENY: Final = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"%s:*",'
    '"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'
)
_POLICY: Final = '{"Version":"2012-10-17","Statement":[]}'
_TOPIC: Final = "aws:sns/topic:Topic"
_QUEUE: Final = "aws:sqs/queue:Queue"
_DOMAIN: Final = "aws:apigateway/domainName:DomainName"
_NAME: Final = {
    "domainName": "api.example.com",
    "regionalCertificateArn": f"arn:aws:acm:eu-west-1:111122223333:certificate/{'0' * 8}",
    "endpointConfiguration": {"types": "REGIONAL"},
}
_LISTENER: Final = {
    "loadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/example/0",
    "port": 443,
    "defaultActions": [{"type": "fixed-response", "fixedResponse": {"contentType": "text/plain"}}],
}
_RES: Final = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_TOPIC_ARN: Final = "arn:aws:sns:eu-west-1:111122223333:example"

RULES: Final = (
    Rule(
        id="listener-tls",
        title="Load balancers speak TLS 1.3, or 1.2 with strong ciphers",
        types=(LISTENER,),
        check=when(
            one_of("protocol", "HTTP"),
            _redirects,
            all_of(one_of("protocol", "HTTPS", "TLS"), matches("sslPolicy", _MODERN, _RES)),
        ),
        remedy=f"Set `protocol` to HTTPS and `sslPolicy` to {_RES}.",
        controls=TRANSIT,
        good=example(LISTENER, {**_LISTENER, "protocol": "HTTPS", "sslPolicy": _RES}),
        bad=example(LISTENER, {**_LISTENER, "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"}),
    ),
    Rule(
        id="targets-tls",
        title="Load balancers reach their targets by TLS",
        types=(TARGETS,),
        check=when(one_of("targetType", "lambda"), lambda _r, _p: PASS, one_of("protocol", "HTTPS", "TLS")),
        remedy="Set `protocol` to HTTPS.",
        controls=TRANSIT,
        good=example(TARGETS, {"port": 8443, "protocol": "HTTPS", "targetType": "ip", "vpcId": "vpc-0"}),
        bad=example(TARGETS, {"port": 8080, "protocol": "HTTP", "targetType": "ip", "vpcId": "vpc-0"}),
    ),
    Rule(
        id="api-tls",
        title="The API speaks TLS 1.2 or later",
        types=(_DOMAIN,),
        check=one_of("securityPolicy", *_API_TLS),
        remedy="Set `securityPolicy` to TLS_1_2.",
        controls=TRANSIT,
        good=example(_DOMAIN, {**_NAME, "securityPolicy": "TLS_1_2"}),
        bad=example(_DOMAIN, {**_NAME, "securityPolicy": "TLS_1_0"}),
    ),
    Rule(
        id="database-tls",
        title="Databases refuse connections without TLS",
        types=(PARAMETERS,),
        check=when(_POSTGRES, _parameter("rds.force_ssl", "1")),
        remedy="Set the parameter rds.force_ssl to 1.",
        controls=TRANSIT,
        good=example(PARAMETERS, {**_FAMILY, "parameters": [{"name": "rds.force_ssl", "value": "1"}]}),
        bad=example(PARAMETERS, {**_FAMILY, "parameters": [{"name": "rds.force_ssl", "value": "0"}]}),
    ),
    Rule(
        id="database-certificate",
        title="Databases use certificates of the current RDS CA, RSA 2048 or better",
        types=("aws:rds/instance:Instance",),
        check=one_of(
            *("caCertIdentifier", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"),
            default="rds-ca-rsa2048-g1",
        ),
        remedy="Set `caCertIdentifier` to rds-ca-rsa2048-g1.",
        controls=TRANSIT,
        good=example(
            "aws:rds/instance:Instance",
            {"instanceClass": "db.t4g.medium", "caCertIdentifier": "rds-ca-rsa2048-g1"},
        ),
        bad=example(
            "aws:rds/instance:Instance", {"instanceClass": "db.t4g.medium", "caCertIdentifier": "rds-ca-2019"}
        ),
    ),
    Rule(
        id="bucket-tls",
        title="Buckets refuse requests without TLS",
        types=(BUCKET_TYPE,),
        check=companion(BUCKET_POLICY, "bucket", tls_only),
        remedy="Deny s3:* where aws:SecureTransport is false (components.common.bucket.SecureBucket does).",
        controls=TRANSIT,
        whole_plan=True,
        good=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            after=(Made(BUCKET_POLICY, "policy", {"bucket": Ref("it", "id"), "policy": _DENY % "s3"}),),
        ),
        bad=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            after=(Made(BUCKET_POLICY, "policy", {"bucket": Ref("it", "id"), "policy": _POLICY}),),
        ),
    ),
    Rule(
        id="topic-tls",
        title="Topics refuse messages without TLS",
        types=(_TOPIC,),
        check=_own_or("aws:sns/topicPolicy:TopicPolicy", "arn"),
        remedy="Deny sns:Publish where aws:SecureTransport is false.",
        controls=TRANSIT,
        whole_plan=True,
        good=example(_TOPIC, {"policy": _DENY % "sns"}),
        bad=example(_TOPIC, {}),
    ),
    Rule(
        id="queue-tls",
        title="Queues refuse messages without TLS",
        types=(_QUEUE,),
        check=_own_or("aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
        remedy="Deny sqs:* where aws:SecureTransport is false.",
        controls=TRANSIT,
        whole_plan=True,
        good=example(_QUEUE, {"policy": _DENY % "sqs"}),
        bad=example(_QUEUE, {}),
    ),
    Rule(
        id="subscription-tls",
        title="Notifications go by HTTPS, never by plain HTTP",
        types=(_SUBSCRIPTION,),
        check=value("protocol", lambda v: v != "http", "any other than http"),
        remedy="Set `protocol` to https.",
        controls=TRANSIT,
        good=example(
            _SUBSCRIPTION, {"topic": _TOPIC_ARN, "protocol": "https", "endpoint": "https://a.example/"}
        ),
        bad=example(
            _SUBSCRIPTION, {"topic": _TOPIC_ARN, "protocol": "http", "endpoint": "http://a.example/"}
        ),
    ),
    Rule(
        id="topic-signature",
        title="Notifications are signed with SHA-256",
        types=(_TOPIC,),
        check=at_least("signatureVersion", 2, default=1),
        remedy="Set `signatureVersion` to 2; 1 is SHA-1.",
        controls=TRANSIT,
        good=example(_TOPIC, {"signatureVersion": 2}),
        bad=example(_TOPIC, {"signatureVersion": 1}),
    ),
)
