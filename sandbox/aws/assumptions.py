"""What no source says of AWS or of the provider and is assumed, and how to settle it: `assumptions.yaml`."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import yaml

from sandbox.aws.type_descriptions import HERE, LOADER, provider_types

DANGERS: Final = {
    "high": "Data, access, or a run that ends green and is not",
    "medium": "A run that fails, or differs for ever",
    "low": "The program does not depend on it, or says itself what is wrong",
}
HEAD: Final = """# Settle on AWS what is assumed

<!-- Written by `make generate` from sandbox/aws/assumptions.yaml; a test compares them. -->

Nothing of this project has run on AWS. The sandbox answers as AWS and its provider do by their sources;
[sandbox-coverage.md](sandbox-coverage.md) says for each type which. What no source says is assumed, and
stands here with the commands that settle it, the most dangerous first.

How to settle one, in some five minutes:

1. Take an account in which nothing matters, the command lines of AWS and Pulumi, and, where a command names
   the stack `dev`, that stack deployed there ([how](runbooks/deploying-to-aws.md)). Run the commands at the
   root of this repository, with the official provider and not in the sandbox's environment.
2. Put your own in the place of `111122223333` (account), `eu-west-1` (Region) and words in capitals.
3. Where what is printed differs from what is expected, change `sandbox/aws/` first, see which test fails,
   then mend the program. Where it does not, write at the places that rest on it who saw that and when, and
   take the entry out of `sandbox/aws/assumptions.yaml`.

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
