"""The JSON Schemas: as generated, satisfied by what is committed, and as strict as the loader on fields."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft7Validator

from config.yaml_reader import compose
from config.yaml_tree import Items, Map, Node, Scalar, kind_of
from tenants.entries import values_of
from tenants.project import Project
from tenants.schema import SUBJECTS, schema_file, schema_of, schema_text, stale
from tests.cells import PROJECT, ROOT
from tests.registry.project import BAD
from tests.strategies import World, worlds

FILES = {
    "registry": [f"tenants/{stack}.yaml" for stack in Project(PROJECT).stacks],
    "plans": ["tenants/plans.yaml"],
    "quotas": ["tenants/quotas.yaml"],
    "quota-increases": ["tenants/quota-increases.yaml"],
}
# What JSON Schema does not say: rules between files, between tenants, and of the host in an address.
BEYOND = (
    *("residency", "overrides-beyond", "pool-full", "addresses-exhausted", "life-", "ledger-"),
    *("family-", "quota-", "stack-file", "plans-", "yaml-"),
)


SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda t: t.lower() == "true",
    "int": lambda t: int(t, 8 if t.startswith("0o") else 16 if t.startswith("0x") else 10),
    "float": lambda t: float(t.replace(".inf", "inf")),
    "text": str,
}


def value_of(node: Node | None) -> Any:
    """What an editor that follows YAML 1.2 sees."""
    match node:
        case Map():
            return {key.text: value_of(value) for key, value in node.pairs}
        case Items():
            return [value_of(item) for item in node.items]
        case Scalar():
            return SCALARS[kind_of(node)](node.text)
        case _:
            return None


@cache
def validator(name: str) -> Draft7Validator:
    schema = schema_of(name, Project(PROJECT))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def problems(name: str, instance: Any) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in validator(name).iter_errors(instance)]


def values(path: Path) -> Any:
    node, _ = compose(path.read_bytes(), path.name)
    return value_of(node)


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_committed_schemas_are_what_the_models_say(name: str) -> None:
    """But for the ids of the team's service plans, which `make check` compares."""
    committed = json.loads(schema_file(ROOT, name).read_text("utf-8"))
    made = json.loads(schema_text(name, Project(PROJECT)))
    for schema in (committed, made) if name == "registry" else ():
        assert schema["additionalProperties"]["properties"]["plan"].pop("enum")
    assert committed == made, "run python -m tenants schema --write"


def test_a_stale_schema_is_found(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "plans.yaml").write_bytes((PROJECT / "tenants" / "plans.yaml").read_bytes())
    for name in ("registry", "plans"):
        schema_file(tmp_path, name).write_text(schema_text(name, Project(tmp_path)), "utf-8")
    assert stale(Project(tmp_path)) == ["quotas", "quota-increases"]
    changed = schema_file(tmp_path, "registry").read_text("utf-8").replace("2560", "2561")
    schema_file(tmp_path, "registry").write_text(changed, "utf-8")
    assert stale(Project(tmp_path)) == ["registry", "quotas", "quota-increases"]


@pytest.mark.parametrize(("name", "file"), [(n, f) for n, files in FILES.items() for f in files])
def test_a_committed_file_names_its_schema_and_satisfies_it(name: str, file: str) -> None:
    first = (PROJECT / file).read_text("utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={name}.schema.json"
    assert problems(name, values(PROJECT / file)) == []


def test_every_field_is_described() -> None:
    for name in SUBJECTS:
        entry = schema_of(name, Project(PROJECT))["additionalProperties"]
        assert [f for f, s in entry["properties"].items() if len(s.get("description", "")) < 5] == []


@given(worlds())
def test_what_the_loader_accepts_the_schema_accepts(world: World) -> None:
    entries = {t.id: json.loads(json.dumps(values_of(t), default=str)) for t in world.entries}
    assert problems("registry", entries) == []


@pytest.mark.parametrize(
    "case", [c for c in sorted(BAD.iterdir()) if not c.name.startswith(BEYOND)], ids=lambda c: c.name
)
def test_what_the_loader_refuses_in_a_field_the_schema_refuses(case: Path) -> None:
    assert problems("registry", values(case / "tenants" / "dev.yaml")) != []
