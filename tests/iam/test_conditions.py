"""IAM's condition operators at the edges of what AWS writes about them (IAM user guide, 2026-11)."""

import pytest

from iam.conditions import OPERATORS, UnknownOperatorError, holds
from iam.variables import Context, filler

MALFORMED = {
    "Numeric": ("many", "", "1,5", "1_000", "0x10", "nan", "inf", "٣", f"1e{10**30}"),
    "Date": (
        *("soon", "", "2026-13-01", "2026-02-30", "2026-11-01T00:00:00", "2026-W01"),
        *("2026-11-01T25:00Z", "2026-11-01T00:00:00+99:00", "2026-11-01 00:00:00Z"),
    ),
    "Bool": ("yes", "", "1"),
    "Binary": ("!", "QUI", "Q U I =", "é"),
    "IpAddress": ("here", "", "10.0.0.256", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "::/129", "1"),
    "Arn": ("*", "", "arn:aws:iam::1", "lambda.amazonaws.com"),
}
RIGHT = {
    "Numeric": "10",
    "Date": "2026-11-01T00:00:00Z",
    "Bool": "true",
    "Binary": "QUI=",
    "IpAddress": "10.1.2.3",
    "Arn": "arn:aws:iam::1:role/a",
}


def met(operator: str, wanted: str | list[str], *values: str, **context: str) -> bool:
    """Whether values of a key meet a condition; none: the request has no such key."""
    known: Context = {k.replace("_", ":"): (v,) for k, v in context.items()}
    return holds(operator, [wanted] if isinstance(wanted, str) else wanted, values or None, filler(known))


def kind_of(operator: str) -> str:
    return next(kind for kind in MALFORMED if kind in operator)


TYPED = [o for o in OPERATORS if not o.startswith("String")]


@pytest.mark.parametrize("operator", TYPED)
def test_a_malformed_value_matches_nothing(operator: str) -> None:
    kind, negated = kind_of(operator), "Not" in operator
    for malformed in MALFORMED[kind]:
        assert met(operator, malformed, RIGHT[kind]) is negated, "in the policy"
        assert met(operator, RIGHT[kind], malformed) is negated, "in the request"
        assert met(operator, malformed, malformed) is negated, "in both"


@pytest.mark.parametrize("operator", TYPED)
def test_a_malformed_value_hides_no_other(operator: str) -> None:
    kind = kind_of(operator)
    alone = met(operator, RIGHT[kind], RIGHT[kind])
    assert met(operator, [*MALFORMED[kind], RIGHT[kind]], RIGHT[kind]) is alone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11", "2026-11-01"),
        ("2026-11-01", "2026-11-01T00:00Z"),
        ("2026-11-01T00:00Z", "2026-11-01T01:30:00+01:30"),
        ("2026-11-01T00:00:00.50Z", "2026-11-01T00:00:00.5Z"),
        ("1970-01-01T00:01:00Z", "60"),
        ("1969-12-31T23:59:59Z", "-1"),
        ("2026", "1970-01-01T00:33:46Z"),  # digits are seconds, not a year
    ],
)
def test_one_moment_is_written_in_several_ways(one: str, other: str) -> None:
    assert met("DateEquals", one, other)
    assert met("DateEquals", other, one)
    assert not met("DateLessThan", one, other)


def test_fractions_of_a_second_count() -> None:
    assert met("DateLessThan", "2026-11-01T00:00:00.6Z", "2026-11-01T00:00:00.5Z")
    assert met("DateLessThan", "2026-11-01T00:00:00Z", "1969-12-31T23:59:59.5Z")


def test_numbers_are_compared_exactly() -> None:
    assert met("NumericLessThan", "9007199254740993", "9007199254740992")
    assert met("NumericEquals", "0.1", "0.10")
    assert met("NumericEquals", "1e3", "1000")
    assert met("NumericGreaterThan", "-2", "+1")


def test_an_address_alone_is_a_range_of_one() -> None:
    assert met("IpAddress", "10.0.0.1", "10.0.0.1")
    assert not met("IpAddress", "10.0.0.1", "10.0.0.2")
    assert met("IpAddress", "10.0.0.9/8", "10.1.2.3"), "the host's part of a range does not matter"
    assert not met("IpAddress", "0.0.0.0/0", "::1"), "no range of IPv4 has an address of IPv6"
    assert met("NotIpAddress", "0.0.0.0/0", "::1")


def test_booleans_know_no_case() -> None:
    assert met("Bool", "TRUE", "true")
    assert met("Bool", "False", "false")
    assert not met("Bool", "false", "True")


FINANCE = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"


@pytest.mark.parametrize(
    ("pattern", "arn", "like", "text"),
    [
        # The example of the IAM user guide, "Amazon Resource Name (ARN) condition operators".
        ("arn:aws:someservice:*:111122223333:finance/*", FINANCE, False, True),
        ("arn:aws:iam:*:role/a", "arn:aws:iam::1:role/a", False, True),
        ("arn:*", "arn:aws:iam::1:role/a", False, True),
        ("arn:aws:s3:::a*b", "arn:aws:s3:::a:x:b", True, True),  # the last component keeps its colons
        ("arn:aws:logs:*:*:log-group:*:*", "arn:aws:logs:r:1:log-group:g:log-stream:s", True, True),
        ("arn:aws:logs:*:*:log-group", "arn:aws:logs:r:1:log-group:g", False, False),
        ("arn:aws:iam::?:role/a", "arn:aws:iam:::role/a", False, False),
        ("arn:a?s:iam::1:role/a", "arn:a:s:iam::1:role/a", False, True),
        ("arn:aws:iam::1:role/A", "arn:aws:iam::1:role/a", False, False),
    ],
)
def test_an_arn_is_matched_component_by_component(pattern: str, arn: str, like: bool, text: bool) -> None:
    for operator in ("ArnLike", "ArnEquals"):
        assert met(operator, pattern, arn) is like
    for operator in ("ArnNotLike", "ArnNotEquals"):
        assert met(operator, pattern, arn) is not like
    assert met("StringLike", pattern, arn) is text, "which a string operator does not do"


# -- policy variables


def test_case_is_ignored_after_variables_are_filled_in() -> None:
    wanted = "${aws:PrincipalTag/Team}-Reports"
    known = {"aws_PrincipalTag/Team": "Blue"}
    assert met("StringEqualsIgnoreCase", wanted, "BLUE-reports", **known)
    assert not met("StringNotEqualsIgnoreCase", wanted, "BLUE-reports", **known)
    assert not met("StringEqualsIgnoreCase", wanted, "red-reports", **known)


def test_a_variable_with_a_colon_in_its_name_or_value_parts_no_arn() -> None:
    role = "arn:aws:iam::${aws:PrincipalAccount}:role/${aws:PrincipalTag/team}"
    known = {"aws_PrincipalAccount": "1", "aws_PrincipalTag/team": "a:b"}
    assert met("ArnLike", role, "arn:aws:iam::1:role/a:b", **known)
    assert not met("ArnLike", role, "arn:aws:iam::2:role/a:b", **known)
    assert not met("ArnNotEquals", role, "arn:aws:iam::1:role/a:b", **known)
    assert not met("ArnLike", "arn:aws:${aws:x}:role/a", "arn:aws:iam::1:role/a", aws_x="iam::1")
    assert met("ArnLike", "arn:aws:iam::${*}:role/a", "arn:aws:iam::*:role/a")
    assert not met("ArnLike", "arn:aws:iam::${*}:role/a", "arn:aws:iam::1:role/a")


@pytest.mark.parametrize("operator", [o for o in OPERATORS if OPERATORS[o].variables])
def test_a_variable_without_a_value_is_like_nothing(operator: str) -> None:
    """ "Policy variables with no value": the negated operators do match."""
    wanted = "arn:aws:iam::1:role/${aws:x}" if "Arn" in operator else "${aws:x}"
    for value in ("arn:aws:iam::1:role/", "arn:aws:iam::1:role/${aws:x}", "${aws:x}", "true", ""):
        assert met(operator, wanted, value) is ("Not" in operator)
        assert met(operator, wanted, value, aws_x="") is ("Not" in operator), "nor with an empty one"


def test_a_key_of_several_values_is_no_variable() -> None:
    fill = filler({"aws:TagKeys": ("a", "b"), "aws:one": ("a",)})
    assert holds("StringEquals", ["${aws:one}"], ("a",), fill)
    assert not holds("StringEquals", ["${aws:TagKeys}"], ("a",), fill)
    assert holds("StringEquals", ["${aws:TagKeys, 'c'}"], ("c",), fill)


@pytest.mark.parametrize(
    ("wanted", "without", "with_value"),
    [
        ("${aws:x, 'all'}", "all", "mine"),
        ("${aws:x, 'a*'}", "a*", "mine"),  # the wildcard of a default is a character
        ("${aws:x, 'a, b'}", "a, b", "mine"),
        ("${AWS:X}", None, "mine"),
        ("${aws:x,'all'}", None, None),  # comma and space, and single quotes, as AWS writes
        ("${aws:x, all}", None, None),
        ("${aws:x, ''}", None, "mine"),
    ],
)
def test_defaults_of_variables(wanted: str, without: str | None, with_value: str | None) -> None:
    for operator in ("StringEquals", "StringLike"):
        assert met(operator, wanted, "mine", aws_x="mine") is (with_value is not None)
        for text in ("all", "a*", "a, b", "abc", ""):
            assert met(operator, wanted, text) is (text == without)


@pytest.mark.parametrize("operator", [o for o in TYPED if not OPERATORS[o].variables])
def test_other_operators_have_no_variables(operator: str) -> None:
    right = RIGHT[kind_of(operator)]
    assert met(operator, "${aws:x}", right, aws_x=right) is ("Not" in operator)


def test_special_characters_are_written_as_variables() -> None:
    assert met("StringLike", "a${*}b${?}c${$}*", "a*b?c$xyz")
    assert not met("StringLike", "a${*}b", "axb")
    assert met("StringEquals", "a${*}", "a*")


def test_before_2012_a_variable_is_its_own_text() -> None:
    fill = filler({"aws:x": ("mine",)}, variables=False)
    assert holds("StringEquals", ["${aws:x}"], ("${aws:x}",), fill)
    assert not holds("StringEquals", ["${aws:x}"], ("mine",), fill)


# -- keys without a value, and with several


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_key_of_several_values_needs_a_set_operator(operator: str) -> None:
    kind = next((k for k in RIGHT if k in operator), "Arn")
    for wanted in (RIGHT[kind], "another"):
        assert not met(operator, wanted, RIGHT[kind], RIGHT[kind])
        assert not met(f"{operator}IfExists", wanted, RIGHT[kind], RIGHT[kind])


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("values", [(), ("",), ("", "")])
def test_a_set_of_nothing(operator: str, values: tuple[str, ...]) -> None:
    def set_of(name: str) -> bool:
        return holds(name, ["x", "10"], values, filler({}))

    assert set_of(f"ForAllValues:{operator}")
    assert not set_of(f"ForAnyValue:{operator}")
    assert set_of(f"ForAllValues:{operator}IfExists")
    assert set_of(f"ForAnyValue:{operator}IfExists")


def test_sets_of_a_negated_operator() -> None:
    assert met("ForAllValues:StringNotEquals", ["a", "b"], "c", "d")
    assert not met("ForAllValues:StringNotEquals", ["a", "b"], "c", "b")
    assert met("ForAnyValue:StringNotEquals", ["a", "b"], "a", "c")
    assert not met("ForAnyValue:StringNotEquals", ["a", "b"], "a", "b")


def test_a_negated_operator_wants_none_of_several() -> None:
    assert met("StringNotEquals", ["a", "b"], "c")
    assert not met("StringNotEquals", ["a", "b"], "b")


def test_an_empty_text_is_a_value() -> None:
    """As of `s3:prefix`, which is empty where a bucket is listed from its beginning."""
    assert met("StringEquals", "", "")
    assert met("StringLike", ["", "home/*"], "")
    assert not met("StringNotEquals", "", "")


@pytest.mark.parametrize(
    ("wanted", "absent", "present"),
    [
        (["true"], True, False),
        (["false"], False, True),
        (["True"], True, False),
        (["true", "false"], True, True),
        (["maybe"], False, False),
        ([], False, False),
    ],
)
def test_null(wanted: list[str], absent: bool, present: bool) -> None:
    assert holds("Null", wanted, None, filler({})) is absent
    assert holds("Null", wanted, (), filler({})) is absent
    assert holds("Null", wanted, ("x",), filler({})) is present
    assert holds("Null", wanted, ("x", "y"), filler({})) is present


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_policy_without_values_wants_nothing(operator: str) -> None:
    assert met(operator, [], "10") is ("Not" in operator)


@pytest.mark.parametrize(
    "name", ["NullIfExists", "ForSomeValues:StringEquals", "IfExists", "", "stringequals"]
)
def test_what_iam_does_not_have(name: str) -> None:
    with pytest.raises(UnknownOperatorError, match=f"^{name} is no condition operator$"):
        met(name, "x", "x")
