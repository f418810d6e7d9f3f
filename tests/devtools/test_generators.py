"""Generated files: each has its generator, and who changes one by hand is told."""

import re
import subprocess
from pathlib import Path

import pytest

from devtools.generators import registered
from devtools.generators.__main__ import main
from devtools.generators.registered import GENERATORS, Generator, stale, write
from tests.cells import ROOT

SAYS_SO = re.compile(r"[Ww]ritten by `make generate`|^Made by `.*sandbox coverage", re.MULTILINE)
PAGES = (
    "command-line.md",
    "controls.md",
    "network-paths.md",
    "sandbox-coverage.md",
    "settle-on-aws.md",
    "tenant-lifecycle.md",
    "tenant-resources.md",
    "testing.md",
)


def test_every_page_that_says_it_is_generated_has_a_generator() -> None:
    pages = [p.name for p in (ROOT / "docs").rglob("*.md") if SAYS_SO.search(p.read_text("utf-8"))]
    assert sorted(pages) == list(PAGES)
    text = Path(registered.__file__).read_text("utf-8")
    names = {"testing.md": "slow_tests"}
    for page in PAGES:
        module = names.get(page, page.removesuffix(".md").replace("-", "_"))
        assert f"devtools.generators.{module} import" in text or f'"docs/{page}"' in text, page


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_the_test_that_compares_is_there(generator: Generator) -> None:
    assert (ROOT / generator.compared_by).is_file()


@pytest.mark.parametrize(
    "generator", [g for g in GENERATORS if g.fast and not g.of_team], ids=lambda g: g.name
)
def test_what_is_committed_is_what_is_made(generator: Generator) -> None:
    assert stale(generator) == []


def made(**files: str) -> Generator:
    texts = {f"some/{name}.json": text for name, text in files.items()}
    return Generator("some", lambda: texts, "", folder="some")


def test_what_is_changed_lost_or_left_over_is_named_and_written_anew(tmp_path: Path) -> None:
    before, after = made(a="1", b="2", c="3"), made(a="1", b="changed", d="4")
    write(before, tmp_path)
    assert stale(before, tmp_path) == []
    assert stale(after, tmp_path) == ["some/b.json", "some/c.json", "some/d.json"]
    assert write(after, tmp_path) == ["some/b.json", "some/c.json", "some/d.json"]
    assert (stale(after, tmp_path), (tmp_path / "some/b.json").read_text("utf-8")) == ([], "changed")


def test_a_check_names_the_stale_file_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Generator("wrong", lambda: {"docs/network-paths.md": "by hand"}, "")
    monkeypatch.setattr(registered, "GENERATORS", (wrong,))
    before = (ROOT / "docs/network-paths.md").read_bytes()
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/network-paths.md is stale; run make generate\n"
    assert (ROOT / "docs/network-paths.md").read_bytes() == before


def test_lint_compares_every_generated_file() -> None:
    result = subprocess.run(
        ["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"-m devtools\.generators --check$", result, re.MULTILINE)
