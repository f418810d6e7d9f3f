"""Checks of a single policy statement: whom it lets in, to do what, with whose resources."""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from iam.documents import DocumentError, Statement
from iam.patterns import overlap
from policies.model import PASS, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.plan_documents import PolicyDocument, policy_documents, trusted_accounts
from policies.rule import Check

Wrong: TypeAlias = Callable[[Statement, PolicyDocument, Plan], str | None]
"""What is wrong with a statement, in words that follow its name; None where nothing is."""

# Where asking for any resource at all gives away what a resource's owner would not.
SENSITIVE: Final = (
    *("iam:*", "sts:AssumeRole", "kms:Decrypt", "kms:CreateGrant", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    *("secretsmanager:GetSecretValue", "secretsmanager:Put*", "ssm:GetParameter*", "ssm:SendCommand"),
    *("ssm:StartSession", "s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "lambda:InvokeFunction"),
    *("lambda:UpdateFunction*", "ecs:RunTask", "ecs:ExecuteCommand", "rds-db:connect", "dynamodb:*"),
    *("sqs:ReceiveMessage", "sqs:SendMessage", "sns:Publish"),
)
# A resource that is all of a service's: of any kind, or of one, whatever its name. In S3 a name may be
# followed by a path.
_ANYTHING: Final = re.compile(
    r"\*|arn:[^:]*:s3:[^:]*:[^:]*:[*?]+(/.*)?|arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:"
    r"((role|user|policy|key|alias|table|parameter|stack|task-definition)/|(secret|function|dbuser|db):)?"
    r"[*?][*?/:]*"
)
# Condition keys that say which of the resources: by what is on them, or what they are for.
_WHICH: Final = (*("aws:ResourceTag/tenant", "kms:ResourceAliases", "kms:EncryptionContext:tenant"),)
# Condition keys that say whose request it is; with one of these, `*` names somebody after all.
_WHOSE: Final = (
    *("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn"),
    *("aws:SourceAccount", "aws:SourceArn", "aws:SourceOwner", "aws:SourceVpce", "aws:SourceVpc"),
    *("kms:CallerAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"),
)
# Operators under which naming a key does not narrow anything down; all values of none are any.
_LOOSE: Final = ("IfExists", "Null", "Not", "ForAllValues")
# What a pattern must hold to be of one account, organization or network.
_SOMEBODY: Final = re.compile(
    r"(?<!\d)\d{12}(?!\d)|\bo-[a-z0-9]{10,}|\bvpce?-[0-9a-f]+|^arn:aws:s3:::[a-z0-9]"
)
# Wildcards that only ever read what things are called and how they are set.
_LOOKS: Final = re.compile(r"[a-z0-9-]+:(Describe|List)[A-Za-z]*\*?")
_SUBJECT: Final = re.compile(r"repo:[^/*?]+/[^/*?:]+:(environment:|ref:refs/|pull_request)[^*?]*")


def statements(*kinds: str) -> Callable[[Wrong], Check]:
    """Make a check of what is wrong with one statement, for all documents of these kinds."""

    def of(wrong: Wrong) -> Check:
        def check(resource: Resource, plan: Plan) -> Verdict:
            try:
                return worst(_document(d, wrong, plan) for d in policy_documents(resource, *kinds))
            except DocumentError as unreadable:
                return fail(f"its policy cannot be read: {unreadable}")

        return check

    return of


def _document(document: PolicyDocument, wrong: Wrong, plan: Plan) -> Verdict:
    if document.statements is None:
        return cannot_tell(f"{document.path} is not known before the update")
    found = [(s, why) for s in document.statements if (why := wrong(s, document, plan))]
    return fail("; ".join(f"statement {s.sid or '?'}: {why}" for s, why in found)) if found else PASS


def is_narrowed(
    statement: Statement, keys: Iterable[str], named: Callable[[str], bool] | None = None
) -> bool:
    """Whether a condition says that one of these keys has a value of a few, each of them `named`."""
    return any(
        values and all(map(named or _named, values)) and not any(word in operator for word in _LOOSE)
        for key in keys
        for operator, values in statement.condition_values(key)
    )


def _named(text: str) -> bool:
    """Whether a value of a condition says who: in full, or by a pattern within somebody's own."""
    return not re.search(r"[*?]", text) or _SOMEBODY.search(text) is not None


def _begins(text: str) -> bool:
    """Whether a value says how a name begins."""
    return re.match(r"(alias/)?[^*?]", text) is not None and not text.startswith("alias/*")


def public_principal(statement: Statement, document: PolicyDocument, _plan: Plan) -> str | None:
    if not statement.allow or is_narrowed(statement, _WHOSE) or _one_way(statement, document):
        return None
    if statement.not_principals:
        return "allows everybody but some (NotPrincipal)"
    return "allows everybody" if any("*" in those for those in statement.principals.values()) else None


def _one_way(statement: Statement, document: PolicyDocument) -> bool:
    """A network's endpoint lets nobody in; with actions and resources spelled out it is one path outwards.

    The images' layers are fetched so: the registry signs for them with a principal of its own.
    """
    spelled = (*statement.actions, *statement.resources)
    return (
        document.kind == "endpoint"
        and bool(spelled)
        and not any(re.search(r"^\*$|:\*$|^arn:aws:s3:::\*", x) for x in spelled)
    )


def wildcard_actions(statement: Statement, _document: PolicyDocument, _plan: Plan) -> str | None:
    if not statement.allow:
        return None
    if statement.not_actions:
        return "allows everything but some actions (NotAction)"
    wild = [a for a in statement.actions if re.search(r"[*?]", a) and not _LOOKS.fullmatch(a)]
    return f"allows {', '.join(wild)}" if wild else None


def wildcard_resources(statement: Statement, _document: PolicyDocument, _plan: Plan) -> str | None:
    """Sensitive actions on everything of a service, unless a condition says on whose or through what."""
    if not statement.allow or not _on_anything(statement) or is_narrowed(statement, _WHICH, _begins):
        return None
    found = [a for a in statement.actions if any(overlap(s.lower(), a.lower()) for s in SENSITIVE)]
    found += ["everything but some actions"] if statement.not_actions else []
    return f"allows {', '.join(found)} on every resource" if found else None


def cross_account_access(statement: Statement, _document: PolicyDocument, plan: Plan) -> str | None:
    """An account that the stack does not itself look after is let in only with a condition that names it
    or the organization.
    """
    mine = trusted_accounts(plan)
    if not statement.allow or not mine or is_narrowed(statement, (*_WHOSE, "sts:ExternalId")):
        return None
    named = [a for p in statement.principals.get("AWS", ()) for a in re.findall(r"(?<!\d)\d{12}(?!\d)", p)]
    others = sorted(set(named) - mine)
    return f"lets in account {', '.join(others)} without a condition" if others else None


def confused_deputy(statement: Statement, _document: PolicyDocument, _plan: Plan) -> str | None:
    """A service may act for its customers' resources, so a trust says for whose.

    API Gateway sends no source with what it assumes to write its logs (its guide, 2026-11).
    """
    services = set(statement.principals.get("Service", ())) - {"apigateway.amazonaws.com"}
    if not statement.allow or not services or is_narrowed(statement, _WHOSE):
        return None
    return f"{', '.join(sorted(services))} may act for anybody's resources (aws:SourceAccount)"


def federated(statement: Statement, _document: PolicyDocument, _plan: Plan) -> str | None:
    """A token of a CI says for whom it was made, and which repository and branch or environment it is of."""
    if not statement.allow or "Federated" not in statement.principals:
        return None
    keys = {key for those in statement.condition.values() for key in those}
    subjects, audiences = ([k for k in keys if k.lower().endswith(end)] for end in (":sub", ":aud"))
    if not any(is_narrowed(statement, [key]) for key in subjects):
        return "no condition on the token's subject (…:sub)"
    if not any(is_narrowed(statement, [key]) for key in audiences):
        return "no condition on whom the token was made for (…:aud)"
    values = [v for key in subjects for _, those in statement.condition_values(key) for v in those]
    loose = [
        v for v in values if re.search(r"[*?]", v) or (v.startswith("repo:") and not _SUBJECT.fullmatch(v))
    ]
    return f"the subject {loose[0]} is of no one repository, branch or environment" if loose else None


def _on_anything(statement: Statement) -> bool:
    return bool(statement.not_resources) or any(map(_ANYTHING.fullmatch, statement.resources))


def admin(statement: Statement, _document: PolicyDocument, _plan: Plan) -> str | None:
    """Everything on everything, or all of identities; a boundary may not say it either."""
    if not statement.allow or not _on_anything(statement):
        return None
    if statement.not_actions:
        return "allows everything but some actions on everything"
    # what fits an action of every service, or a pattern of all of IAM's
    most = [a for a in statement.actions if re.match(r"[^:]*[*?][^:]*(:|$)|iam:[*?]+$", a, re.IGNORECASE)]
    return f"allows {', '.join(most)} on everything" if most else None
