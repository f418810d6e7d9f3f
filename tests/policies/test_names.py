"""What rules name exists: a type or an input that is misspelt would never be found, and never refused."""

import importlib
import inspect
import re
from functools import cache

import pytest

from policies.inventory import EVERY, RULES
from policies.model import TENANCY
from policies.plan_documents import PLACES
from policies.rule import Made
from policies.rules.encryption import OTHER_STORES
from policies.stateful import STATEFUL

MADE = [one for rule in RULES for example in (rule.good, rule.bad) for one in example.resources]
INPUTS = {
    *((kind, path) for kind, paths in PLACES.items() for path in paths),
    *((kind, path.split(".")[0]) for kind, paths in OTHER_STORES.items() for path in paths if path),
    *((s.subscribers[0], s.subscribers[1]) for s in STATEFUL.values() if s.subscribers),
    *((one.type, name) for one in MADE for name in one.inputs),
}
TYPES = {*STATEFUL, *(t for r in RULES for t in r.types), *(kind for kind, _ in INPUTS)} - {EVERY, TENANCY}


@cache
def source(kind: str) -> str:
    """The SDK's module of a type."""
    found = re.fullmatch(r"aws:(\w+)/\w+:(\w+)", kind)
    assert found, f"{kind} is not as the engine writes types"
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if found[1] == 'lambda' else found[1]}")
    module = inspect.getmodule(getattr(package, found[2]))
    assert module
    return inspect.getsource(module)


@pytest.mark.parametrize("kind", sorted(TYPES - {"pulumi:providers:aws"}))
def test_the_engine_knows_the_type(kind: str) -> None:
    assert f"'{kind}'" in source(kind)


@pytest.mark.parametrize(("kind", "name"), sorted(INPUTS), ids=lambda x: str(x).rpartition(":")[2])
def test_the_type_has_the_input(kind: str, name: str) -> None:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: f"_{m[1].lower()}", name)
    assert re.search(rf'name="{name}"|\b{snake}: ', source(kind)), f"{kind} has no input {name}"


def test_examples_are_looked_at_too() -> None:
    assert len({one.type for one in MADE if isinstance(one, Made)}) > 60
