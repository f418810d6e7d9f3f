"""Random policies and requests within one account, for two judges to decide.

A case is small and its texts are few, so that policies often speak of the request. What the simulator is
known to answer otherwise than AWS writes is never made: `FAULTS` says what and where that stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from iam.conditions import OPERATORS

ACCOUNT: Final = "111122223333"
ROOT: Final = f"arn:aws:iam::{ACCOUNT}:root"
ROLE, OTHER = f"arn:aws:iam::{ACCOUNT}:role/team/worker", f"arn:aws:iam::{ACCOUNT}:role/other"
SESSION: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/ada"
SERVICE: Final = "lambda.amazonaws.com"

FAULTS: Final[Mapping[str, str]] = {
    "a variable without a value, in a negated operator, matches nothing": (
        'AWS: "Inverted condition operators like StringNotEquals or StringNotLike do match against a null'
        ' value" (IAM user guide, "Variables and tags")'
    ),
    "a variable without a value, in NotResource, makes the statement cover nothing": (
        'AWS: such a resource "will not match any resource", and so is no exception (the same page)'
    ),
    "`${*}` is text in StringEquals": (
        'AWS: predefined variables "have fixed values" (the same page), whatever the operator'
    ),
    "a variable before the fifth colon of an ARN in a condition is cut at its own colon": (
        'AWS: "You can use a policy variable with the ARN condition operator" ("Condition operators")'
    ),
    "ForAnyValue with IfExists is false of a key that is not there": (
        'AWS: "If the key is not present, evaluate the condition element as true" ("...IfExists")'
    ),
    "an empty text is a value in ForAllValues and ForAnyValue, and an empty list is one in Null": (
        'AWS: "resolves to a null dataset, such as an empty string" ("Set operators")'
    ),
    "a value of the wrong kind matches neither an operator nor its negation": (
        'AWS calls the second "negated matching" of the first ("Condition operators")'
    ),
    "an ARN of five components has six, and binary values are texts": (
        "AWS: six colon-delimited components, and a comparison byte for byte (the same page)"
    ),
    "numbers are read up to the first letter or exponent, and dates in the local time zone": (
        "AWS: integers, decimals, and the forms of ISO 8601 that W3C lists (the same page)"
    ),
    "seconds since 1970 are compared with the milliseconds of a date": (
        "AWS takes both forms for one moment (the same page)"
    ),
    "an address alone, negated, is not outside of the other family; a /0 of IPv4 holds one address": (
        'AWS: "All IP addresses except the specified IP address or range" (the same page)'
    ),
    "a `*` at the end of a segment of a resource does not reach over colons, and one before the fifth colon"
    " knows no case": (
        'AWS: "it can expand to match beyond the colon boundaries" ("JSON policy elements: Resource")'
    ),
    "a variable in a resource that has no type is cut at its own colon": (
        'AWS: a variable may stand in "the resource portion of the ARN" ("Variables and tags")'
    ),
    "a session policy limits what a resource's policy gives to the session itself": (
        'AWS: "Permissions granted directly to a session are not limited by an implicit deny in [...] session'
        ' policy" ("Policy evaluation logic")'
    ),
    "NotPrincipal spares a session of which it names the account or the role alone": (
        'AWS: "might validate the account first, then the role, and then the assumed-role user"'
        ' ("NotPrincipal"), so that ours wants all three'
    ),
    "the Principal of an endpoint's policy is not looked at": (
        'AWS: an endpoint policy must have a Principal ("Control access to VPC endpoints", VPC user guide)'
    ),
    "a document without a version has variables": (
        'AWS: "variables like ${aws:username} are treated as literal strings" ("Variables and tags")'
    ),
}
"""What the simulator (0.1.173) answers, read from its source → what AWS writes; read 2026-11."""


@dataclass(frozen=True, slots=True)
class Target:
    """An action, and what it is done to: the parts of the ARN that patterns keep, and the rest."""

    action: str
    kept: str  # with the resource's type, in which AWS takes no wildcards
    rest: str = ""
    resource_decides: bool = False

    @property
    def resource(self) -> str:
        return self.kept + self.rest


TARGETS: Final = (
    Target("s3:GetObject", "arn:aws:s3:::", "reports/blue/2026.csv"),
    Target("s3:ListBucket", "arn:aws:s3:::", "reports"),
    Target("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:", "jobs-blue"),
    Target(
        "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:", "blue-AbCdEf"
    ),
    Target("logs:GetLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:", "/blue:log-stream:one"),
    Target("kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/", "0000-blue", resource_decides=True),
    Target("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/", "blue", resource_decides=True),
    Target("ec2:DescribeInstances", "*"),
    Target("s3:ListAllMyBuckets", "*"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """A condition key: what a request may have of it, and what a policy may want."""

    name: str
    kind: str  # the beginning of the names of its operators
    values: tuple[str, ...]
    wanted: tuple[str, ...]
    malformed: tuple[str, ...] = ()  # on either side
    several: bool = False


_TEXTS: Final = ("blue", "Blue", "red", "b*", "a.b", "")
_LIKE: Final = (
    "blue",
    "BLUE",
    "red",
    "b*",
    "b?ue",
    "*",
    "",
    "a.b",
    "${aws:PrincipalTag/team}",
    "${AWS:principaltag/TEAM}-x",
    "x${aws:PrincipalTag/team, 'blue'}",
    "${aws:PrincipalTag/none, 'b*'}",
)
_ARNS: Final = (f"arn:aws:iam::{ACCOUNT}:role/blue", ROLE, "arn:aws:iam::1:user/a:b", "arn:aws:s3:::blue")
_PATTERNS: Final = (
    *_ARNS,
    "arn:aws:iam::*:role/*",
    "arn:aws:iam:*:role/blue",
    "arn:aws:*:*:*:*blue",
    "arn:aws:iam::?:user/*",
    "arn:*:*:*:*:*",
    "arn:aws:iam::*:role/${aws:PrincipalTag/team}",
)
_DATES: Final = (
    "2026-11-01T00:00:00Z",
    "2026-11-01",
    "2026-11",
    "2026-11-01T01:00:00+01:00",
    "2026-10-31T23:59:59.999Z",
    "2026-11-01T00:00Z",
    "2026-12-01T00:00:00Z",
)
_SECONDS: Final = ("0", "1793491200", "1793491201")
_NUMBERS: Final = ("10", "10.0", "10.5", "-3", "0", "3600")
_ADDRESSES: Final = ("10.1.2.3", "10.0.0.0", "192.168.0.1", "2001:db8::1", "2001:db9::1")
_RANGES: Final = ("10.0.0.0/8", "10.1.2.3/32", "192.168.0.0/31", "2001:db8::/32", "2001:db8::1/128")

TEAM: Final = "aws:PrincipalTag/team"
KEYS: Final = (
    Key(TEAM, "String", _TEXTS, _LIKE),
    Key("aws:RequestTag/team", "String", _TEXTS, _LIKE),
    Key("aws:TagKeys", "String", _TEXTS[:-1], _LIKE, several=True),
    Key("aws:PrincipalArn", "Arn", _ARNS, _PATTERNS, ("*", "none", "arn:aws:iam")),
    Key("aws:SourceArn", "Arn", _ARNS, _PATTERNS),
    Key("aws:TokenIssueTime", "Date", _DATES, _DATES, ("soon", "2026-13-01")),
    Key("aws:EpochTime", "Date", _SECONDS, _SECONDS),
    Key("aws:MultiFactorAuthAge", "Numeric", _NUMBERS, _NUMBERS, ("many", "")),
    Key("aws:SecureTransport", "Bool", ("true", "false", "TRUE"), ("true", "false", "True"), ("1", "")),
    Key("aws:SourceIp", "IpAddress", _ADDRESSES, _RANGES, ("here", "10.0.0.0/33", "10.0.0.256")),
    Key("aws:userid", "Binary", ("QUI=", "QUM="), ("QUI=", "QUM=")),
)
Context = Mapping[str, str | Sequence[str]]


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    known: dict[str, str | Sequence[str]] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True)):
        values = st.sampled_from(key.values + key.malformed)
        known[key.name] = draw(st.lists(values, min_size=2, max_size=3) if key.several else values)
    return known


# -- conditions


def operators(key: Key, given: str | Sequence[str] | None) -> list[str]:
    """The operators for a key, with set operators and `IfExists`, that both judges understand alike."""
    found = ["Null"]
    for name in (o for o in OPERATORS if key.kind in o):
        if OPERATORS[name].negated and given in key.malformed:
            continue
        found += [name, f"{name}IfExists"]
        if given != "":
            found += [f"ForAllValues:{name}", f"ForAllValues:{name}IfExists", f"ForAnyValue:{name}"]
    return found


def wanted(key: Key, operator: str, context: Context) -> list[str]:
    """The values that a policy may ask for with this operator."""
    if operator == "Null":
        return ["true", "false", "TRUE", "maybe"]
    if not OPERATORS[operator.rpartition(":")[2].removesuffix("IfExists")].negated:
        return [*key.wanted, *key.malformed]
    unknown = f"${{{TEAM}}}".lower() if not context.get(TEAM) else "nothing"
    return [w for w in key.wanted if unknown not in w.lower().replace("-x", "")]


@st.composite
def _condition(draw: st.DrawFn, context: Context) -> tuple[str, str, list[str]]:
    """Operator, key and values."""
    known = [k for k in KEYS if k.name in context]
    key = draw(st.sampled_from([*KEYS, *known * 5]))
    operator = draw(st.sampled_from(operators(key, context.get(key.name))))
    values = st.sampled_from(wanted(key, operator, context))
    return operator, key.name, draw(st.lists(values, min_size=1, max_size=3))


@st.composite
def _conditions(draw: st.DrawFn, context: Context) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for operator, key, values in draw(st.lists(_condition(context), max_size=2)):
        found.setdefault(operator, {})[key] = values
    return found


# -- statements


def _patterns(target: Target, context: Context) -> list[str]:
    """Resources that a policy may write: some match the target, some nearly."""
    kept, rest = target.kept, target.rest
    if kept == "*":
        return ["*", "arn:aws:s3:::*", f"arn:aws:ec2:*:{ACCOUNT}:instance/*"]
    parts = kept.split(":", 5)
    anywhere = ":".join([*parts[:3], "*", "*", parts[5]])
    found = ["*", target.resource, f"{kept}*", f"{anywhere}{rest}", f"{kept}{rest[:-1]}?", f"{kept}?"]
    found += [f"{kept}{rest}x", f"{kept}{rest.replace('blue', 'red')}", f"{kept}*{rest[-3:]}"]
    found += ["arn:aws:s3:::other", f"{kept}{rest.replace('blue', '${*}')}"]
    if parts[5] or "s3" in parts:
        tags = ("${aws:PrincipalTag/team}", "${aws:PrincipalTag/no, 'blue'}")
        found += [kept + rest.replace("blue", tag) for tag in tags]
    return found


def _actions(action: str) -> list[str]:
    service, name = action.split(":")
    whole = ["*", f"{service}:*", action, f"{service}:{name.upper()}", "ec2:Describe*"]
    return [*whole, *(f"{service}:{part}" for part in (f"{name[:3]}*", f"?{name[1:]}", f"{name}s"))]


@st.composite
def _statement(draw: st.DrawFn, target: Target, context: Context) -> dict[str, Any]:
    allow = draw(st.integers(0, 3)) > 0
    not_action, not_resource = (draw(st.integers(0, 5)) == 0 for _ in range(2))
    patterns = _patterns(target, context)
    if not_resource and not context.get(TEAM):
        patterns = [p for p in patterns if f"${{{TEAM}}}" not in p]
    return {
        "Effect": "Allow" if allow else "Deny",
        "NotAction" if not_action else "Action": draw(
            st.lists(st.sampled_from(_actions(target.action)), min_size=1, max_size=2)
        ),
        "NotResource" if not_resource else "Resource": draw(
            st.lists(st.sampled_from(patterns), min_size=1, max_size=2)
        ),
        "Condition": draw(_conditions(context)),
    }


def _documents(target: Target, context: Context) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(_statement(target, context), min_size=1, max_size=2).map(_document)


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


EVERYTHING: Final = _document([{"Effect": "Allow", "Action": "*", "Resource": "*"}])

# -- the resource's own policy


def _principals(direct: bool) -> list[Any]:
    """Who a resource's policy may name; `direct`: the session itself and everybody too."""
    indirect: list[Any] = [
        {"AWS": ROOT},
        {"AWS": ACCOUNT},
        {"AWS": ROLE},
        {"AWS": OTHER},
        {"Service": SERVICE},
    ]
    indirect += [{"AWS": [ROLE, ROOT]}, {"AWS": [ROLE], "Service": SERVICE}]
    return (
        [*indirect, "*", {"AWS": "*"}, {"AWS": SESSION}, {"AWS": USER}, {"AWS": [ROOT, SESSION]}]
        if direct
        else indirect
    )


NOT_PRINCIPALS: Final = (
    {"AWS": [ROOT, ROLE, SESSION, USER]},
    {"AWS": OTHER},
    {"Service": SERVICE},
    {"AWS": [ROOT, ROLE, SESSION, USER], "Service": SERVICE},
)


@st.composite
def _resource_policy(draw: st.DrawFn, target: Target, context: Context, direct: bool) -> dict[str, Any]:
    document = draw(_documents(target, context))
    for statement in document["Statement"]:
        if statement["Effect"] == "Deny" and draw(st.integers(0, 3)) == 0:
            statement["NotPrincipal"] = draw(st.sampled_from(NOT_PRINCIPALS))
        else:
            may = direct or statement["Effect"] == "Deny"
            statement["Principal"] = draw(st.sampled_from(_principals(may)))
        if target.action == "sts:AssumeRole":
            statement.pop("Resource", None)
            statement.pop("NotResource", None)
    return document


# -- whole cases


@dataclass(frozen=True, slots=True)
class Case:
    """One request with all the policies that apply to it, as JSON has them."""

    target: Target
    caller: str  # SESSION, USER or SERVICE
    context: Context
    identity: Sequence[Mapping[str, Any]] = ()
    resource: Mapping[str, Any] | None = None
    boundary: Mapping[str, Any] | None = None
    session: Mapping[str, Any] | None = None
    endpoint: Mapping[str, Any] | None = None
    scps: Sequence[Sequence[Mapping[str, Any]]] = ()


LIMITS: Final = ("boundary", "session", "endpoint", "scps")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case with one or two kinds of policy at random; the others are not there, or allow everything."""
    target, context = draw(st.sampled_from(TARGETS)), draw(contexts())
    caller = draw(st.sampled_from((SESSION, SESSION, USER, SERVICE)))
    documents = _documents(target, context)
    varied = set(draw(st.lists(st.sampled_from(("identity", "resource", *LIMITS)), min_size=1, max_size=2)))
    if target.kept == "*":
        varied -= {"resource"}
    elif caller == SERVICE or target.resource_decides:
        varied |= {"resource"}
    if caller != SESSION or target.resource_decides:
        varied -= {"session"}
    found: dict[str, Any] = {}
    if "resource" in varied:
        found["resource"] = draw(_resource_policy(target, context, direct="session" not in varied))
    if caller == SERVICE:
        return Case(target, caller, context, **found)
    found["identity"] = draw(st.lists(documents, max_size=2)) if "identity" in varied else [EVERYTHING]
    for limit in varied & {"boundary", "session", "endpoint"}:
        found[limit] = draw(documents)
    if "endpoint" in found:
        found["endpoint"] = _for_everybody(found["endpoint"])
    if "scps" in varied:
        level = st.lists(documents | st.just(EVERYTHING), max_size=2)
        found["scps"] = draw(st.lists(level, min_size=1, max_size=2))
    return Case(target, caller, context, **found)


def _for_everybody(document: dict[str, Any]) -> dict[str, Any]:
    return _document([{**s, "Principal": "*"} for s in document["Statement"]])


def simulation(case: Case) -> dict[str, Any]:
    """The case as the simulator takes it."""

    def named(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{"name": str(i), "policy": d} for i, d in enumerate(documents)]

    found = {
        "request": {
            "principal": case.caller,
            "action": case.target.action,
            "resource": {"resource": case.target.resource, "accountId": ACCOUNT},
            "contextVariables": case.context,
        },
        "identityPolicies": named(case.identity),
        "serviceControlPolicies": [
            {"orgIdentifier": str(i), "policies": named(level)} for i, level in enumerate(case.scps)
        ],
        "resourceControlPolicies": [],
        "resourcePolicy": case.resource,
        "permissionBoundaryPolicies": named([case.boundary]) if case.boundary else None,
        "vpcEndpointPolicies": named([case.endpoint]) if case.endpoint else None,
        "sessionPolicy": case.session,
    }
    return {key: value for key, value in found.items() if value is not None}
