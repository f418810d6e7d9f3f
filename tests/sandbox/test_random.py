"""The random plugin keeps the rules of a password, and is random."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.providers.random import KINDS, SPECIAL

PASSWORD = KINDS["random:index/randomPassword:RandomPassword"]
least = st.integers(0, 4)


@given(st.integers(16, 64), least, least, least, least)
def test_a_password_has_its_length_and_what_it_must(n: int, lo: int, up: int, num: int, sp: int) -> None:
    minimums = {"minLower": lo, "minUpper": up, "minNumeric": num, "minSpecial": sp}
    inputs = {**PASSWORD.defaults, "length": n, **minimums}
    text = PASSWORD.make(inputs)["result"]
    assert len(text) == n
    for chars, wanted in zip(
        (string.ascii_lowercase, string.ascii_uppercase, string.digits, SPECIAL),
        (lo, up, num, sp),
        strict=True,
    ):
        assert sum(c in chars for c in text) >= wanted


def test_a_password_without_special_signs_has_none() -> None:
    inputs = {**PASSWORD.defaults, "length": 64, "special": False}
    assert PASSWORD.make(inputs)["result"].isalnum()


def test_two_passwords_differ() -> None:
    inputs = {**PASSWORD.defaults, "length": 32}
    assert PASSWORD.make(inputs) != PASSWORD.make(inputs)


@pytest.mark.parametrize(
    "given_inputs",
    [
        {"length": 2, "minLower": 3},
        {"length": 0},
        {},
        {"length": 8, **dict.fromkeys(PASSWORD.defaults, False)},
    ],
)
def test_rules_that_cannot_be_kept_are_refused(given_inputs: dict[str, Any]) -> None:
    assert PASSWORD.problems({**PASSWORD.defaults, **given_inputs})


def test_an_id_is_one_number_in_several_forms() -> None:
    made = KINDS["random:index/randomId:RandomId"].make({"byteLength": 8})
    assert len(made["hex"]) == 16
    assert int(made["hex"], 16) == int(made["dec"])
