"""What `capacity` counts."""

from hypothesis import given
from hypothesis import strategies as st

from cli.views import largest_that_fits


@given(st.integers(0, 300), st.integers(0, 300))
def test_how_many_fit_is_exact(most: int, limit: int) -> None:
    assert largest_that_fits(most, lambda n: n <= limit) == min(most, limit)


@given(st.integers(0, 300))
def test_none_fit_where_one_is_too_many(most: int) -> None:
    assert largest_that_fits(most, lambda _: False) == 0
