"""An example plan for each escalation technique in which it works."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policies.escalation import techniques as t
from policies.escalation.edges import USER_TYPES
from policies.escalation.principals import ATTACHMENT, INLINE, POLICY, ROLE
from policies.escalation.targets import PROFILE, RUNS_AS
from policies.escalation.techniques import Technique, TechniqueKind
from policies.model import Plan, Resource

ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-1"
WORKER: Final = "worker"
KEEPER: Final = "keeper"
TARGET: Final = "a-target"
TENANT: Final = "cobalt-fx"
_IAM: Final = f"arn:aws:iam::{ACCOUNT}"
_CONFIG: Final = {"tenantry:accountId": ACCOUNT, "tenantry:region": REGION}
# Inputs by which types name what they have a planned ARN by.
_NAMES: Final = {t.BUCKET: "bucket", t.TASK: "family"}


def example(technique: Technique, *, boundary: Mapping[str, Any] | None = None, given: bool = True) -> Plan:
    """A workload's role (`worker`) that has what the technique takes, another role and a tenant's things.

    `boundary`: the document of the worker's permissions boundary. With `given` false it has nothing.
    """
    worker: dict[str, Any] = {"name": WORKER, "assumeRolePolicy": _trust({"Service": t.ECS})}
    made: list[Resource] = []
    if boundary is not None:
        worker["permissionsBoundary"] = f"{_IAM}:policy/worker-boundary"
        made.append(_resource(POLICY, "worker-boundary", {"policy": json.dumps(boundary)}))
    made.append(_resource(ROLE, WORKER, worker))
    if given:
        policy = {"role": WORKER, "policy": _document(*technique.example(_on(technique)))}
        made.append(_resource(INLINE, "worker-policy", policy))
    return Plan((*made, *_cast(technique)), "example", _CONFIG)


def _on(technique: Technique) -> str:
    """The ARN of what the example does it to."""
    if technique.targets:
        return _arn(TARGET)
    if technique.way is TechniqueKind.POLICY:
        return f"{_IAM}:policy/keeper-policy"
    if technique.way is TechniqueKind.FEDERATION:
        return f"{_IAM}:saml-provider/people"
    return f"{_IAM}:{'user/a-user' if technique.way is TechniqueKind.USER else f'role/{KEEPER}'}"


def _arn(name: str) -> str:
    return f"arn:aws:example:{REGION}:{ACCOUNT}:{name}"


def _cast(technique: Technique) -> Sequence[Resource]:
    """Somebody else: a role with a policy, a refusal and a boundary of its own, users, a tenant's things."""
    reading = {"Effect": "Allow", "Action": ["logs:GetLogEvents"], "Resource": "*"}
    refusal = {"Effect": "Deny", "Action": ["logs:DeleteLogGroup"], "Resource": "*"}
    who = {
        TechniqueKind.ASSUME: {"AWS": f"{_IAM}:role/{WORKER}"},
        TechniqueKind.FEDERATION: {"Federated": f"{_IAM}:saml-provider/people"},
        TechniqueKind.PASS: {"Service": list(technique.services)},
    }
    trust = _trust(who.get(technique.way, {"Service": "lambda.amazonaws.com"}))
    keeper = {
        "name": KEEPER,
        "assumeRolePolicy": trust,
        "permissionsBoundary": f"{_IAM}:policy/keeper-boundary",
    }
    return (
        _resource(POLICY, "keeper-boundary", {"policy": _document(reading)}),
        _resource(POLICY, "keeper-policy", {"policy": _document(reading)}),
        _resource(ROLE, KEEPER, keeper),
        _resource(ATTACHMENT, "attached", {"role": KEEPER, "policyArn": f"{_IAM}:policy/keeper-policy"}),
        _resource(INLINE, "refusal", {"role": KEEPER, "policy": _document(refusal)}),
        *(_resource(kind, "a-user", {}) for kind in USER_TYPES),
        *(r for kind in technique.targets for r in _target(kind)),
    )


def _target(kind: str) -> tuple[Resource, ...]:
    """Something of a tenant's that runs as the keeper, where it runs at all."""
    keeper = f"{_IAM}:role/{KEEPER}"
    inputs: dict[str, Any] = {"tags": {"tenant": TENANT}, **dict.fromkeys(RUNS_AS.get(kind, ()), keeper)}
    if kind == t.PARAMETER:
        inputs["type"] = "SecureString"
    if kind == t.INSTANCE:
        profile = _resource(PROFILE, "a-profile", {"role": KEEPER})
        return profile, _resource(kind, TARGET, {**inputs, "iamInstanceProfile": "a-profile"})
    return (_resource(kind, TARGET, inputs),)


def _resource(kind: str, name: str, inputs: Mapping[str, Any]) -> Resource:
    named = {_NAMES.get(kind, "name"): name, **inputs}
    urn = f"urn:pulumi:example::tenantry::{kind}::{name}"
    return Resource(urn, kind, named, identity={"arn": _arn(name)})


def _trust(principal: Mapping[str, Any]) -> str:
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
