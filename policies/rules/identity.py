"""Who may do what: named principals, spelled-out actions, a boundary for every role, no users."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from policies.checks import forbidden, present, value
from policies.documents import (
    DocumentError,
    Held,
    Statement,
    accounts,
    held,
    places,
)
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Check, Rule
from policies.rules.parts import example
from policies.serves import ACCESS, IDENTITY

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
# Where asking for any resource at all gives away what a resource's owner would not.
SENSITIVE: Final = (
    *("iam:*", "sts:AssumeRole", "kms:Decrypt", "kms:CreateGrant", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    *("secretsmanager:GetSecretValue", "secretsmanager:Put*", "ssm:GetParameter*", "ssm:SendCommand"),
    *("ssm:StartSession", "s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "lambda:InvokeFunction"),
    *("lambda:UpdateFunction*", "ecs:RunTask", "ecs:ExecuteCommand", "rds-db:connect", "dynamodb:*"),
    *("sqs:ReceiveMessage", "sqs:SendMessage", "sns:Publish"),
)
# Condition keys that say whose request it is; with one of these, `*` names somebody after all.
_WHOSE: Final = (
    *("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn"),
    *("aws:SourceAccount", "aws:SourceArn", "aws:SourceOwner", "aws:SourceVpce", "aws:SourceVpc"),
    *("kms:CallerAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"),
)
# Operators under which naming a key does not narrow anything down.
_LOOSE: Final = ("IfExists", "Null", "Not")


def pattern(text: str, case: bool = True) -> re.Pattern[str]:
    """An IAM pattern as a regular expression; a policy variable (`${…}`) may be anything."""
    parts = re.split(r"(\$\{[^}]*\}|\*|\?)", text)
    written = "".join(
        ".*" if p == "*" or p.startswith("${") else "." if p == "?" else re.escape(p) for p in parts
    )
    return re.compile(written, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def statements(*kinds: str) -> Callable[[Callable[[Statement, Held, Plan], str | None]], Check]:
    """Make a check of what is wrong with one statement, for all documents of these kinds."""

    def of(wrong: Callable[[Statement, Held, Plan], str | None]) -> Check:
        def check(resource: Resource, plan: Plan) -> Verdict:
            try:
                return worst(_document(d, wrong, plan) for d in held(resource, *kinds))
            except DocumentError as unreadable:
                return fail(f"its policy cannot be read: {unreadable}")

        return check

    return of


def _document(document: Held, wrong: Callable[[Statement, Held, Plan], str | None], plan: Plan) -> Verdict:
    if document.statements is None:
        return cannot_tell(f"{document.path} is not known before the update")
    found = [(s, why) for s in document.statements if (why := wrong(s, document, plan))]
    return fail("; ".join(f"statement {s.sid or '?'}: {why}" for s, why in found)) if found else PASS


def narrowed(statement: Statement, keys: Iterable[str]) -> bool:
    """Whether a condition says that one of these keys has a value of a few."""
    return any(
        values and "*" not in values and not any(word in operator for word in _LOOSE)
        for key in keys
        for operator, values in statement.condition_values(key)
    )


def _everybody(statement: Statement, document: Held, _plan: Plan) -> str | None:
    if not statement.allow or narrowed(statement, _WHOSE) or _one_way(statement, document):
        return None
    if statement.not_principals:
        return "allows everybody but some (NotPrincipal)"
    return "allows everybody" if any("*" in those for those in statement.principals.values()) else None


def _one_way(statement: Statement, document: Held) -> bool:
    """A network's endpoint lets nobody in; with actions and resources spelled out it is one path outwards.

    The images' layers are fetched so: the registry signs for them with a principal of its own.
    """
    spelled = (*statement.actions, *statement.resources)
    return (
        document.kind == "endpoint"
        and bool(spelled)
        and not any(re.search(r"^\*$|:\*$|^arn:aws:s3:::\*", x) for x in spelled)
    )


def _wild_actions(statement: Statement, _document: Held, _plan: Plan) -> str | None:
    if not statement.allow:
        return None
    if statement.not_actions:
        return "allows everything but some actions (NotAction)"
    wild = [a for a in statement.actions if a == "*" or a.endswith(":*")]
    return f"allows {', '.join(wild)}" if wild else None


def _wild_resources(statement: Statement, _document: Held, _plan: Plan) -> str | None:
    anything = "*" in statement.resources or statement.not_resources
    if not statement.allow or not anything or statement.condition:
        return None
    found = [a for a in statement.actions if any(pattern(s, case=False).fullmatch(a) for s in SENSITIVE)]
    return f"allows {', '.join(found)} on every resource" if found else None


def _other_accounts(statement: Statement, _document: Held, plan: Plan) -> str | None:
    """An account that the stack does not itself look after is let in only with a condition that names it
    or the organization.
    """
    mine = accounts(plan)
    if not statement.allow or not mine or narrowed(statement, (*_WHOSE, "sts:ExternalId")):
        return None
    named = [a for p in statement.principals.get("AWS", ()) for a in re.findall(r"(?<!\d)\d{12}(?!\d)", p)]
    others = sorted(set(named) - mine)
    return f"lets in account {', '.join(others)} without a condition" if others else None


def _confused(statement: Statement, _document: Held, _plan: Plan) -> str | None:
    """A service may act for its customers' resources, so a trust says for whose.

    API Gateway sends no source with what it assumes to write its logs (its guide, 2026-11).
    """
    services = set(statement.principals.get("Service", ())) - {"apigateway.amazonaws.com"}
    if not statement.allow or not services or narrowed(statement, _WHOSE):
        return None
    return f"{', '.join(sorted(services))} may act for anybody's resources (aws:SourceAccount)"


def _federated(statement: Statement, _document: Held, _plan: Plan) -> str | None:
    """A token of a CI says which repository and which branch or environment it is of."""
    if not statement.allow or "Federated" not in statement.principals:
        return None
    subjects = [
        v
        for keys in statement.condition.values()
        for key, values in keys.items()
        if key.endswith(":sub")
        for v in values
    ]
    if not subjects:
        return "no condition on the token's subject (…:sub)"
    loose = [v for v in subjects if "*" in v and not re.match(r"repo:[^*?]+/[^*?]+:[^*]+", v)]
    return f"the subject {loose[0]} is of no one repository, branch or environment" if loose else None


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
        return worst([_managed(resource, plan), statements("identity")(_admin)(resource, plan)])
    return statements("identity")(_admin)(resource, plan)


def _admin(statement: Statement, _document: Held, _plan: Plan) -> str | None:
    """Everything on everything; a boundary, which only takes away, may not say it either."""
    if statement.allow and "*" in statement.resources and set(statement.actions) & {"*", "*:*", "iam:*"}:
        return f"allows {', '.join(statement.actions)} on everything"
    return None


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
    condition = {"StringLike": {"token.actions.githubusercontent.com:sub": subject}}
    return _trusted({"Principal": _OIDC, "Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": condition})


_USER: Final = "aws:iam/user:User"
_ATTACHMENT: Final = ATTACHMENTS[0]

RULES: Final = (
    Rule(
        id="no-wildcard-principal",
        title="No policy lets in everybody",
        types=places("resource", "trust", "endpoint"),
        check=statements("resource", "trust", "endpoint")(_everybody),
        remedy="Name the roles, or say by a condition whose request it must be.",
        controls=ACCESS,
        good=example(_SECRET_POLICY, _reads_secret({"AWS": _ME})),
        bad=example(_SECRET_POLICY, _reads_secret("*")),
    ),
    Rule(
        id="no-administrators",
        title="No role is an administrator, by a policy of its own or of AWS's",
        types=(*places("identity"), ROLE, *ATTACHMENTS),
        check=_no_admin,
        remedy="Spell out the actions that the role needs.",
        controls=ACCESS,
        good=example(ROLE_POLICY, _allows(_READ)),
        bad=example(ROLE_POLICY, _allows({"Effect": "Allow", "Action": ["*"], "Resource": ["*"]})),
    ),
    Rule(
        id="no-wildcard-actions",
        title="Policies spell out their actions",
        types=(*places("identity"), ROLE),
        check=statements("identity")(_wild_actions),
        remedy="Name each action; a service's new ones are then not given by themselves.",
        controls=ACCESS,
        good=example(ROLE_POLICY, _allows(_READ)),
        bad=example(ROLE_POLICY, _allows({**_READ, "Action": ["s3:*"]})),
    ),
    Rule(
        id="no-sensitive-wildcard-resources",
        title="Data, keys, secrets and roles are named by whoever may use them",
        types=(*(t for t in places("identity") if t != "aws:iam/policy:Policy"), ROLE),
        check=statements("identity")(_wild_resources),
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
        title="There are no IAM users and no lasting access keys",
        types=(_USER, "aws:iam/accessKey:AccessKey", "aws:iam/userLoginProfile:UserLoginProfile"),
        check=forbidden("people and machines sign in by roles, and have no keys that last"),
        remedy="Let people sign in by the identity centre, and machines by OIDC.",
        controls=IDENTITY,
        good=example(ROLE, {"assumeRolePolicy": _TRUST}),
        bad=example(_USER, {"name": "an-example-user"}),
    ),
    Rule(
        id="trust-names-the-source",
        title="A service assumes roles for this account's resources only",
        types=(ROLE,),
        check=statements("trust")(_confused),
        remedy="Add a condition on aws:SourceAccount or aws:SourceArn (components.policy.trust does).",
        controls=ACCESS,
        good=example(ROLE, {"assumeRolePolicy": _TRUST}),
        bad=example(ROLE, {"assumeRolePolicy": _document_of({"Effect": "Allow", **_ECS})}),
    ),
    Rule(
        id="trust-stays-at-home",
        title="Another account comes in only under a condition",
        types=places("resource", "trust"),
        check=statements("resource", "trust")(_other_accounts),
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
        title="A CI's token is of one repository and one branch or environment",
        types=(ROLE,),
        check=statements("trust")(_federated),
        remedy="Let the condition on …:sub name owner, repository and branch or environment.",
        controls=IDENTITY,
        good=example(ROLE, _token("repo:example/platform:environment:prod")),
        bad=example(ROLE, _token("repo:example/*")),
    ),
)
