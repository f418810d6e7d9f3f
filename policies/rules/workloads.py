"""Rules on workloads: images by digest, hardened tasks, restricted callers."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from policies.checks import all_of, companion, is_false, is_true, one_of, value, when
from policies.control_ids import API, HARDENING, SUPPLY
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Check, Made, Ref, Rule, Severity
from policies.rules.example_builders import example

TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION: Final = "aws:lambda/function:Function"
HOST: Final = "aws:ec2/instance:Instance"
TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
REPOSITORY: Final = "aws:ecr/repository:Repository"
BY_DIGEST: Final = re.compile(r".+@sha256:[0-9a-f]{64}")
API_TYPE: Final = "aws:apigateway/restApi:RestApi"
STAGE: Final = "aws:apigateway/stage:Stage"
_METADATA: Final = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
# Methods of an OpenAPI document's paths; what else stands beside them is no operation.
_METHODS: Final = frozenset(
    {"get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method"}
)


def containers(test: Check) -> Check:
    """Every container of a task passes a check, which is given it as a resource."""

    def check(resource: Resource, plan: Plan) -> Verdict:
        text = resource.get("containerDefinitions")
        if text is UNKNOWN:
            return cannot_tell("containerDefinitions is not known before the update")
        try:
            found = cast("list[dict[str, Any]]", json.loads(str(text)))
        except ValueError:
            return fail("containerDefinitions is not JSON")
        return worst(_in(c, test(Resource(resource.urn, "container", c), plan)) for c in found)

    return check


def _in(container: Mapping[str, Any], verdict: Verdict) -> Verdict:
    return Verdict(verdict.outcome, f"container {container.get('name', '?')}: {verdict.why}")


_DIGEST: Final = value("image", lambda v: bool(BY_DIGEST.fullmatch(str(v))), "an image by digest, …@sha256:…")
_NOT_ROOT: Final = value(
    "user", lambda v: str(v).split(":")[0] not in ("", "0", "root"), "a user that is not root"
)


def _plain_secrets(resource: Resource, _plan: Plan) -> Verdict:
    """No variable whose name says that it is a secret has a value for all to read, but an ARN."""
    names = [
        v.get("name", "")
        for v in cast("list[Mapping[str, str]]", resource.get("environment", ()))
        if re.search(
            r"(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY)(?!_?(ARN|ID|NAME|URL|PATH))", v.get("name", "")
        )
        and not str(v.get("value", "")).startswith("arn:")
    ]
    return fail(f"{', '.join(names)} stands in the environment, expected `secrets`") if names else PASS


def _operations(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    paths = cast("Mapping[str, Mapping[str, Mapping[str, Any]]]", body.get("paths") or {})
    for path, item in paths.items():
        for method, operation in item.items():
            if method.lower() in _METHODS:
                yield f"{method.upper()} {path}", operation


def _authorised(resource: Resource, _plan: Plan) -> Verdict:
    """Every operation of the API asks who calls."""
    text = resource.get("body")
    if text is None:
        return PASS  # its methods are resources of their own
    if text is UNKNOWN:
        return cannot_tell("body is not known before the update")
    try:
        body = cast("dict[str, Any]", json.loads(str(text)))
    except ValueError:
        return fail("body is not JSON")
    everywhere = body.get("security")
    free = [where for where, o in _operations(body) if not o.get("security", everywhere)]
    return fail(f"{', '.join(free)} asks nobody who they are (security)") if free else PASS


def _task(**container: object) -> dict[str, object]:
    given = {"name": "app", "image": _IMAGE, "readonlyRootFilesystem": True, "user": "10001", **container}
    return {
        "family": "example",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "containerDefinitions": json.dumps([given]),
    }


_IMAGE: Final = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/example@sha256:{'0' * 64}"
_TAGGED: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/example:latest"
_ROLE: Final = {"role": "arn:aws:iam::111122223333:role/example", "packageType": "Image"}
_AMI: Final = {"ami": "ami-0123456789abcdef0", "instanceType": "t4g.small"}
_V2: Final = one_of("metadataOptions.httpTokens", "required")
_METHOD: Final = "aws:apigateway/method:Method"
_METHOD_INPUTS: Final = {"restApi": "a1b2c3", "resourceId": "r", "httpMethod": "GET"}
_WEB: Final = "aws:wafv2/webAclAssociation:WebAclAssociation"
_STAGE_INPUTS: Final = {"restApi": "a1b2c3", "stageName": "v1", "deployment": "d4e5f6"}
_ACL_ARN: Final = (
    "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/example/00000000-0000-0000-0000-000000000000"
)


def _api(security: object) -> dict[str, str]:
    return {"body": json.dumps({"openapi": "3.0.1", "paths": {"/reports": {"get": {"security": security}}}})}


def _settings_verdict(resource: Resource, _plan: Plan) -> Verdict:
    """Container insights on, by whichever value."""
    found = [s.get("value") for s in resource.get("settings", ()) if s.get("name") == "containerInsights"]
    return PASS if found and found[0] in ("enabled", "enhanced") else fail("containerInsights is not enabled")


RULES: Final = (
    Rule(
        id="image-by-digest",
        title="Images are named by digest: what runs is what was scanned",
        types=(TASK,),
        check=containers(_DIGEST),
        remedy="Name the image as …@sha256:… in the stack's settings.",
        controls=SUPPLY,
        good=example(TASK, _task()),
        bad=example(TASK, _task(image=_TAGGED)),
    ),
    Rule(
        id="function-image-by-digest",
        title="Functions' images are named by digest",
        types=(FUNCTION,),
        check=when(
            one_of("packageType", "Image"),
            value("imageUri", lambda v: bool(BY_DIGEST.fullmatch(str(v))), "an image by digest, …@sha256:…"),
        ),
        remedy="Name the image as …@sha256:….",
        controls=SUPPLY,
        good=example(FUNCTION, {**_ROLE, "imageUri": _IMAGE}),
        bad=example(FUNCTION, {**_ROLE, "imageUri": _TAGGED}),
    ),
    Rule(
        id="repository-immutable",
        title="An image's tag always means the same image, and images are scanned",
        types=(REPOSITORY,),
        check=all_of(
            one_of("imageTagMutability", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"),
            is_true("imageScanningConfiguration.scanOnPush"),
        ),
        remedy="Set `imageTagMutability` to IMMUTABLE and scan on push.",
        controls=(*SUPPLY, "PCI:6.3.1", "PCI:11.3.1"),
        good=example(
            REPOSITORY,
            {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}},
        ),
        bad=example(
            REPOSITORY, {"imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}
        ),
    ),
    Rule(
        id="container-read-only",
        title="Containers cannot write into their own image",
        types=(TASK,),
        check=containers(is_true("readonlyRootFilesystem")),
        remedy="Set `readonlyRootFilesystem` and mount a volume for scratch files.",
        controls=HARDENING,
        good=example(TASK, _task()),
        bad=example(TASK, _task(readonlyRootFilesystem=False)),
    ),
    Rule(
        id="container-unprivileged",
        title="Containers run as a user without privileges",
        types=(TASK,),
        check=containers(all_of(_NOT_ROOT, is_false("privileged"))),
        remedy="Set `user` to a number other than 0, and never `privileged`.",
        controls=HARDENING,
        good=example(TASK, _task()),
        bad=example(TASK, _task(user="root")),
    ),
    Rule(
        id="container-without-plain-secrets",
        title="Secrets are passed to containers as secrets, not as plain variables",
        types=(TASK,),
        check=containers(_plain_secrets),
        remedy="Name the secret's ARN in `secrets`.",
        controls=("SOC2:CC6.1", "PCI:8.6.2", "ISO:A.5.17", "DORA:9.4", "NIS2:21.2.h"),
        good=example(TASK, _task(environment=[{"name": "DATABASE_SECRET_ARN", "value": "arn:aws:x"}])),
        bad=example(TASK, _task(environment=[{"name": "DATABASE_PASSWORD", "value": "example"}])),
    ),
    Rule(
        id="no-shell-in-services",
        title="No shell can be opened in a running task (ECS Exec is off)",
        types=("aws:ecs/service:Service",),
        check=is_false("enableExecuteCommand"),
        remedy="Leave `enableExecuteCommand` off.",
        controls=HARDENING,
        good=example(
            "aws:ecs/service:Service",
            {"cluster": "example", "taskDefinition": "example:1", "enableExecuteCommand": False},
        ),
        bad=example(
            "aws:ecs/service:Service",
            {"cluster": "example", "taskDefinition": "example:1", "enableExecuteCommand": True},
        ),
    ),
    Rule(
        id="host-metadata-v2",
        title="Hosts hand out credentials to their own processes only (IMDSv2)",
        types=(HOST, TEMPLATE),
        check=_V2,
        remedy="Set `metadataOptions.httpTokens` to required.",
        controls=HARDENING,
        good=example(HOST, {**_AMI, "metadataOptions": {"httpTokens": "required"}}),
        bad=example(HOST, {**_AMI, "metadataOptions": {"httpTokens": "optional"}}),
    ),
    Rule(
        id="account-metadata-v2",
        title="IMDSv2 is the account's default for new hosts",
        types=(_METADATA,),
        check=one_of("httpTokens", "required"),
        remedy="Set `httpTokens` to required.",
        controls=HARDENING,
        good=example(_METADATA, {"httpTokens": "required"}),
        bad=example(_METADATA, {"httpTokens": "optional"}),
    ),
    Rule(
        id="cluster-insights",
        title="Clusters have Container Insights on",
        types=("aws:ecs/cluster:Cluster",),
        check=_settings_verdict,
        remedy="Set `containerInsights` to enabled.",
        controls=("SOC2:CC7.2", "SOC2:A1.1", "ISO:A.8.6", "ISO:A.8.16", "DORA:10.1", "NIS2:21.2.b"),
        severity=Severity.ADVISORY,
        good=example(
            "aws:ecs/cluster:Cluster", {"settings": [{"name": "containerInsights", "value": "enabled"}]}
        ),
        bad=example("aws:ecs/cluster:Cluster", {}),
    ),
    Rule(
        id="api-authorised",
        title="Every operation of the API requires authorisation",
        types=(API_TYPE,),
        check=_authorised,
        remedy="Give the operation a `security` entry in api/openapi.yaml.",
        controls=API,
        good=example(API_TYPE, _api([{"tokens": ()}])),
        bad=example(API_TYPE, _api(())),
    ),
    Rule(
        id="method-authorised",
        title="Every method that is a resource of its own requires authorisation",
        types=(_METHOD,),
        check=value("authorization", lambda v: v != "NONE", "AWS_IAM, CUSTOM or COGNITO_USER_POOLS"),
        remedy="Set `authorization`.",
        controls=API,
        good=example(_METHOD, {**_METHOD_INPUTS, "authorization": "AWS_IAM"}),
        bad=example(_METHOD, {**_METHOD_INPUTS, "authorization": "NONE"}),
    ),
    Rule(
        id="api-behind-firewall",
        title="The API is behind a web application firewall",
        types=(STAGE,),
        check=companion(_WEB, "resourceArn"),
        remedy="Associate the stage with a WebAcl.",
        controls=API,
        whole_plan=True,
        good=example(
            STAGE,
            _STAGE_INPUTS,
            after=(Made(_WEB, "association", {"resourceArn": Ref("it", "arn"), "webAclArn": _ACL_ARN}),),
        ),
        bad=example(STAGE, _STAGE_INPUTS),
    ),
    Rule(
        id="clients-without-sign-up",
        title="Nobody can sign themselves up for the API",
        types=("aws:cognito/userPool:UserPool",),
        check=is_true("adminCreateUserConfig.allowAdminCreateUserOnly"),
        remedy="Set `adminCreateUserConfig.allowAdminCreateUserOnly`.",
        controls=API,
        good=example(
            "aws:cognito/userPool:UserPool",
            {"adminCreateUserConfig": {"allowAdminCreateUserOnly": True}},
        ),
        bad=example("aws:cognito/userPool:UserPool", {}),
    ),
)
