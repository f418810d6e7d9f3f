"""Services of the SDK are loaded a module at a time, and have what they have when they are loaded whole."""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from components.sdk_services import Service, ServiceLoader
from tests.cells import ROOT

# For each service that a component imports: how many names are found, and which differ in the whole package.
COMPARED = r"""
import ast, json, sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

import pulumi_aws
from components.sdk_services import Service, ServiceFinder, find

OWN = {"_builtins", "_utilities", "typing"}
trees = [ast.parse(file.read_text("utf-8")) for file in Path("components").rglob("*.py")]
used = {alias.name for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "pulumi_aws" for alias in node.names}
answer = {}
for service in used:
    specs = [f.find_spec(f"pulumi_aws.{service}", pulumi_aws.__path__) for f in (ServiceFinder, PathFinder)]
    mine, whole = map(module_from_spec, specs)
    sys.modules[mine.__name__] = mine
    mine.__loader__.exec_module(mine)
    whole.__loader__.exec_module(whole)
    names = [n for n in vars(whole) if not n.startswith("__") and n not in OWN]
    found = [n for n in names if find(mine, n) is not None]
    other = [n for n in found if getattr(mine, n) is not getattr(whole, n)]
    answer[service] = {"found": len(found), "other": other, "whole": type(mine) is not Service}
print(json.dumps(answer))
"""
# How the program of a stack leaves the services: lazy, in parts, or whole.
LEFT = r"""
import json, sys
from devtools.registrations import record_registrations
from devtools.stack_plans import plan_of_stack
from tests.cells import PROJECT

record_registrations(plan_of_stack(PROJECT, sys.argv[1]))
packages = {n: m for n, m in sys.modules.items() if n.startswith("pulumi_aws.") and hasattr(m, "__path__")}
print(json.dumps({name: type(module).__name__ for name, module in packages.items()}))
"""


def output_of(code: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def test_a_name_means_what_the_whole_package_has() -> None:
    compared = output_of(COMPARED)
    assert len(compared) > 30
    assert all(service["found"] > 10 for service in compared.values())
    assert {name: service for name, service in compared.items() if service["other"] or service["whole"]} == {}


@pytest.mark.parametrize("stack", ["prod", "org"])
def test_the_program_loads_no_service_whole(stack: str) -> None:
    kinds = output_of(LEFT, stack)
    assert "Service" in kinds.values()
    whole = {name for name, kind in kinds.items() if kind == ModuleType.__name__}
    assert whole <= {"pulumi_aws.config"}, "name it in components/sdk_services.py as the SDK's generator does"


def exporting(**values: str) -> str:
    """The source of a module of the SDK."""
    return "\n".join(
        [f"__all__ = {list(values)}", *(f"{name} = {value!r}" for name, value in values.items())]
    )


PACKAGE = """\
import typing
# Export this package's modules as members:
from .get_thing import *
from .thing import *
from .elsewhere import *
from ._inputs import *
from . import outputs
"""
MODULES = {
    "__init__": PACKAGE,
    "get_thing": exporting(get_thing="got", get_thing_output="got later"),
    "thing": "from . import outputs\n" + exporting(Thing="a thing", ThingArgs="its inputs"),
    "elsewhere": exporting(IPSet="a set"),
    "_inputs": exporting(ThingArgs="nested inputs"),
    "outputs": "",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def load(package: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = ServiceLoader("a_service", str(package / "__init__.py"))
    spec = spec_from_file_location("a_service", loader=loader, submodule_search_locations=[str(package)])
    assert spec
    service = module_from_spec(spec)
    for name in ("a_service", *(f"a_service.{module}" for module in MODULES)):
        monkeypatch.setitem(sys.modules, name, service)
        if name != "a_service":
            monkeypatch.delitem(sys.modules, name)
    loader.exec_module(service)
    return service


def loaded_modules() -> set[str]:
    return {name.partition(".")[2] for name in sys.modules if name.startswith("a_service.")}


def test_a_name_loads_its_own_module_alone(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = load(package, monkeypatch)
    assert loaded_modules() == set()
    assert service.Thing == "a thing"
    assert loaded_modules() == {"thing", "outputs"}


def test_a_function_hides_the_module_of_its_name(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = load(package, monkeypatch)
    assert service.get_thing_output == "got later"
    assert service.get_thing == "got"


def test_of_two_names_that_are_alike_the_one_that_is_imported_last_counts(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(package, monkeypatch).ThingArgs == "nested inputs"


def test_a_name_that_is_not_where_it_is_expected_loads_the_service_whole(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = load(package, monkeypatch)
    assert service.IPSet == "a set"
    assert type(service) is ModuleType
    assert (service.Thing, service.ThingArgs, service.get_thing) == ("a thing", "nested inputs", "got")


def test_a_name_that_is_nowhere_is_an_error(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = load(package, monkeypatch)
    with pytest.raises(AttributeError, match="module 'a_service' has no attribute 'Other'"):
        _ = service.Other


def test_a_list_of_names_is_whole(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"Thing", "ThingArgs", "IPSet", "get_thing", "outputs"} <= set(dir(load(package, monkeypatch)))


@pytest.mark.parametrize("line", ["from .thing import Thing", "import json", "x = 1"])
def test_a_package_that_does_anything_else_is_loaded_whole(
    line: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "__init__.py").write_text(f"{PACKAGE}{line}\n", encoding="utf-8")
    service = load(package, monkeypatch)
    assert type(service) is not Service
    assert service.ThingArgs == "nested inputs"
