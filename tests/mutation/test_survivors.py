"""Every small change of the modules that are mutated is noticed by a test, or listed."""

import pytest

from tests.mutation.mutants import ROOT, listed, modules, run


def test_what_is_mutated_is_there() -> None:
    for pattern in modules():
        assert list(ROOT.glob(pattern)), pattern


@pytest.mark.slow
def test_no_new_mutant_survives() -> None:
    found = run()
    new = sorted(set(found.survivors) - set(listed()))
    assert not new, "no test notices these:\n" + "\n".join(new)
