"""Rules on identity: named principals, explicit actions, a boundary for every role, no users."""

import json
import re
from collections.abc import Mapping
from typing import Final

from iam.documents import parse
from policies.checks import forbidden, present, value
from policies.control_ids import ACCESS, IDENTITY
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.plan_documents import types_with_documents
from policies.rule import Rule
from policies.rules.example_builders import example
from policies.rules.statements import (
    admin,
    confused_deputy,
    cross_account_access,
    federated,
    public_principal,
    statements,
    wildcard_actions,
    wildcard_resources,
)

ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENTS: Final = (
    *("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/policyAttachment:PolicyAttachment"),
    *("aws:iam/userPolicyAttachment:UserPolicyAttachment",),
    *("aws:iam/groupPolicyAttachment:GroupPolicyAttachment",),
)
# Of AWS's own policies, those that give more than a service's own few actions (their documents, 2026-11).
BROAD: Final = re.compile(
    r"arn:aws[a-z-]*:iam::aws:policy/(job-function/)?"
    r"(AdministratorAccess.*|PowerUserAccess|IAMFullAccess|SystemAdministrator|DatabaseAdministrator"
    r"|NetworkAdministrator|ReadOnlyAccess|.*FullAccess(_v2)?)"
)


def _bounded(resource: Resource, plan: Plan) -> Verdict:
    if plan.source(resource, "permissionsBoundary", "aws:iam/policy:Policy"):
        return PASS
    return present("permissionsBoundary")(resource, plan)


def _attachment(resource: Resource, plan: Plan) -> Verdict:
    if plan.source(resource, "policyArn", "aws:iam/policy:Policy"):
        return PASS  # its own document is looked at
    narrow = "a policy of few actions, not one of AWS's broad ones"
    return value("policyArn", lambda arn: not BROAD.fullmatch(str(arn)), narrow)(resource, plan)


def _managed(resource: Resource, _plan: Plan) -> Verdict:
    arns = resource.get("managedPolicyArns", ())
    if arns is UNKNOWN:
        return cannot_tell("managedPolicyArns is not known before the update")
    broad = [a for a in arns if a is not UNKNOWN and BROAD.fullmatch(str(a))]
    return fail(f"managedPolicyArns has {', '.join(broad)}") if broad else PASS


def _no_admin(resource: Resource, plan: Plan) -> Verdict:
    if resource.type in ATTACHMENTS:
        return _attachment(resource, plan)
    if resource.type == ROLE:
        return worst([_managed(resource, plan), statements("identity")(admin)(resource, plan)])
    return statements("identity")(admin)(resource, plan)


def _document_of(*found: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "It", **s} for s in found]})


_ME: Final = "arn:aws:iam::111122223333:role/example"
_ECS: Final = {"Principal": {"Service": ["ecs-tasks.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
_MINE: Final = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
_TRUST: Final = _document_of({"Effect": "Allow", **_ECS, "Condition": _MINE})
_READ: Final = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::example/*"]}
_SECRET_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type
_OIDC: Final = {"Federated": ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]}
_SECRET: Final = {"secretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:example-123456"}


def _reads_secret(principal: object) -> dict[str, object]:
    return {
        **_SECRET,
        "policy": _document_of(
            {
                "Effect": "Allow",
                "Principal": principal,
                "Action": ["secretsmanager:GetSecretValue"],
                "Resource": ["*"],
            }
        ),
    }


def _allows(statement: Mapping[str, object]) -> dict[str, object]:
    return {"role": "example", "policy": _document_of(statement)}


def _trusted(statement: Mapping[str, object]) -> dict[str, object]:
    return {"assumeRolePolicy": _document_of({"Effect": "Allow", **statement})}


def _token(subject: str) -> dict[str, object]:
    issuer = "token.actions.githubusercontent.com"
    condition = {
        "StringLike": {f"{issuer}:sub": subject},
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
    }
    return _trusted({"Principal": _OIDC, "Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": condition})


_USER: Final = "aws:iam/user:User"
_ATTACHMENT: Final = ATTACHMENTS[0]


def _only_bounds(policy: Resource, plan: Plan) -> bool:
    """Whether a policy is some role's boundary, attached nowhere, and says no whole service."""
    roles = any(policy in plan.source(r, "permissionsBoundary", policy.type) for r in plan.of(ROLE))
    given = any(policy in plan.source(a, "policyArn", policy.type) for a in plan.of(*ATTACHMENTS))
    text = policy.get("policy")
    whole = not isinstance(text, str) or any(
        action.endswith(":*") or action == "*" for s in parse(text) if s.allow for action in s.actions
    )
    return roles and not given and not whole


def _spelled(resource: Resource, plan: Plan) -> Verdict:
    """A boundary gives nothing: it may shorten actions to a service's verbs, to fit its length."""
    if resource.type == "aws:iam/policy:Policy" and _only_bounds(resource, plan):
        return PASS
    return statements("identity")(wildcard_actions)(resource, plan)


RULES: Final = (
    Rule(
        id="no-wildcard-principal",
        title="No policy admits every principal",
        types=types_with_documents("resource", "trust", "endpoint"),
        check=statements("resource", "trust", "endpoint")(public_principal),
        remedy="Name the roles, or say by a condition whose request it must be.",
        controls=ACCESS,
        good=example(_SECRET_POLICY, _reads_secret({"AWS": _ME})),
        bad=example(_SECRET_POLICY, _reads_secret("*")),
    ),
    Rule(
        id="no-administrators",
        title="No role is an administrator, by a policy of its own or of AWS's",
        types=(*types_with_documents("identity"), ROLE, *ATTACHMENTS),
        check=_no_admin,
        remedy="Spell out the actions that the role needs.",
        controls=ACCESS,
        good=example(ROLE_POLICY, _allows(_READ)),
        bad=example(ROLE_POLICY, _allows({"Effect": "Allow", "Action": ["*"], "Resource": ["*"]})),
    ),
    Rule(
        id="no-wildcard-actions",
        title="Policies spell out their actions",
        types=(*types_with_documents("identity"), ROLE),
        check=_spelled,
        remedy="Name each action; a service's new ones are then not given by themselves.",
        controls=ACCESS,
        whole_plan=True,
        good=example(ROLE_POLICY, _allows(_READ)),
        bad=example(ROLE_POLICY, _allows({**_READ, "Action": ["s3:*"]})),
    ),
    Rule(
        id="no-sensitive-wildcard-resources",
        title="Permissions on data, keys, secrets and roles name the resource",
        types=(*(t for t in types_with_documents("identity") if t != "aws:iam/policy:Policy"), ROLE),
        check=statements("identity")(wildcard_resources),
        remedy="Name the resources, or narrow them down by a condition.",
        controls=ACCESS,
        good=example(ROLE_POLICY, _allows(_READ)),
        bad=example(ROLE_POLICY, _allows({**_READ, "Resource": ["*"]})),
    ),
    Rule(
        id="role-has-boundary",
        title="Every role has a permissions boundary",
        types=(ROLE,),
        check=_bounded,
        remedy="Set `permissionsBoundary` to the cell's (Shared.boundary_arn).",
        controls=ACCESS,
        good=example(
            ROLE,
            {
                "assumeRolePolicy": _TRUST,
                "permissionsBoundary": "arn:aws:iam::111122223333:policy/tenantry-example-boundary",
            },
        ),
        bad=example(ROLE, {"assumeRolePolicy": _TRUST}),
    ),
    Rule(
        id="no-users",
        title="There are no IAM users and no long-lived access keys",
        types=(_USER, "aws:iam/accessKey:AccessKey", "aws:iam/userLoginProfile:UserLoginProfile"),
        check=forbidden("people and machines sign in by roles, and have no keys that last"),
        remedy="Let people sign in by the identity centre, and machines by OIDC.",
        controls=IDENTITY,
        good=example(ROLE, {"assumeRolePolicy": _TRUST}),
        bad=example(_USER, {"name": "an-example-user"}),
    ),
    Rule(
        id="trust-names-the-source",
        title="A service may assume roles on behalf of this account's resources only",
        types=(ROLE,),
        check=statements("trust")(confused_deputy),
        remedy="Add a condition on aws:SourceAccount or aws:SourceArn (trust() of iam_policy.py does).",
        controls=ACCESS,
        good=example(ROLE, {"assumeRolePolicy": _TRUST}),
        bad=example(ROLE, {"assumeRolePolicy": _document_of({"Effect": "Allow", **_ECS})}),
    ),
    Rule(
        id="trust-stays-at-home",
        title="Another account is admitted only under a condition",
        types=types_with_documents("resource", "trust"),
        check=statements("resource", "trust")(cross_account_access),
        remedy="Add a condition on the organization, the account or an external id.",
        controls=ACCESS,
        whole_plan=True,
        good=example(ROLE, _trusted({"Principal": {"AWS": [_ME]}, "Action": ["sts:AssumeRole"]})),
        bad=example(
            ROLE,
            _trusted(
                {"Principal": {"AWS": ["arn:aws:iam::999988887777:root"]}, "Action": ["sts:AssumeRole"]}
            ),
        ),
    ),
    Rule(
        id="token-of-one-place",
        title="A CI token must be of one repository and one branch or environment",
        types=(ROLE,),
        check=statements("trust")(federated),
        remedy="Let the condition on …:sub name owner, repository and branch or environment.",
        controls=IDENTITY,
        good=example(ROLE, _token("repo:example/platform:environment:prod")),
        bad=example(ROLE, _token("repo:example/*")),
    ),
)
