"""IAM's patterns against every short text there is."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.patterns import action_matches, overlap, resource_matches

TEXTS = ["".join(t) for size in range(5) for t in itertools.product("ab", repeat=size)]
patterns = st.text("ab*?", max_size=4)


def fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern.replace("*", ".*").replace("?", "."), text) is not None


@given(pattern=patterns)
def test_a_pattern_covers_what_its_wildcards_stand_for(pattern: str) -> None:
    for text in TEXTS:
        assert resource_matches(pattern, text) is fits(pattern, text)
        assert action_matches(pattern.upper(), text) is fits(pattern, text)


@given(one=patterns, other=patterns)
def test_two_patterns_overlap_where_a_text_fits_both(one: str, other: str) -> None:
    """Two of four characters at most have a text of four in common, or none."""
    expected = any(fits(one, text) and fits(other, text) for text in TEXTS)
    longer = len(one.replace("*", "")) + len(other.replace("*", "")) > 4
    assert overlap(one, other) is expected or (longer and overlap(one, other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a*c", "ab*", True),
        ("a*b*a", "*bb*", True),
        ("aab*", "aac*", False),
        ("*a", "*b", False),
        ("a?", "??", True),
        ("a?", "?", False),
        ("aa*aa", "aaa", False),
        ("${aws:username}b", "ab", True),
        ("x-${aws:username}", "y-*", False),
    ],
)
def test_overlaps(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_case_and_variables() -> None:
    assert not resource_matches("A*", "abc")
    assert resource_matches("a-${aws:username}-b", "a-anybody-b")
    assert not resource_matches("a.c", "abc")
    assert action_matches("S3:Get*", "s3:getobject")
