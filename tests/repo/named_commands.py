"""Targets of `make` and commands of `pulumi` that texts name, tried by `make` and the engine themselves."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache

from devtools.paths import real_cli
from tests.cells import ROOT

_START = r"(?:`|\(|: |&& |\brun |\bor |\bwith |^)"  # what stands before a command within a sentence
_MAKE = re.compile(
    rf"{_START}make (?:-s )?(?P<words>[a-z][a-z-]*(?:(?: \|)? [A-Z]+=[^\s`;,)]+)*)", re.MULTILINE
)
_ASSIGNED = re.compile(r"\bmake (?:-s )?(?P<words>[a-z][a-z-]*(?: [A-Z]+=[^\s`;,)\"]+)+)")  # sure to be one
_PULUMI = re.compile(r"\bpulumi (?=(?P<words>[a-z][^\n]*))")  # several may stand in a line
_END = re.compile(r"[;`#(|)<>…&]|,(?=\s|$)|: |  |\.(?=\s|$)|\"")
_AFTER = frozenset(
    {"and", "brings", "chooses", "first", "is", "makes", "says", "shows", "takes", "until", "which"}
)
_PROSE = frozenset(
    {"and", "already", "has", "is", "itself", "on", "program", "that"}
)  # speaks of pulumi only
_QUOTED = re.compile(r"""(?<= )("[^"]*"|'[^']*')""")  # an argument of several words
_SAMPLES = {"STACK": "dev", "URL": "file:///tmp", "FILE": "plan.json", "NAME": "name"}


def make_calls_in(text: str) -> Iterator[str]:
    """Every call of `make` that a text names: a target, and the variables that are set."""
    for pattern in (_MAKE, _ASSIGNED):
        for call in pattern.finditer(text):
            if call["words"].split()[0] not in ("a", "it", "the"):
                yield call["words"]


def pulumi_calls_in(text: str) -> Iterator[str]:
    """Every command of the engine that a text names, without the sentence around it."""
    for call in _PULUMI.finditer(text):
        words: list[str] = []
        for word in (
            _END.split(_QUOTED.sub("quoted", call["words"]))[0].replace("[", "").replace("]", "").split()
        ):
            if word in _AFTER:
                break
            words.append(_SAMPLES.get(word, word))
        if words and words[0] not in _PROSE and not words[0][0].isdigit():
            yield " ".join(words)


@cache
def make_refusal(call: str) -> str | None:
    """What `make` says against a call; None where it would run it. Nothing is run."""
    target, *variables = call.split()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for name in (v.partition("=")[0] for v in variables):
        if not re.search(rf"^{name} \?=", makefile, re.MULTILINE):
            return f"make {call}: the Makefile has no variable {name}"
    done = subprocess.run(
        ["make", "--dry-run", target, *variables], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return f"make {call}: {done.stderr.strip()}" if done.returncode else None


@cache
def pulumi_refusal(call: str) -> str | None:
    """What the engine says against a command with its options; None where it takes them. Nothing is run."""
    words = shlex.split(call)
    done = subprocess.run(
        [real_cli(), *words, "--help"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        return f"pulumi {call}: {done.stderr.strip().splitlines()[0]}"
    usage = done.stdout.split("Usage:\n")[1].splitlines()[0].split()[1:]
    command = [word for word in usage if word[0] not in "[<"]
    takes_more = any(word[0] in "[<" and word not in ("[flags]", "[command]") for word in usage)
    aliases = re.findall(r"^Aliases:\n +(.*)$", done.stdout, re.MULTILINE)
    named, more = words[: len(command)], words[len(command) :]
    if aliases and named[-1] in aliases[0].split(", "):
        named[-1] = command[-1]
    if named != command or (more and not more[0].startswith("-") and not takes_more):
        return f"pulumi {call}: the engine has no such command"
    return None
