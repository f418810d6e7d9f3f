"""The data that describes AWS speaks of types, inputs and outputs that exist, and of all that are used."""

import pytest

from sandbox.aws.sdk_inputs import FILE, render
from sandbox.aws.templates import PLACE, RANDOM
from sandbox.aws.type_descriptions import Undescribed, describe, described, provider_types
from tests.program.cell import deployed

KNOWN_WORDS = {*RANDOM, "uuid", "pem", "id", "account", "region", "name", "stack"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_shapes_are_those_of_the_installed_sdk() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "stale: run `python -m sandbox.aws.sdk_inputs`"


@pytest.mark.parametrize("token", described())
def test_a_description_names_what_exists(token: str) -> None:
    found = describe(token)
    inputs, all_names = set(found.inputs), {*found.inputs, *found.computed}
    assert {found.named} - {None} <= inputs
    referring = {path.split(".")[0] for path in found.refs}
    planned = (found.defaults, found.keeps, found.sets, found.blocks, found.json, found.write_only)
    kept = (found.same, found.answers)
    limits = (found.allow, found.range, found.match)
    for names in (*planned, *kept, *limits, found.replace, found.unique or [], referring):
        assert set(names) - inputs == set(), token
    assert set(found.exclusive) | set(found.keep) | set(found.fill) <= inputs, token
    assert set(found.make) | set(found.secret) | set(found.fresh) <= all_names, token
    words = {m[1] for m in PLACE.finditer(repr((found.id, found.make))) if not m[2]}
    assert words - inputs - KNOWN_WORDS == set(), token


def test_every_described_type_is_classified_by_the_library_that_implements_it() -> None:
    """And so each that the program uses, which are all described."""
    assert provider_types().keys() == {*described()}
    assert {*provider_types().values()} == {"sdk", "framework"}


@pytest.mark.parametrize("token", described())
def test_a_reference_leads_to_a_described_type(token: str) -> None:
    assert [kind for kind in describe(token).refs.values() if kind not in described()] == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_type_that_the_program_uses_is_described(stack: str) -> None:
    used = {r.type for r in deployed(stack).resources if r.type.startswith("aws:")}
    assert used
    assert used - set(described()) == set()


@pytest.mark.parametrize(
    ("token", "place"),
    [("aws:dynamodb/table:Table", "dynamodb.yaml"), ("aws:kms/grant:Grant", "kms.yaml")],
)
def test_an_unknown_type_is_refused_with_the_file_that_would_describe_it(token: str, place: str) -> None:
    with pytest.raises(Undescribed, match=f"{token}: sandbox/aws/types/{place}"):
        describe(token)
