"""In which order several pytest processes get the tests, so that none is left with a long one at the end.

pytest-xdist's `worksteal` gives each process one part of the list, and a process that is done takes from the
end of another's part. So each part begins with its share of the long tests, whole files of them.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, TypeVar

T = TypeVar("T")
# Folders whose tests take seconds; first those with tests that take minutes each.
LONG: Final = ("mutation", "repo", "engine", "devtools", "data", "program", "sandbox", "provider_oracle")


def distribute(tests: Sequence[T], file_of: Callable[[T], str], processes: int) -> list[T]:
    """The same tests, in an order whose `processes` equal parts each begin with long ones."""
    files = [list(of_file) for _, of_file in groupby(tests, key=file_of)]
    long = [of_file for folder in LONG for of_file in files if file_of(of_file[0]).split("/")[1] == folder]
    short = [test for test in tests if file_of(test).split("/")[1] not in LONG]
    ordered: list[T] = []
    for number in range(processes):
        begins = [test for of_file in long[number::processes] for test in of_file]
        size = (len(tests) - len(ordered)) // (processes - number)  # as worksteal cuts the list
        rest = max(0, size - len(begins))
        ordered += begins + short[:rest]
        short = short[rest:]
    return ordered
