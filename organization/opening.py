"""Loads the organization's files, checks all of them, and returns what they say."""

from pathlib import Path
from typing import Final

from config.fields import FieldType
from config.typed_files import Entries, M, read_entries
from config.yaml_tree import Finding
from organization.models import ACCOUNT_ID, UNIT_ID, Account, Registry, Unit
from organization.rules import problems
from tenants import RegistryError
from tenants.files import project_root, relative

FOLDER: Final = "organization"


def open_organization(stack: str, *, root: Path | None = None) -> Registry:
    """The checked units and accounts; raises `RegistryError` with everything that is wrong."""
    project = root or project_root()
    units, wrong = _read(project, "units.yaml", Unit, UNIT_ID, "unit")
    accounts, more = _read(project, "accounts.yaml", Account, ACCOUNT_ID, "account")
    findings = [*wrong, *more]
    if units.models and accounts.models:
        findings += problems(units, accounts)
    if findings:
        raise RegistryError(findings)
    return Registry(
        stack=stack,
        units=tuple(sorted(units.models.values(), key=lambda u: u.id)),
        accounts=tuple(sorted(accounts.models.values(), key=lambda a: a.id)),
    )


def _read(
    root: Path, name: str, model: type[M], ids: FieldType, noun: str
) -> tuple[Entries[M], list[Finding]]:
    path = root / FOLDER / name
    file = relative(root, path)
    if not path.is_file():
        gone = Finding(file, 1, 1, "", f"there is no {file}", f"write it: the {noun}s of the organization")
        return Entries(file, {}, {}, frozenset()), [gone]
    entries, findings = read_entries(path.read_bytes(), file, model, ids, noun)
    if not entries.ids and not findings:
        findings = [Finding(file, 1, 1, "", f"the file names no {noun}", "an organization needs some")]
    return entries, findings
