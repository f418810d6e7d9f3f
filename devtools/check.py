"""`make check`: checks the team's files before a merge, without an engine or a database.

Registries, ledgers, service plans and quotas; settings; the organization; exceptions and approvals; the files
that are generated from them; and, where those are fine, every guardrail on what the program would register.
Exit status: 0 fine, 1 where something is wrong, with a line for each problem.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from devtools.generators import organization_policies
from devtools.registrations import plan_for_guardrails, record_registrations
from devtools.stack_plans import engine_config, plan_of_stack, stacks, unreadable
from plan import CellPlan, SettingsError
from plan.organization import OrganizationPlan
from policies.checking import verdicts
from policies.exceptions import ExceptionsError, read_exceptions
from policies.gate import read_approvals
from policies.inventory import RULES
from tenants import RegistryError
from tenants.project import Project
from tenants.registry import examine_all, locked_by_environment
from tenants.schema import stale as stale_schemas

ROOT: Final = Path(__file__).parent.parent
SETTING: Final = re.compile(r"Pulumi\.[a-z0-9-]+\.yaml:\d+:\d+: tenantry:\w+")  # a wrong one, in its place
REMADE: Final = "make generate"
Plans = Mapping[str, CellPlan | OrganizationPlan]


def problems(root: Path) -> list[str]:
    """All that is wrong with a project's files, a line each; empty where nothing is."""
    plans, refused = plans_of(root)
    found = once(
        [*registries(root), *refused, *exceptions_and_approvals(root), *stale_generated_files(root, plans)]
    )
    return found or list(policy_violations(root, plans))


def once(lines: Iterable[str]) -> list[str]:
    """Without what is said twice: a setting that a registry needs too is also checked with all settings."""
    found: dict[str, str] = {}
    for line in lines:
        setting = SETTING.match(line)
        found[setting[0] if setting else line] = line
    return list(found.values())


def registries(root: Path) -> Iterator[str]:
    """Tenants, ledgers, service plans and quotas of all stacks; where `CI` is set, ledgers are complete."""
    project = Project(root)
    _, findings = examine_all(project, project.stacks, locked=locked_by_environment())
    yield from map(str, findings)


def plans_of(root: Path) -> tuple[Plans, list[str]]:
    """The plans of the stacks whose files are right, and what is wrong with the others."""
    plans: dict[str, CellPlan | OrganizationPlan] = {}
    refused: list[str] = []
    for stack in stacks(root):
        if findings := [*unreadable(root, stack)]:
            refused += map(str, findings)
            continue
        try:
            plans[stack] = plan_of_stack(root, stack)
        except SettingsError as wrong:
            refused += lines_of(wrong)
        except RegistryError as wrong:
            refused += str(wrong).splitlines()
    return plans, refused


def lines_of(refusal: SettingsError) -> Iterator[str]:
    """Each wrong setting as `file:line:column: setting: what is wrong`; what has no place, without one."""
    file, *lines = str(refusal).splitlines()
    if not lines:
        yield file
    for line in map(str.strip, lines):
        yield f"{file}{line}" if line[0].isdigit() else f"{file} {line}"


def exceptions_and_approvals(root: Path) -> Iterator[str]:
    """Exceptions to rules and approvals of losses: as files, whatever they allow."""
    readers: Mapping[str, Callable[[Path], object]] = {
        "exceptions.yaml": read_exceptions,
        "approvals.yaml": read_approvals,
    }
    for name, read in readers.items():
        try:
            read(root / "policies" / name)
        except ExceptionsError as wrong:
            yield from (f"policies/{line}" for line in str(wrong).splitlines())


def stale_generated_files(root: Path, plans: Plans) -> Iterator[str]:
    """Committed files that are made from the team's, and are not what those say now."""
    for name in stale_schemas(Project(root)):
        yield f"tenants/{name}.schema.json is stale; run python -m tenants schema --write"
    for plan in plans.values():
        for name in organization_policies.stale(root, plan) if isinstance(plan, OrganizationPlan) else ():
            yield f"organization/policies/{name} is stale; run {REMADE}"


def policy_violations(root: Path, plans: Plans) -> Iterator[str]:
    """What the rules refuse of the resources that the program would register, and exceptions to no purpose.

    Under mocks, which make up what AWS says late: `make preview` judges the engine's own plan once more.
    """
    allowed = read_exceptions(root / "policies" / "exceptions.yaml")
    for stack, plan in plans.items():
        judged = plan_for_guardrails(record_registrations(plan), stack, engine_config(root, stack))
        found = verdicts(judged, RULES, allowed)
        yield from (f"{stack}: {finding}. {finding.rule.remedy}" for finding in found.refused)
        yield from (f"{stack}: policies/{line}" for line in found.stale)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m devtools.check", description="Check the team's files.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
    root: Path = parser.parse_args().root.resolve()
    found = problems(root)
    for line in found:
        print(line)
    summary = f"{len(found)} wrong" if found else "nothing wrong"
    print(f"check: stacks {', '.join(stacks(root))}: {summary}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
