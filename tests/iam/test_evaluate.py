"""IAM's judge against the rules and examples of the IAM user guide (2026-11)."""

import json
from typing import Any

import pytest

from iam.conditions import OPERATORS, UnknownOperatorError
from iam.documents import DocumentError, parse_data
from iam.evaluate import Decision, Layer, Outcome, Policies, Principal, Request, applies, decide

ACCOUNT = "111122223333"
ROLE, SESSION = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ME = Principal("AWS", ROLE, ACCOUNT, SESSION)
ARN = "arn:aws:s3:::reports/a/b.csv"


def document(*statements: dict[str, Any]) -> Any:
    return parse_data(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", **everything(s), **s} for s in statements],
        }
    )


def everything(statement: dict[str, Any]) -> dict[str, str]:
    """Every action and resource, where the statement does not say which are not meant."""
    return {k: "*" for k in ("Action", "Resource") if f"Not{k}" not in statement}


ALL, NOTHING = document({}), document({"Action": "ec2:*"})
DENY = document({"Effect": "Deny", "Sid": "no"})


def ask(policies: Policies, action: str = "s3:GetObject", arn: str = ARN, **more: Any) -> Decision:
    context = {k: (v,) if isinstance(v, str) else tuple(v) for k, v in more.pop("context", {}).items()}
    return decide(Request(action, arn, more.pop("principal", ME), context), policies, **more)


def by(*principals: str, effect: str = "Allow") -> Any:
    return document({"Effect": effect, "Principal": {"AWS": list(principals)}})


FULL = {
    "identity": [ALL],
    "resource": by(ROLE),
    "boundary": ALL,
    "session": ALL,
    "endpoint": document({"Principal": "*"}),
    "scps": [[ALL], [ALL]],
}


# -- which kinds of policy have a say, and how


def test_all_together_allow() -> None:
    assert ask(Policies(**FULL)).allowed


@pytest.mark.parametrize(
    ("part", "layer"),
    [
        ({"scps": [[ALL], [ALL, DENY]]}, Layer.SCP),
        ({"resource": by("*", effect="Deny")}, Layer.RESOURCE),
        ({"endpoint": DENY}, Layer.ENDPOINT),
        ({"identity": [ALL, DENY]}, Layer.IDENTITY),
        ({"boundary": (*ALL, *DENY)}, Layer.BOUNDARY),
        ({"session": (*ALL, *DENY)}, Layer.SESSION),
    ],
)
def test_an_explicit_deny_wins_wherever_it_stands(part: dict[str, Any], layer: Layer) -> None:
    found = ask(Policies(**{**FULL, **part}))
    assert (found.outcome, found.layer) == (Outcome.EXPLICIT, layer)
    assert found.statement is not None
    assert not found.statement.allow
    article = "an" if layer is Layer.IDENTITY else "a"
    assert found.why("s3:GetObject") == f"with an explicit deny in {article} {layer}"


@pytest.mark.parametrize(
    ("part", "layer"),
    [
        ({"scps": [[NOTHING], [ALL]]}, Layer.SCP),
        ({"scps": [[ALL], []]}, Layer.SCP),
        ({"endpoint": NOTHING}, Layer.ENDPOINT),
        ({"boundary": NOTHING}, Layer.BOUNDARY),
        ({"session": NOTHING}, Layer.SESSION),
        ({"identity": [NOTHING], "resource": None}, Layer.IDENTITY),
    ],
)
def test_what_limits_must_agree(part: dict[str, Any], layer: Layer) -> None:
    found = ask(Policies(**{**FULL, **part}))
    assert (found.outcome, found.layer) == (Outcome.IMPLICIT, layer)
    assert found.why("s3:GetObject") == f"because no {layer} allows the s3:GetObject action"


@pytest.mark.parametrize(
    ("identity", "resource", "decides", "allowed"),
    [
        ([ALL], None, False, True),
        ([], by(ROLE), False, True),
        ([], by(SESSION), False, True),
        ([], by("*"), False, True),
        ([], by(ROOT), False, False),  # the account leaves it to the identity's policies
        ([ALL], by(ACCOUNT), False, True),
        ([], None, False, False),
        ([ALL], None, True, False),  # as with keys and trust: the resource must say something
        ([ALL], by("arn:aws:iam::111122223333:role/other"), True, False),
        ([ALL], by(ROOT), True, True),
        ([], by(ROOT), True, False),
        ([], by(ROLE), True, True),
        ([], by(ROOT, ROLE), True, True),
        ([ALL], by("arn:aws:iam::999988887777:root"), True, False),
    ],
)
def test_either_side_allows_unless_the_resource_decides(
    identity: list[Any], resource: Any, decides: bool, allowed: bool
) -> None:
    found = ask(Policies(identity=identity, resource=resource), resource_decides=decides)
    assert found.allowed is allowed


USER = Principal("AWS", f"arn:aws:iam::{ACCOUNT}:user/u", ACCOUNT)


@pytest.mark.parametrize("limit", [{"boundary": NOTHING}, {"session": NOTHING}])
def test_a_boundary_limits_what_is_said_to_a_role_and_not_to_a_session(limit: dict[str, Any]) -> None:
    """IAM user guide, "Resource-based policies and implicit denies in other policy types", and of `"*"`,
    "AWS JSON policy elements: Principal", "IAM role principals"."""
    assert not ask(Policies(resource=by(ROLE), **limit)).allowed
    assert not ask(Policies(resource=by(ROOT), identity=[ALL], **limit)).allowed
    for named in (SESSION, "*"):
        assert ask(Policies(resource=by(named), **limit)).allowed
        assert ask(Policies(resource=(*by(ROOT), *by(ROLE), *by(named)), **limit)).allowed, "in any order"
    assert ask(Policies(resource=by(USER.arn), **limit), principal=USER).allowed, "nor to a user"


def test_a_resource_policy_that_names_nobody_gives_nothing() -> None:
    assert not ask(Policies(resource=ALL)).allowed
    assert not ask(Policies(resource=DENY, identity=[ALL])).allowed, "and what it denies, it denies to all"


@pytest.mark.parametrize(
    ("names", "denied", "denied_with_boundary"),
    [
        ([ROLE], True, True),
        ([SESSION], True, True),
        ([ROLE, ROOT], True, True),
        ([ROLE, SESSION, ROOT], False, True),
        ([ROLE, SESSION, ACCOUNT], False, True),
        (["*"], False, True),
        ([f"arn:aws:iam::{ACCOUNT}:role/other", SESSION, ROOT], True, True),
    ],
)
def test_not_principal_of_a_deny(names: list[str], denied: bool, denied_with_boundary: bool) -> None:
    """Account, role and session may each be looked at: all three stand in the user guide's example.

    "NotPrincipal with a Deny effect will always deny any IAM principal that has a permissions boundary."
    """
    policy = document({"Effect": "Deny", "NotPrincipal": {"AWS": names}})
    assert ask(Policies(identity=[ALL], resource=policy)).allowed is not denied
    found = ask(Policies(identity=[ALL], resource=policy, boundary=ALL))
    assert found.allowed is not denied_with_boundary


def test_not_principal_spares_a_service_by_its_name() -> None:
    service = Principal("Service", "lambda.amazonaws.com")
    spared = document({"Effect": "Deny", "NotPrincipal": {"Service": "lambda.amazonaws.com"}})
    given = by("*")
    assert ask(Policies(resource=(*spared, *given)), principal=service).allowed
    assert not ask(Policies(resource=(*spared, *given))).allowed


def test_not_principal_of_an_allow_leaves_out_whoever_it_names() -> None:
    for name in (ROLE, SESSION, ROOT):
        assert not ask(Policies(resource=document({"NotPrincipal": {"AWS": name}}))).allowed
    assert ask(Policies(resource=document({"NotPrincipal": {"AWS": USER.arn}}))).allowed


def test_everybody_is_services_too() -> None:
    service = Principal("Service", "lambda.amazonaws.com")
    for everybody in ("*", {"AWS": "*"}, {"Service": "*"}):
        result = document({"Effect": "Deny", "Principal": everybody})
        assert not ask(Policies(resource=(*result, *by("*"))), principal=service).allowed
    users = document({"Principal": {"Federated": "*"}})
    assert not ask(Policies(resource=users), principal=service).allowed


def test_services_are_principals_of_their_own_kind() -> None:
    lambda_ = Principal("Service", "lambda.amazonaws.com")
    trust = document({"Principal": {"Service": "lambda.amazonaws.com"}})
    assert ask(Policies(resource=trust), principal=lambda_, resource_decides=True).allowed
    assert not ask(Policies(resource=trust), resource_decides=True).allowed
    assert not ask(Policies(resource=by(ROOT)), principal=lambda_, resource_decides=True).allowed


# -- one statement


def holds(statement: dict[str, Any], action: str = "s3:GetObject", arn: str = ARN, **context: Any) -> bool:
    known = {k: (v,) if isinstance(v, str) else tuple(v) for k, v in context.items()}
    return applies(document(statement)[0], Request(action, arn, ME, known))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "s3:Get*"}, True),
        ({"Action": "S3:getobject"}, True),
        ({"Action": "s3:GetObjectVersion"}, False),
        ({"Action": ["ec2:*", "s3:?etObject"]}, True),
        ({"Action": None, "NotAction": "s3:*"}, False),
        ({"Action": None, "NotAction": "ec2:*"}, True),
        ({"Resource": "arn:aws:s3:::reports/*"}, True),
        ({"Resource": "arn:aws:s3:::Reports/*"}, False),
        ({"Resource": "arn:aws:s3:::reports"}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::reports/*"}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::other/*"}, True),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, False),  # no patterns in principals
        ({"Principal": {"AWS": ROLE}}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": "*"}, True),
        ({"Resource": "arn:aws:s3:*"}, True),  # a `*` at the end of a segment goes beyond its colon
        ({"Resource": "arn:aws:s3:::reports/?.csv"}, False),
        ({"Resource": "arn:aws:s3:::reports/?/b.csv"}, True),
        ({"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::reports/a/b.csv"]}, True),
        ({"Resource": None, "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::*"]}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::reports/${aws:username}/*"}, True),
        ({"NotPrincipal": {"AWS": ROLE}}, False),
    ],
)
def test_actions_resources_and_principals(statement: dict[str, Any], expected: bool) -> None:
    assert holds(
        {k: v for k, v in {"Action": "*", "Resource": "*", **statement}.items() if v is not None}
    ) is (expected)


def when(operator: str, wanted: Any, key: str = "k") -> dict[str, Any]:
    return {"Condition": {operator: {key: wanted}}}


@pytest.mark.parametrize(
    ("operator", "wanted", "right", "wrong"),
    [
        ("StringEquals", "acme", "acme", "Acme"),
        ("StringEquals", ["a", "b"], "b", "c"),
        ("StringNotEquals", "acme", "bolt", "acme"),
        ("StringEqualsIgnoreCase", "acme", "ACME", "bolt"),
        ("StringNotEqualsIgnoreCase", "acme", "bolt", "ACME"),
        ("StringEquals", "a*", "a*", "abc"),
        ("StringLike", "a*", "abc", "bc"),
        ("StringNotLike", "a*", "bc", "abc"),
        ("ArnLike", "arn:aws:iam::*:role/t-*", "arn:aws:iam::1:role/t-a", "arn:aws:iam::1:user/t-a"),
        ("ArnEquals", "arn:aws:iam::*:role/t-*", "arn:aws:iam::1:role/t-a/b", "arn:aws:iam:x:y:z:role/t-a"),
        ("ArnNotEquals", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b", "arn:aws:iam::1:role/a"),
        ("ArnNotLike", "arn:aws:iam::1:role/*", "arn:aws:iam::2:role/b", "arn:aws:iam::1:role/a"),
        ("Bool", "true", "true", "false"),
        ("NumericEquals", "10", "10.0", "11"),
        ("NumericNotEquals", "10", "11", "10"),
        ("NumericLessThan", "1.2", "1.1", "1.3"),
        ("NumericLessThanEquals", "10", "10", "11"),
        ("NumericGreaterThan", "10", "11", "10"),
        ("NumericGreaterThanEquals", "10", "10", "9"),
        ("DateLessThan", "2026-11-01T00:00:00Z", "2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z"),
        ("DateLessThanEquals", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
        ("DateGreaterThan", "2026-11-01T00:00:00Z", "1793491201", "1"),
        ("DateGreaterThanEquals", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        ("DateEquals", "2026-11-01T01:00:00+01:00", "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z"),
        ("DateNotEquals", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", "11.1.2.3"),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", "10.1.2.3"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "2001:db9::1"),
        ("BinaryEquals", "QUI=", "QUI=", "QUM="),
    ],
)
def test_each_operator(operator: str, wanted: Any, right: str, wrong: str) -> None:
    assert holds(when(operator, wanted), k=right)
    assert not holds(when(operator, wanted), k=wrong)
    assert holds(when(operator, wanted)) is ("Not" in operator), "a negated one is true of what is not there"
    assert holds(when(f"{operator}IfExists", wanted)), "which IfExists makes true for all"
    assert not holds(when(f"{operator}IfExists", wanted), k=wrong)


def test_every_operator_is_in_the_table_above() -> None:
    mark = next(m for m in test_each_operator.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]
    assert {row[0] for row in mark.args[1]} == set(OPERATORS)


def test_null_asks_whether_a_key_is_there() -> None:
    assert holds(when("Null", "true"))
    assert not holds(when("Null", "false"))
    assert holds(when("Null", "false"), k="x")
    assert not holds(when("Null", "true"), k="x")


def test_all_and_any_of_several_values() -> None:
    """IAM user guide, "Set operators for multi-valued context keys"."""
    every, some = when("ForAllValues:StringEquals", ["a", "b"]), when("ForAnyValue:StringEquals", ["a", "b"])
    assert holds(every, k=["a", "b"])
    assert not holds(every, k=["a", "c"])
    assert holds(every), "of nothing, all"
    assert holds(some, k=["c", "a"])
    assert not holds(some, k=["c"])
    assert not holds(some), "and none"
    assert holds(when("ForAnyValue:StringNotEquals", "a"), k=["a", "b"])
    assert not holds(when("ForAllValues:StringNotEquals", "a"), k=["a", "b"])


def test_conditions_are_joined_by_and_and_keys_know_no_case() -> None:
    both = {"Condition": {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": True}}}
    assert holds(both, **{"AWS:a": "1", "aws:b": "2", "aws:C": "true"})
    assert not holds(both, **{"AWS:a": "1", "aws:b": "3", "aws:C": "true"})
    assert not holds(both, **{"aws:A": "1", "aws:B": "2", "aws:C": "false"})


def test_variables_are_put_in_as_they_are() -> None:
    mine = {"Resource": "arn:aws:s3:::reports/${aws:PrincipalTag/tenant}/*"}
    assert holds(mine, **{"aws:PrincipalTag/tenant": "a"})
    assert not holds(mine, **{"aws:PrincipalTag/tenant": "b"})
    assert not holds(mine), "without a value it matches nothing"
    assert not holds(mine, **{"aws:PrincipalTag/tenant": "*"}), "a value brings no wildcards"
    assert holds({"Resource": "arn:aws:s3:::reports/${aws:PrincipalTag/x, 'a'}/*"}), "unless it has a default"
    same = when("StringEquals", "${aws:PrincipalTag/tenant}", "aws:ResourceTag/tenant")
    assert holds(same, **{"aws:PrincipalTag/tenant": "a", "aws:ResourceTag/tenant": "a"})
    assert not holds(same, **{"aws:PrincipalTag/tenant": "a", "aws:ResourceTag/tenant": "b"})
    assert holds({"Resource": "arn:aws:s3:::r${*}"}, arn="arn:aws:s3:::r*")
    assert not holds({"Resource": "arn:aws:s3:::r${*}"}, arn="arn:aws:s3:::reports")


def test_a_condition_on_an_arn_does_not_reach_over_its_colons() -> None:
    """As a resource's pattern does: a Deny of other accounts' roles holds."""
    over, each = "arn:aws:iam:*:role/t", "arn:aws:iam::*:role/t"
    role = "arn:aws:iam::1:role/t"
    assert holds({"Resource": over}, arn=role)
    assert not holds(when("ArnLike", over), k=role)
    assert holds(when("ArnLike", each), k=role)


def test_variables_are_text_in_a_document_of_an_older_version() -> None:
    """IAM user guide, "IAM JSON policy elements: Version"."""
    for version in ({}, {"Version": "2008-10-17"}):
        old = parse_data(
            {**version, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "a-${aws:x}"}}
        )
        known = {"aws:x": ("mine",)}
        assert not applies(old[0], Request("s3:GetObject", "a-mine", ME, known))
        assert applies(old[0], Request("s3:GetObject", "a-${aws:x}", ME, known))


@pytest.mark.parametrize("empty", [[], {}, ""])
@pytest.mark.parametrize("element", ["Action", "NotAction", "Resource", "NotResource", "Principal"])
def test_an_empty_element_is_no_policy(element: str, empty: Any) -> None:
    """Or `"Resource": []` would be read as if every resource were meant."""
    with pytest.raises(DocumentError, match=f"^{element} is empty$"):
        document({element: empty})


@pytest.mark.parametrize(
    ("condition", "message"),
    [(["x"], "Condition is not a mapping"), ({"StringEquals": ["x"]}, "StringEquals is not a mapping")],
)
def test_a_condition_is_a_mapping_of_mappings(condition: Any, message: str) -> None:
    with pytest.raises(DocumentError, match=f"^{message}$"):
        document({"Condition": condition})


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Action": "*", "NotAction": "ec2:*"}, "Action and NotAction exclude each other"),
        ({"Resource": "*", "NotResource": "*"}, "Resource and NotResource exclude each other"),
        ({"Principal": "*", "NotPrincipal": "*"}, "Principal and NotPrincipal exclude each other"),
        ({"condition": {"Bool": {"aws:SecureTransport": "true"}}}, "condition is no element of a statement"),
    ],
)
def test_what_iam_takes_for_malformed_is_no_policy(statement: dict[str, Any], message: str) -> None:
    """IAM user guide, "Grammar of the IAM JSON policy language", 2026-11."""
    with pytest.raises(DocumentError, match=f"^{message}$"):
        document(statement)


def test_a_document_without_a_statement_is_no_policy() -> None:
    with pytest.raises(DocumentError, match=r"^it has no Statement$"):
        document()


def test_an_operator_that_iam_does_not_have_is_no_condition() -> None:
    with pytest.raises(UnknownOperatorError, match="StringMatches is no condition operator"):
        holds(when("StringMatches", "x"), k="x")


def test_the_statement_that_decided_is_named() -> None:
    policy = document({"Sid": "one", "Action": "ec2:*"}, {"Sid": "two", "Action": "s3:*"})
    found = ask(Policies(identity=[policy]))
    assert found.statement is not None
    assert (found.layer, found.statement.sid) == (Layer.IDENTITY, "two")
    assert json.dumps(str(found.layer)) == '"identity-based policy"'
