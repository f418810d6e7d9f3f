"""The policies that people review are the ones that AWS gets."""

from devtools.generators.organization_policies import FOLDER, render


def test_the_committed_policies_are_what_the_plan_says() -> None:
    committed = {p.name: p.read_text(encoding="utf-8") for p in FOLDER.iterdir()}
    assert committed == render(), "run: python -m devtools.generators.organization_policies"
    assert len(committed) >= 7
