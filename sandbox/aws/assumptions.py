"""What no source says of AWS or of the provider and is assumed, and how to settle it: `assumptions.yaml`."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import yaml

from sandbox.aws.type_descriptions import HERE, LOADER, provider_types

DANGERS: Final = {
    "high": "Data, access, or a run that ends green and is not",
    "medium": "A run that fails, or differs for ever",
    "low": "Nothing of the program depends on it",
}
HEAD: Final = """# Settle on AWS what is assumed

<!-- Written by `make generate` from sandbox/aws/assumptions.yaml; a test compares them. -->

The sandbox answers as AWS and its provider do by their sources; [sandbox-coverage.md](sandbox-coverage.md)
says for each type which. What no source says is assumed, and stands here with the commands that settle it,
the most dangerous first. Each takes somebody with an account some five minutes. Use an account in which
nothing matters. Where what is printed differs from what is expected, change `sandbox/aws/` first, see which
test fails, then mend the program.

One command settles most that could differ for ever, on a stack that is up:
`pulumi preview --refresh --expect-no-changes -s dev`, which is to print no change and exit with 0.
"""


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One thing that no source says. `types` are tokens, a library (`sdk`, `framework`) or `all`."""

    name: str
    assumed: str
    danger: str
    because: str
    types: list[str]
    where: list[str]  # files that rest on it, from the root of the repository
    settle: list[str]  # commands
    expect: str


@cache
def assumptions() -> tuple[Assumption, ...]:
    """As they stand in the file, the most dangerous first."""
    # The loader is yaml's safe one.
    found = yaml.load((HERE / "assumptions.yaml").read_text("utf-8"), Loader=LOADER)  # noqa: S506
    return tuple(Assumption(**entry) for entry in found)


def assumptions_of(token: str) -> list[Assumption]:
    """Those that are about a type by itself or by its library; not those that are about all."""
    about = {token, provider_types().get(token)}
    return [a for a in assumptions() if about & {*a.types}]


def render() -> str:
    """The page of commands and expected answers."""
    lines = [HEAD]
    for danger, what in DANGERS.items():
        lines.append(f"## {danger.capitalize()}: {what[0].lower()}{what[1:]}\n")
        lines += [_entry(a) for a in assumptions() if a.danger == danger]
    return "\n".join(lines).rstrip() + "\n"


def _entry(found: Assumption) -> str:
    places = ", ".join(f"[{path}](../{path})" for path in found.where)
    commands = "\n".join(found.settle)
    return (
        f"### {found.name}\n\nAssumed: {found.assumed}. Rests on it: {places}.\n\nIf it does not hold:"
        f" {found.because}.\n\n```bash\n{commands}\n```\n\nExpected: {found.expect}.\n"
    )
