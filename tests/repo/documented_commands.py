"""Command lines in the documentation, checked against what is really there.

A line of a shell block is split as a shell does. `make` is compared with the Makefile, `tenantry` with its
own parser, `python -m` with the modules, `aws` with botocore's service models, and `pulumi` with a table that
a test of the engine compares with the real CLI.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import get_session

from tests.cells import ROOT
from tests.repo.typed_commands import ROOMS, refusal

FROM_THE_PARSER: Final = (
    ROOT / "docs" / "command-line.md"
)  # lists how commands are called, and is made from them
PAGES: Final = (ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {FROM_THE_PARSER}))
BLOCK: Final = re.compile(r"^( *)```sh\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"`((?:make|pulumi|aws|tenantry|\.venv/bin/\w+) [^`…]+)`")
INNER: Final = re.compile(r"\$\(([^()]+)\)")  # what a shell runs first
ASSIGNMENT: Final = re.compile(r"[A-Z_]+=.*")
# Programs of every machine, whose arguments nothing here can check.
COMMON: Final = frozenset({"cp", "git", "source", "touch"})
# Of `aws`, whatever is called (AWS CLI 2, command reference, "Global options", 2026-11).
AWS_GLOBAL: Final = frozenset({"--cli-binary-format", "--output", "--query", "--region"})
PULUMI: Final[Mapping[str, frozenset[str]]] = {
    "cancel": frozenset(),
    "destroy": frozenset({"-s"}),
    "import": frozenset(),
    "login": frozenset(),
    "preview": frozenset(
        {"-s", "--diff", "--expect-no-changes", "--json", "--policy-pack", "--refresh", "--show-sames"}
    ),
    "refresh": frozenset({"--preview-only", "--diff"}),
    "stack export": frozenset(),
    "stack init": frozenset({"--secrets-provider"}),
    "stack output": frozenset({"-s"}),
    "state delete": frozenset(),
    "up": frozenset({"-s", "--plan", "--policy-pack", "--refresh"}),
}


def blocks(text: str) -> Iterator[str]:
    """The shell blocks of a page."""
    return (content for _, content in BLOCK.findall(text))


def commands(block: str) -> Iterator[list[str]]:
    """Every command of a block, as words: also those of `$(…)`, and of a line with several."""
    for line in block.splitlines():
        for inner in INNER.findall(line):
            yield from commands(inner)
        words: list[str] = []
        for word in [*split(line), ";"]:
            if word in (";", "&&", "|"):
                yield from _command(words)
                words = []
            else:
                words.append(word)


def split(line: str) -> list[str]:
    """The words of a line and the operators between them, without its comment."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True
    return list(lexer)


def _command(words: list[str]) -> Iterator[list[str]]:
    """Without variables before it and files that its output goes to; `eval` is of what was found in it."""
    if ">" in words:
        words = words[: words.index(">")]
    while words and ASSIGNMENT.fullmatch(words[0]):
        words = words[1:]
    if words and words[0] != "eval":
        yield words


def named_in(text: str) -> list[list[str]]:
    """The commands of a page's blocks, and those that its sentences name."""
    found = [words for block in blocks(text) for words in commands(block)]
    prose = BLOCK.sub("", text)
    return found + [words for line in INLINE.findall(prose) for words in commands(line)]


def wrong_with(words: list[str]) -> str | None:
    """Why a command cannot be typed as it stands; None where it can."""
    program, *rest = words
    if program in COMMON:
        return None
    checks = {"make": _make, "pulumi": _pulumi, "aws": _aws, ".venv/bin/python": _python}
    if program.removeprefix(".venv/bin/") == "tenantry":
        return refusal(shlex.join(rest[: rest.index("--") + 2] if "--" in rest else rest))
    if program not in checks:
        return f"{program}: no program that a reader has"
    found = checks[program](rest)
    return found and f"{shlex.join(words)}: {found}"


@cache
def makefile() -> tuple[frozenset[str], frozenset[str]]:
    """Targets and variables of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert targets is not None
    return frozenset(targets[1].split()), frozenset(re.findall(r"^([A-Z]+) \?=", text, re.MULTILINE))


def _make(words: list[str]) -> str | None:
    targets, variables = makefile()
    for word in words:
        name, assigned, _ = word.partition("=")
        if word != "-s" and name not in (variables if assigned else targets):
            return f"the Makefile has no {'variable' if assigned else 'target'} {name}"
    return None


def _python(words: list[str]) -> str | None:
    if words[0] != "-m":
        return None
    module, rest = words[1], words[2:]
    if module in ROOMS:
        return refusal(shlex.join([ROOMS[module], *rest]))
    if find_spec(module) is None:
        return f"there is no module {module}"
    if module == "pytest":
        return next((f"there is no {w}" for w in rest if "/" in w and not (ROOT / w).exists()), None)
    return None


def _pulumi(words: list[str]) -> str | None:
    verb = next((v for n in (2, 1) if (v := " ".join(words[:n])) in PULUMI), None)
    if verb is None:
        return "no such command of pulumi"
    strange = {w for w in words if w.startswith("-")} - PULUMI[verb]
    return f"pulumi {verb} has no {', '.join(sorted(strange))}" if strange else None


def _aws(words: list[str]) -> str | None:
    service, verb, *rest = words
    model: Any
    try:
        model = get_session().get_service_model(service)
    except UnknownServiceError:
        return f"AWS has no {service}"
    operation = {xform_name(n, "-"): n for n in model.operation_names}.get(verb)
    if operation is None:
        return f"aws {service} has no {verb}"
    known = {
        f"--{xform_name(member, '-')}" for member in model.operation_model(operation).input_shape.members
    }
    strange = {w for w in rest if w.startswith("--")} - known - AWS_GLOBAL
    return f"aws {service} {verb} has no {', '.join(sorted(strange))}" if strange else None


def section(page: Path, heading: str) -> str:
    """What stands below a heading of the second level."""
    return page.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
