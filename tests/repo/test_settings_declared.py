"""`Pulumi.yaml` and `plan/settings.py` declare the same keys, and the stacks' files have one shape."""

import pytest

from config.settings_fields import keys_of
from devtools.generators.setting_descriptions import PROJECT_FILE, render
from devtools.stack_plans import declared, load
from plan.organization import OrganizationSettings
from plan.settings import Settings
from tests.cells import PROJECT, ROOT, settings_of

KINDS = {str: "string", int: "integer", bool: "boolean", tuple[str, ...]: "array"}


def test_every_setting_is_declared_with_its_type() -> None:
    known = {**keys_of(Settings), **keys_of(OrganizationSettings)}
    expected = {key: KINDS[f.type] for key, f in known.items()}  # type: ignore[index]
    assert {k: v["type"] for k, v in declared(ROOT).items()} == expected


def test_every_description_is_the_one_of_the_settings_field() -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert text == render(text), "run: make generate"
    assert [k for k, v in declared(ROOT).items() if len(v.get("description", "")) < 10] == []


@pytest.mark.parametrize(
    "stale",
    [
        ("Availability Zones of the cell", "Zones"),
        ('    description: "AWS Region of the stack"\n', ""),
    ],
)
def test_a_description_that_is_not_the_one_of_the_field_is_found(stale: tuple[str, str]) -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert text.count(stale[0]) == 1
    assert render(text.replace(*stale)) == text


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_file_of_the_right_shape_is_accepted(stack: str) -> None:
    assert settings_of(stack).stack == stack


def test_dev_and_prod_differ_in_values_and_not_in_shape() -> None:
    dev, prod = (set(load(PROJECT / f"Pulumi.{s}.yaml")["config"]) for s in ("dev", "prod"))
    assert dev == prod
