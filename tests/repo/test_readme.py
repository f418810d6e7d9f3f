"""The README: its folders, links, table, example and commands are compared with what is there, or run.

That each command line can be typed is `test_documented_commands.py`.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from cli.app import app
from devtools.summary_table import COLUMNS
from tests.cells import PROJECT, ROOT
from tests.checkout import write_checkout
from tests.repo.documented_commands import commands
from tests.repo.test_repository import tracked

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_folder_is_in_the_table_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_]+/|__main__\.py)` \|", README, re.MULTILINE)
    folders = {f"{path.relative_to(ROOT).parts[0]}/" for path in tracked("*/*")}
    hidden = {"typings/", *(f for f in folders if f.startswith("."))}
    assert sorted(listed) == sorted({*folders - hidden, "__main__.py"})


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https:)([^)#]+)(?:#[^)]*)?\)", README)
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_table_is_the_one_that_is_printed() -> None:
    header = next(line for line in blocks("text")[0].splitlines())
    assert header.split() == " ".join(COLUMNS).split()


def test_the_example_of_onboarding_is_accepted(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    (example,) = blocks("yaml")
    assert len(example.strip().splitlines()) == 6
    with (tmp_path / "tenants" / "dev.yaml").open("a", encoding="utf-8") as registry:
        registry.write("\n" + example)
    done = subprocess.run(
        [sys.executable, "-m", "tenants", "check", "dev"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "CI"},  # a person's run, which may write the ledger
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = (done.stdout + done.stderr).strip()
    assert f"answers `{result}`" in README


LOOKS: Final = re.compile(r"tenantry (tenants (?:check|list|show|capacity)|policy rules|completion)\b.*")


def test_the_commands_of_the_blocks_that_only_look_work() -> None:
    """Those that need no deployed stack, on the registries of the tests."""
    found = {shlex.join(words) for block in blocks("sh") for words in commands(block)}
    looks = sorted(
        c.removeprefix(".venv/bin/") for c in found if LOOKS.fullmatch(c.removeprefix(".venv/bin/"))
    )
    assert len(looks) >= 5
    for command in looks:
        _, *words = shlex.split(command)
        project = ("--root", str(PROJECT)) if words[0] == "tenants" else ()
        done = CliRunner().invoke(app, [*words, *project])
        assert (done.exit_code, bool(done.output)) == (0, True), f"{command}: {done.output}"
