"""What the documentation says to type to `pulumi` is what the real CLI takes."""

import os
import re
import subprocess

import pytest

from devtools.paths import real_cli
from tests.repo.documented_commands import PULUMI

EXPERIMENTAL = {"PULUMI_EXPERIMENTAL": "true"}  # `up --plan`, which a decision rejects, is one


@pytest.mark.parametrize("verb", sorted(PULUMI))
def test_the_cli_has_the_command_and_its_options(verb: str) -> None:
    done = subprocess.run(
        [real_cli(), *verb.split(), "--help"],
        env={**os.environ, **EXPERIMENTAL},
        capture_output=True,
        text=True,
        check=False,
    )
    usage = re.search(r"^Usage:\n +pulumi ([a-z ]*[a-z])", done.stdout, re.MULTILINE)
    aliases = re.search(r"^Aliases:\n +(.*)$", done.stdout, re.MULTILINE)
    assert (done.returncode, bool(usage)) == (0, True), done.stderr
    names = {usage[1].rpartition(" ")[2], *(aliases[1].split(", ") if aliases else ())}  # type: ignore[index]
    options = set(re.findall(r"(?<=\s)-{1,2}[a-z][a-z-]*", done.stdout))
    assert verb.rpartition(" ")[2] in names  # where there is no such command, a group's help is printed
    assert PULUMI[verb] - options == set()
