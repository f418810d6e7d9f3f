"""Completion of the command `tenantry`, in bash, zsh and fish."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.completion import script
from cli.running import COMPLETION

SHELLS = ["bash", "zsh", "fish"]
LAUNCHER = Path(sys.executable).with_name("tenantry")
MODULE = f"{sys.executable} -c 'from cli.app import main; main()'"  # the same, where `make` was not called


def completions(code: Path, shell: str, line: str) -> list[str]:
    words = line.split(" ")
    env = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    env |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args", COMPLETION: f"complete_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", "from cli.app import main; main()"],
        cwd=code,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split("\n")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("tenantry rec", "recover"),
        ("tenantry policy esc", "escalation"),
        ("tenantry stack up or", "org"),
        ("tenantry recover run --stack pr", "prod"),
        ("tenantry tenants show fj", "fjord-custody"),
        ("tenantry tenants check pr", "prod"),
        ("tenantry tenants set fjord-custody contacts.w", "contacts.webhook="),
        ("tenantry tenants set fjord-custody plan=pr", "plan=premium"),
        ("tenantry sandbox psql fj", "fjord-custody"),
        ("tenantry completion z", "zsh"),
    ],
)
def test_groups_commands_stacks_ids_fields_and_values_are_completed(
    checkout: Path, shell: str, line: str, word: str
) -> None:
    found = "\n".join(completions(checkout, shell, line))
    assert word in found
    assert "amber-pay" not in found


def test_the_script_completes_in_bash(checkout: Path) -> None:
    asked = (
        f"{script('bash').replace(str(LAUNCHER), MODULE)}\n"
        "COMP_WORDS=(tenantry tenants show fj); COMP_CWORD=3; _tenantry_completion;"
        ' echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fjord-custody"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_the_shells_own(shell: str) -> None:
    text = script(shell)
    assert f"complete_{shell}" in text
    assert not {"{launcher}", "{variable}", "{{", "}}"} & set(text.split())
    if shutil.which(shell):
        assert subprocess.run([shell, "-n", "-c", text], capture_output=True, check=False).returncode == 0
