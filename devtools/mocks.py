"""Runs a program against Pulumi's mocks and returns every registration.

Type, name, parent, protection and inputs are recorded at the monitor, where the program meets the
engine: nothing is asserted inside an `apply` that may never run.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import mock

import pulumi
from pulumi.runtime import mocks, resource, rpc, stack
from pulumi.runtime.proto.source_pb2 import StackTrace
from pulumi.runtime.settings import reset_options


@dataclass(frozen=True)
class Registered:
    """One resource as the engine would have been asked to make it."""

    type: str
    name: str
    parent: str  # URN of the parent, "" for none
    protect: bool
    inputs: Mapping[str, Any]
    provider: str
    dependencies: tuple[str, ...]
    ignore_changes: tuple[str, ...]  # as the engine spells them: desiredCount
    urn: str
    delete_before_replace: bool = False
    import_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.type, self.name


@dataclass
class Recording:
    """All that one run of a program registered, in order."""

    resources: list[Registered] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)  # URNs of components that registered their outputs
    exports: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Registered]:
        """All whose type ends in `kind`: `of("kms/key:Key")`."""
        return [r for r in self.resources if r.type.endswith(kind)]

    def one(self, kind: str, name: str) -> Registered:
        found = [r for r in self.of(kind) if r.name == name]
        if len(found) != 1:
            names = [r.name for r in self.of(kind)]
            raise LookupError(f"{kind} {name}: expected one, found {len(found)} of {names}")
        return found[0]

    def below(self, component: str) -> list[Registered]:
        """All whose parents include the component `type::name` (or just its type)."""
        return [r for r in self.resources if component in r.parent]


ACCOUNT = "111122223333"
REGION = "eu-west-1"

# Outputs that a component needs beyond id, arn and its own inputs: type's end → made from the name.
COMPUTED: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "rds/instance:Instance": lambda n: {
        "address": f"{n}.mock.eu-west-1.rds.amazonaws.com",
        "endpoint": f"{n}.mock.eu-west-1.rds.amazonaws.com:5432",
        "port": 5432,
        "resourceId": f"db-{n}",
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!{n}"}],
    },
    "kms/key:Key": lambda n: {"keyId": f"{n}-key-id"},
    "organizations/organization:Organization": lambda n: {"roots": [{"id": f"root-of-{n}"}]},
    "lb/loadBalancer:LoadBalancer": lambda n: {
        "dnsName": f"{n}.mock",
        "zoneId": "ZMOCK",
        "arnSuffix": f"app/{n}/1",
    },
    "lb/targetGroup:TargetGroup": lambda n: {"arnSuffix": f"targetgroup/{n}/1"},
    "index/randomPassword:RandomPassword": lambda n: {"result": f"canary-password-{n}"},
    "index/randomId:RandomId": lambda n: {"hex": f"hex-{n}"},
    "index/privateKey:PrivateKey": lambda n: {
        "privateKeyPem": f"canary-key-{n}",
        "privateKeyPemPkcs8": f"canary-key-{n}",
        "publicKeyPem": f"public-{n}",
    },
    "index/certRequest:CertRequest": lambda n: {"certRequestPem": f"csr-{n}"},
    "index/selfSignedCert:SelfSignedCert": lambda n: {"certPem": f"cert-{n}", "readyForRenewal": False},
    "index/locallySignedCert:LocallySignedCert": lambda n: {"certPem": f"cert-{n}", "readyForRenewal": False},
    "acmpca/certificate:Certificate": lambda n: {"certificate": f"cert-{n}", "certificateChain": ""},
    "certificateAuthority:CertificateAuthority": lambda n: {"certificateSigningRequest": f"csr-{n}"},
    "acm/certificate:Certificate": lambda n: {
        "domainValidationOptions": [
            {
                "domainName": n,
                "resourceRecordName": f"_{n}",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "v",
            }
        ]
    },
    "apigateway/clientCertificate:ClientCertificate": lambda n: {"pemEncodedCertificate": f"pem-of-{n}"},
    "sqs/queue:Queue": lambda n: {"url": f"https://sqs.mock/{n}"},
    "secretsmanager/secretVersion:SecretVersion": lambda n: {"versionId": f"version-of-{n}"},
    "cognito/userPoolClient:UserPoolClient": lambda n: {"clientSecret": f"canary-client-secret-{n}"},
    "lambda/invocation:Invocation": lambda _: {"result": "{}"},
    "lambda/function:Function": lambda n: {"invokeArn": f"arn:aws:apigateway:mock:lambda:path/{n}"},
    "ec2/vpcEndpoint:VpcEndpoint": lambda n: {"prefixListId": f"pl-{n}", "dnsEntries": []},
    "apigateway/apiKey:ApiKey": lambda n: {"value": f"canary-api-key-{n}"},
    "apigateway/domainName:DomainName": lambda n: {
        "regionalDomainName": f"{n}.mock",
        "regionalZoneId": "ZMOCK",
    },
    "apigateway/restApi:RestApi": lambda n: {
        "rootResourceId": "root",
        "executionArn": f"arn:mock:execute-api:{n}",
    },
    "route53/zone:Zone": lambda n: {"zoneId": f"zone-{n}"},
    "s3/bucketObjectv2:BucketObjectv2": lambda n: {"versionId": f"v-{n}"},
    "ec2/vpc:Vpc": lambda n: {
        k: f"{k}-{n}"
        for k in ("defaultSecurityGroupId", "defaultNetworkAclId", "defaultRouteTableId", "mainRouteTableId")
    },
}


SERVICE = "aws:ecs/getService:getService"
# All else that the program asks AWS, and the answer in an account where nothing was deployed.
ASKED: Mapping[str, dict[str, Any]] = {
    "aws:ssm/getParametersByPath:getParametersByPath": {"names": [], "values": []},
}


class Echo(pulumi.runtime.Mocks):
    """Gives back what it is given, an id, an ARN and the table's outputs; a service runs what it is given."""

    def __init__(self) -> None:
        self._revisions: dict[str, Any] = {}  # of services, by their names

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made: dict[str, Any] = {"arn": f"arn:aws:mock:{REGION}:{ACCOUNT}:{args.name}", "name": args.name}
        for end, make in COMPUTED.items():
            if args.typ.endswith(end):
                made |= make(args.name)
        inputs: dict[str, Any] = cast("Any", args).inputs
        if args.typ.endswith("ecs/service:Service"):
            self._revisions[inputs["name"]] = inputs["taskDefinition"]
        return f"{args.name}-id", {**made, **inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        given = cast("dict[str, Any]", cast("Any", args).args)
        if args.token == SERVICE:
            return {**given, "taskDefinition": self._revisions[given["serviceName"]]}, []
        if args.token not in ASKED:
            raise AssertionError(f"unexpected invoke {args.token}: a plan must not ask AWS anything else")
        return {**given, **ASKED[args.token]}, []


def _comparable(value: Any) -> Any:
    """Archives as path → file or text, for the engine's own are never equal to one another."""
    if isinstance(value, pulumi.AssetArchive):
        return {
            path: getattr(asset, "path", getattr(asset, "text", None)) for path, asset in value.assets.items()
        }
    if isinstance(value, dict):
        return {k: _comparable(v) for k, v in cast("dict[str, Any]", value).items()}
    return value


class _Recorder(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(Echo())
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:
        response = cast("Any", super()).RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recording.resources.append(
                Registered(
                    request.type,
                    request.name,
                    request.parent,
                    request.protect,
                    _comparable(rpc.deserialize_properties(request.object)),
                    request.provider,
                    tuple(sorted(request.dependencies)),  # a set, in no order of its own
                    tuple(request.ignoreChanges),
                    response.urn,
                    request.deleteBeforeReplace,
                    request.importId,
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.recording.finished.append(request.urn)
        if "pulumi:pulumi:Stack" in request.urn:
            self.recording.exports.update(rpc.deserialize_properties(request.outputs))
        return cast("Any", super()).RegisterResourceOutputs(request)


class _Inline(futures.ThreadPoolExecutor):
    """Answers at once: waking a thread would take longer than a mock's answer."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        answer: futures.Future[Any] = futures.Future()
        try:
            answer.set_result(fn(*args, **kwargs))
        except Exception as error:
            answer.set_exception(error)
        return answer


def _result(plain: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that waits for nothing returns."""
    try:
        plain.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a mock answered with an output; it has to be a plain value")


def run(
    program: Callable[[], object],
    *,
    stack_name: str = "dev",
    config: Mapping[str, str] | None = None,
    preview: bool = False,
) -> Recording:
    """Run `program` as the body of a stack; returns when every output has settled."""
    recording = Recording()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(_Inline())

    async def body() -> None:
        program()
        await asyncio.sleep(0)  # lets registrations start before the wait: a third of the time

    async def whole() -> None:
        reset_options()
        pulumi.runtime.set_all_config(dict(config or {}))
        monitor = _Recorder(recording)
        pulumi.runtime.set_mocks(
            Echo(), project="tenantry", stack=stack_name, preview=preview, monitor=monitor
        )
        await stack.run_pulumi_func(body)

    gc.disable()  # while it runs there is nothing to find, at 3x the time
    try:
        with (
            mock.patch.object(resource, "_get_stack_trace", StackTrace),  # for errors that an engine prints
            mock.patch.object(mocks, "_sync_await", _result),
        ):
            loop.run_until_complete(whole())
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        reset_options()
        gc.collect(0)
        gc.enable()
    had = Counter(r.urn for r in recording.resources)
    twice = [urn for urn, times in had.items() if times > 1]
    if twice:
        raise ValueError(f"the engine refuses a URN that is had twice, and mocks do not: {twice}")
    return recording
