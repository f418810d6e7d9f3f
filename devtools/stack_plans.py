"""Settings and plans of a project's stacks, read without an engine."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from config.settings_fields import Places, SettingsError, keys_of
from config.stack_file import places_of
from config.yaml_reader import compose
from config.yaml_tree import Finding, Map, at
from organization import open_organization
from plan import CellPlan, plan_cell
from plan.organization import (
    OrganizationPlan,
    OrganizationSettings,
    parse_organization_settings,
    plan_organization,
)
from plan.settings import AccountSettings, Settings, parse_settings
from tenants import RegistryError
from tenants.files import PROJECT_FILE
from tenants.models import Registry
from tenants.project import Project
from tenants.registry import examine

PREFIX: Final = "tenantry:"
MODELS: Final[Mapping[str, type[AccountSettings]]] = {"cell": Settings, "organization": OrganizationSettings}


_SAFE: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there: ten times as fast


class _Loader(_SAFE):
    """Leaves a date the text that a person wrote, which the type of its setting then judges."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load(path: Path) -> dict[str, Any]:
    """A YAML file of which `unreadable` finds nothing."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader


def unreadable(root: Path, stack: str) -> Iterator[Finding]:
    """What keeps settings of a stack from being read: text that is no YAML, no section `config`."""
    for name in (PROJECT_FILE, f"Pulumi.{stack}.yaml"):
        tree, findings = compose((root / name).read_bytes(), name)
        yield from findings
        section = at(tree, "config") if isinstance(tree, Map) else tree
        if not findings and (section is tree or not isinstance(section, Map)):
            wrong = "there are no settings in the section config"
            yield Finding(name, 1, 1, "", wrong, "write config: and settings below it, indented")


def stacks(root: Path, kind: str | None = None) -> tuple[str, ...]:
    """Every stack that has a file of settings, sorted; or those of one kind."""
    found = sorted(
        path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")
    )
    return tuple(stack for stack in found if kind is None or values_of(root, stack)["kind"] == kind)


def declared(root: Path) -> dict[str, dict[str, Any]]:
    """The project's own keys that `Pulumi.yaml` declares."""
    return {k: v for k, v in load(root / PROJECT_FILE)["config"].items() if ":" not in k}


def values_of(root: Path, stack: str) -> dict[str, Any]:
    """Configuration of a stack as the engine resolves it: its file over the declared defaults of its kind."""
    given = load(root / f"Pulumi.{stack}.yaml")["config"]
    # A key without a namespace is the project's, as the engine takes it (Pulumi 3, tried 2026-11-29).
    own = {k.removeprefix(PREFIX): v for k, v in given.items() if k.startswith(PREFIX) or ":" not in k}
    known = keys_of(MODELS.get(str(own.get("kind", "cell")), Settings))
    return {k: v["default"] for k, v in declared(root).items() if "default" in v and k in known} | own


def engine_config(root: Path, stack: str) -> Mapping[str, str]:
    """Configuration as the engine hands it to the program: text, JSON where it is not a string."""
    values = values_of(root, stack)
    return {PREFIX + k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


def settings_of(root: Path, stack: str) -> Settings | OrganizationSettings:
    """The settings of a stack of either kind; raises `SettingsError` naming all wrong ones."""
    values = values_of(root, stack)

    def places() -> Places:
        return places_of(root, stack)

    match values["kind"]:
        case "cell":
            return parse_settings(stack, values, places=places)
        case "organization":
            return parse_organization_settings(stack, values, places=places)
        case other:
            allowed = f"expected one of {', '.join(MODELS)}"
            raise SettingsError(f"Pulumi.{stack}.yaml:\n  tenantry:kind: {other!r} is not allowed; {allowed}")


def plan_of_stack(root: Path, stack: str) -> CellPlan | OrganizationPlan:
    """The plan of a stack, its new tenants placed as a local run would place them; nothing is written.

    Raises `SettingsError` or `RegistryError` with what is wrong.
    """
    settings = settings_of(root, stack)
    if isinstance(settings, Settings):
        return plan_cell(settings, _registry(root, stack))
    return plan_organization(settings, open_organization(stack, root=root))


def _registry(root: Path, stack: str) -> Registry:
    found = examine(Project(root), stack, locked=False)
    if found.findings:
        raise RegistryError(list(found.findings))
    return found.registry
