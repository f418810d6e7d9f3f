"""Tests are distributed over processes without one getting lost, and long ones come first."""

from hypothesis import given
from hypothesis import strategies as st

from tests.distribution import LONG, distribute

FILES = st.tuples(st.sampled_from(["plan", "iam", *LONG]), st.integers(0, 9)).map(
    lambda at: f"tests/{at[0]}/test_{at[1]}.py"
)


def parts(tests: list[tuple[str, int]], processes: int) -> list[list[tuple[str, int]]]:
    """As worksteal cuts a list."""
    cut, left = [], tests
    for number in range(processes):
        size = len(left) // (processes - number)
        cut.append(left[:size])
        left = left[size:]
    return cut


@given(st.dictionaries(FILES, st.integers(1, 30), min_size=1), st.integers(2, 6))
def test_each_test_runs_once(sizes: dict[str, int], processes: int) -> None:
    tests = [(file, number) for file, size in sizes.items() for number in range(size)]
    ordered = distribute(tests, lambda test: test[0], processes)
    assert sorted(ordered) == sorted(tests)


def test_each_process_begins_with_long_tests_and_ends_with_short_ones() -> None:
    sizes = {f"tests/{folder}/test_{n}.py": 5 for folder in LONG for n in range(8)}
    sizes |= {f"tests/plan/test_{n}.py": 200 for n in range(8)}
    tests = [(file, number) for file, size in sizes.items() for number in range(size)]
    for part in parts(distribute(tests, lambda test: test[0], 4), 4):
        folders = [file.split("/")[1] for file, _ in part]
        assert folders[0] == LONG[0]
        assert folders[-1] == "plan"
        assert folders == sorted(folders, key=[*LONG, "plan"].index)
