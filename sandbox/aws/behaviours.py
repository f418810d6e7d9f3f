"""Whose the behaviours of a type are: the provider's, measured; AWS's, with a source; ours, assumed."""

from collections.abc import Iterable, Iterator
from typing import Final

from sandbox.aws.assumptions import assumptions, assumptions_of
from sandbox.aws.computed_values import MAKERS
from sandbox.aws.propagation import behaviour
from sandbox.aws.type_descriptions import Description, describe

LIBRARIES: Final = {True: "terraform-plugin-framework", False: "terraform-plugin-sdk v2"}
HEAD: Final = """
The line below each type says who decides how it behaves, and how we know:

- "The provider's": what is planned, refreshed, imported, and recorded of a call that failed. This is
  measured: the library that is named implements the type, and `tests/provider_oracle` compares the sandbox
  with that library, on a resource of each shape of schema, not on each type. Which inputs AWS fills in where
  they are left out is taken from the SDK's types.
- "AWS's": what it answers otherwise than it was given, each with a source in `sandbox/aws/differences.yaml`.
  What it refuses stands in the table of the type; and beyond its quotas, each with a source in
  `sandbox/aws/quotas.yaml`, it makes no more.
- "Just after a role or bucket is made": a service that has not heard yet of a role or bucket which an input
  names refuses the call, in the sandbox once. Then the provider waits and tries again (files named below are
  in `internal/service` of terraform-provider-aws), or the run fails and the next one works. Sources:
  `sandbox/aws/propagation.yaml`.
- "Ours": computed outputs that the sandbox makes up in the form that AWS documents (where a function runs in
  the sandbox, `result` is what it answered), and "left out" ones, which have no value there.
- "Assumed": what no source says, with [how to settle it](settle-on-aws.md). Of all types together this is:
  {everywhere}.
"""


def head() -> str:
    everywhere = ", ".join(link(a.name) for a in assumptions() if "all" in a.types)
    return HEAD.format(everywhere=everywhere)


def behaviours(token: str) -> str:
    """One paragraph of the page, for a type."""
    described = describe(token)
    parts = [
        f"The provider's: {LIBRARIES[described.framework]}.",
        *_of_aws(described),
        *_of_ours(described),
    ]
    return " ".join(parts) + "\n"


def _of_aws(described: Description) -> Iterator[str]:
    """What AWS answers otherwise; what it refuses is in the table."""
    if described.answers:
        yield f"AWS's: it answers {_names(described.answers)} otherwise than given."
    if news := list(behaviour(described.token)):
        yield "Just after a role or bucket is made: " + " ".join(news)


def _of_ours(described: Description) -> Iterator[str]:
    made = sorted({*described.make} & {*described.computed})
    if described.token in MAKERS:
        yield "AWS's computation of some outputs is done with the same algorithms."
    if made:
        yield f"Ours: {_names(made)} {'is' if len(made) == 1 else 'are'} made up."
    left_out = sorted({*described.computed} - {*made, "tagsAll"})
    if left_out and described.token not in MAKERS:
        yield f"Left out: {_names(left_out)}."
    if assumed := assumptions_of(described.token):
        yield "Assumed: " + ", ".join(link(a.name) for a in assumed) + "."


def link(name: str) -> str:
    """To an assumption's entry."""
    return f"[{name}](settle-on-aws.md#{name})"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in sorted(names))
