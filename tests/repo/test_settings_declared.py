"""`Pulumi.yaml` and `plan/settings.py` declare the same keys, and the stacks' files have one shape."""

import dataclasses

import pytest

from config.fields import Problem, Whole
from config.settings_fields import default_of, keys_of, setting
from config.values import tree_of
from devtools.generators import declared_settings
from devtools.generators.declared_settings import PROJECT_FILE, render
from devtools.stack_plans import declared, load
from plan.organization import OrganizationSettings
from plan.settings import Settings
from tests.cells import PROJECT, ROOT, settings_of

KINDS = {str: "string", int: "integer", bool: "boolean", tuple[str, ...]: "array"}


ALL = {**keys_of(Settings), **keys_of(OrganizationSettings)}


def test_every_setting_is_declared_with_its_type() -> None:
    expected = {key: KINDS[f.type] for key, f in ALL.items()}  # type: ignore[index]
    assert {k: v["type"] for k, v in declared(ROOT).items()} == expected


@pytest.mark.parametrize("key", [k for k, f in ALL.items() if default_of(f) is not None])
def test_a_default_is_a_value_that_the_setting_may_have(key: str) -> None:
    wrong: list[Problem] = []
    default = default_of(ALL[key])
    given = list(default) if isinstance(default, tuple) else default
    assert ALL[key].metadata["type"].read(tree_of(given), key, wrong.append) == default
    assert wrong == []


def test_a_number_without_a_default_is_no_setting() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Odd:
        pages: int = setting("pages of a report", Whole(1, 9))

    (field,) = dataclasses.fields(Odd)
    with pytest.raises(ValueError, match="pages: give the setting a default; there is no empty integer"):
        list(declared_settings._declared("pages", field))  # pyright: ignore[reportPrivateUsage]


def test_what_is_declared_is_what_the_settings_fields_say() -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert text == render(text), "run: make generate"
    assert [k for k, v in declared(ROOT).items() if len(v.get("description", "")) < 10] == []


@pytest.mark.parametrize(
    "stale",
    [
        ("Availability Zones of the cell", "Zones"),
        ('    description: "AWS Region of the stack"\n', ""),
        ("    default: 16\n", "    default: 17\n"),
        ("  natPerZone:\n    type: boolean", "  natPerZone:\n    type: string"),
    ],
)
def test_what_is_not_as_the_field_says_is_found(stale: tuple[str, str]) -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert text.count(stale[0]) == 1
    assert render(text.replace(*stale)) == text


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_file_of_the_right_shape_is_accepted(stack: str) -> None:
    assert settings_of(stack).stack == stack


def test_dev_and_prod_differ_in_values_and_not_in_shape() -> None:
    dev, prod = (set(load(PROJECT / f"Pulumi.{s}.yaml")["config"]) for s in ("dev", "prod"))
    assert dev == prod
