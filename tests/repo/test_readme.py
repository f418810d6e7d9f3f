"""The README says only what is so: its targets, commands, folders, table and example are tried."""

import os
import re
import subprocess
import sys
from pathlib import Path

from devtools.summary_table import COLUMNS
from tests.cells import ROOT
from tests.checkout import write_checkout
from tests.repo.typed_commands import commands_in, refusal

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    named = set(re.findall(r"make (?:-s )?([a-z-]+)", README)) | set(
        re.search(r"`make ((?:[a-z-]+ \| )+[a-z-]+)`", README)[1].split(" | ")  # type: ignore[index]
    )
    assert named >= {"up", "test", "test-all", "preview", "destroy"}
    assert named - declared == set()


def test_every_folder_of_the_table_exists() -> None:
    folders = re.findall(r"^\| `([a-z_]+/|__main__\.py)` \|", README, re.MULTILINE)
    assert len(folders) > 6
    assert [f for f in folders if not (ROOT / f).exists()] == []


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
    assert "7 tenants" in done.stdout + done.stderr


def test_every_command_that_is_named_exists_with_its_arguments() -> None:
    named = set(commands_in(README))
    assert [wrong for command in sorted(named) if (wrong := refusal(command))] == []
    assert len(named) > 15
