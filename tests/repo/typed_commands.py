"""Commands that texts name, read by the parser of the command line as if somebody typed them."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from cli.app import app

ROOMS = {
    "tenants": "tenants",
    "policies": "policy",
    "recovery": "recover",
    "sandbox": "sandbox",
    "devtools": "stack",
}
CALL = re.compile(  # several may stand in a line
    rf"python -m (?P<room>{'|'.join(ROOMS)}) (?=(?P<old>[^\n]+))|\btenantry (?=(?P<new>[a-z][^\n]*))"
)
END = re.compile(r"[;`#(|)<…]|,(?=\s|$)|: |  |\.(?=\s|$)| - ")  # where a command ends within a sentence
QUOTED = re.compile(r"""(?<= )("[^"]*"|'[^']*')""")  # an argument of several words
AFTER = frozenset(
    {"adds", "and", "ends", "for", "in", "is", "makes", "or", "raises", "said", "says", "until"}
)
AFTER |= {"which", "with", "writes"}
# What stands for something in a text, and what somebody would type in its place.
SAMPLES = {
    "ID": "acme-pay",
    "KIND": "silo",
    "DATE": "2033-12-31",
    "MAIL": "ops@acme.example",
    "…": "acme-pay",
}
STACKS = frozenset({"dev", "prod", "prod-us", "STACK"})
PARSER: Any = get_command(app)


def commands_in(text: str) -> Iterator[str]:
    """Every command of `tenantry` that a text names, from the group on, without the sentence around it."""
    for call in CALL.finditer(text):
        room, rest = call["room"], END.split(QUOTED.sub("quoted", call["old"] or call["new"]))[0]
        words = []
        for word in rest.replace("[--", "--").replace("]", "").split():  # what may be left out is tried too
            if word in AFTER:
                break
            words.append(word)
        command = " ".join([*([ROOMS[room]] if room else []), *words]).strip("\"' \\")
        if command not in PARSER.commands:  # a group's name alone speaks of the group
            yield command


def refusal(command: str) -> str | None:
    """What the parser says against a command; None where it takes it."""
    try:
        words = [SAMPLES.get(word, word) for word in shlex.split(command)]
        parser, context = PARSER, PARSER.context_class(PARSER, info_name="tenantry")
        while words and hasattr(parser, "commands"):
            if words == ["--help"]:
                return None
            name, *words = words
            if name not in parser.commands:
                return f"{command}: there is no command {name}"
            parser = parser.commands[name]
            if hasattr(parser, "commands"):
                context = parser.context_class(parser, info_name=name, parent=context)
        if words in ([], ["--help"]):  # its name alone is no call
            return None
        found = parser.make_context(parser.name, words, parent=context)
    except (typer.TyperException, typer.Exit, ValueError) as wrong:
        return f"{command}: {wrong}"
    given = found.params
    if (name := given.get("name")) and "stack" in given and name not in STACKS:
        return f"{command}: {name} is no stack"
    strange = {str(n) for n in given.get("names") or ()} - STACKS
    return f"{command}: {sorted(strange)} are no stacks" if strange else None
