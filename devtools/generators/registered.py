"""The generators of committed files, one row each: `make generate` runs them all.

What is measured is not generated: `make reliability` tries faults and writes the outcome, and `make
requirements` asks the package index.
"""
# ruff: noqa: PLC0415 - a generator's imports take seconds, and a test runs one only

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.paths import ROOT

if TYPE_CHECKING:
    from devtools.mocks import Recording

Files = Mapping[str, str]
"""Path in the repository → text."""
EXAMPLES: Final = ROOT / "tests" / "project"  # whose stacks the pages of examples are made from


@dataclass(frozen=True, slots=True)
class Generator:
    """All are compared by `make lint`; those that are not `fast` share what their own test makes anyway."""

    name: str
    render: Callable[[], Files]
    compared_by: str  # the test that fails while a file is stale
    fast: bool = True
    of_team: bool = False  # made from files of the team, which no test of the product reads
    folder: str = ""  # whose other JSON files have no source any more and go


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _network_paths() -> Files:
    from devtools.generators.network_paths import PAGE, render

    return {_path(PAGE): render()}


def _tenant_lifecycle() -> Files:
    from devtools.generators.tenant_lifecycle import PAGE, render

    return {_path(PAGE): render()}


def _tenant_resources() -> Files:
    from devtools.generators.tenant_resources import PAGE, render

    return {_path(PAGE): render()}


def _command_line() -> Files:
    from devtools.generators.command_line import PAGE, render

    return {_path(PAGE): render()}


def _declared_settings() -> Files:
    from devtools.generators.declared_settings import PROJECT_FILE, render

    return {_path(PROJECT_FILE): render(PROJECT_FILE.read_text("utf-8"))}


def _slow_tests() -> Files:
    from devtools.generators.slow_tests import PAGE, page

    return {_path(PAGE): page(PAGE.read_text("utf-8"))}


def _organization_policies() -> Files:
    from devtools.generators.organization_policies import folder, organizations, render

    return {
        f"{_path(folder(ROOT))}/{name}": text
        for plan in organizations(ROOT)
        for name, text in render(plan).items()
    }


def _schemas() -> Files:
    from tenants.project import Project
    from tenants.schema import SUBJECTS, schema_file, schema_text

    return {_path(schema_file(ROOT, name)): schema_text(name, Project(ROOT)) for name in SUBJECTS}


def _sdk_inputs() -> Files:
    from sandbox.aws.sdk_inputs import FILE, render

    return {_path(FILE): render()}


def _input_rules() -> Files:
    from sandbox.aws.input_rules import FILE, render

    return {_path(FILE): render()}


@cache
def _recording(stack: str) -> "Recording":
    """A stack of the examples under mocks: some seconds, and two generators look at prod."""
    from devtools.registrations import record_registrations
    from devtools.stack_plans import plan_of_stack

    return record_registrations(plan_of_stack(EXAMPLES, stack))


def _sandbox_coverage() -> Files:
    from devtools.stack_plans import stacks
    from sandbox.aws.coverage import covered_inputs, render

    found: dict[str, set[str]] = {}
    for resource in (r for stack in stacks(EXAMPLES) for r in _recording(stack).resources):
        if resource.type.startswith("aws:"):
            given = {k for k, v in resource.inputs.items() if v is not None}
            found.setdefault(resource.type, set()).update(given)
    return {"docs/sandbox-coverage.md": render(covered_inputs(found))}


def _settle_on_aws() -> Files:
    from sandbox.aws.assumptions import render

    return {"docs/settle-on-aws.md": render()}


def _offboarding_stages() -> Files:
    from devtools.generators.offboarding_stages import FILE, render

    return {_path(FILE): render()}


def _reviewed_rules() -> Files:
    from devtools.generators.reviewed_rules import FILE, render
    from policies.inventory import RULES

    return {_path(FILE): render(FILE.read_text("utf-8"), RULES)}


def _controls() -> Files:
    from devtools.generators.controls import PAGE, STACK, render
    from devtools.registrations import plan_for_guardrails
    from devtools.stack_plans import engine_config

    plan = plan_for_guardrails(_recording(STACK), STACK, engine_config(EXAMPLES, STACK))
    return {_path(PAGE): render(plan, EXAMPLES)}


GENERATORS: Final = (
    Generator("network paths", _network_paths, "tests/repo/test_network_paths.py"),
    Generator("tenant lifecycle", _tenant_lifecycle, "tests/tenants/test_lifecycle.py"),
    Generator("tenant resources", _tenant_resources, "tests/repo/test_tenant_resources_page.py"),
    Generator("command line", _command_line, "tests/repo/test_command_line_page.py"),
    Generator("declared settings", _declared_settings, "tests/repo/test_settings_declared.py"),
    Generator("slow tests", _slow_tests, "tests/repo/test_testing_page.py"),
    Generator("stages of an offboarding", _offboarding_stages, "tests/tenants/test_phase_words.py"),
    Generator("reviewed rules", _reviewed_rules, "tests/policies/test_rules.py"),
    Generator(
        "organization policies",
        _organization_policies,
        "tests/repo/test_organization_policies.py",
        of_team=True,
        folder="organization/policies",
    ),
    Generator("registry schemas", _schemas, "tests/tenants/test_schema.py", of_team=True),
    Generator("SDK inputs", _sdk_inputs, "tests/sandbox/test_descriptions.py", fast=False),
    Generator("input rules", _input_rules, "tests/sandbox/test_rules.py", fast=False),
    Generator("sandbox coverage", _sandbox_coverage, "tests/sandbox/test_coverage.py", fast=False),
    Generator("settle on AWS", _settle_on_aws, "tests/sandbox/test_assumptions.py"),
    Generator("controls", _controls, "tests/policies/test_evidence.py", fast=False),
)


def stale(generator: Generator, root: Path = ROOT) -> list[str]:
    """Paths whose text is not what the generator makes, and of files that it makes no more."""
    files = generator.render()
    found = [path for path, text in files.items() if _text(root / path) != text]
    return sorted([*found, *_leftovers(generator, files, root)])


def write(generator: Generator, root: Path = ROOT) -> list[str]:
    """Write the generator's files where they differ, remove what it makes no more; the paths of both."""
    files = generator.render()
    changed = [path for path, text in files.items() if _text(root / path) != text]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files[path], "utf-8")
    gone = _leftovers(generator, files, root)
    for path in gone:
        (root / path).unlink()
    return sorted([*changed, *gone])


def _text(file: Path) -> str | None:
    return file.read_text("utf-8") if file.is_file() else None


def _leftovers(generator: Generator, files: Files, root: Path) -> list[str]:
    if not generator.folder:
        return []
    there = (root / generator.folder).glob("*.json")
    return [path for file in there if (path := file.relative_to(root).as_posix()) not in files]
