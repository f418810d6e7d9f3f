"""The policies that people review are the ones that AWS gets."""

from pathlib import Path

from devtools.generators.organization_policies import folder, stale, write
from tests.cells import organization_of


def test_what_is_written_is_what_the_plan_says(tmp_path: Path) -> None:
    folder(tmp_path).parent.mkdir()
    assert write(tmp_path, organization_of()) >= 7
    assert stale(tmp_path, organization_of()) == []


def test_a_policy_that_differs_is_missing_or_is_not_made_any_more_is_stale(tmp_path: Path) -> None:
    folder(tmp_path).parent.mkdir()
    write(tmp_path, organization_of())
    first, second, *_ = sorted(folder(tmp_path).iterdir())
    first.write_text("{}", "utf-8")
    second.unlink()
    (folder(tmp_path) / "old.json").write_text("{}", "utf-8")
    assert stale(tmp_path, organization_of()) == sorted([first.name, second.name, "old.json"])
    write(tmp_path, organization_of())
    assert stale(tmp_path, organization_of()) == []
