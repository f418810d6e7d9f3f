"""JSON Schemas of the YAML files, generated from the models, for editors and other tools."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config.fields import Record, Schema
from tenants.field_types import PLAN_ID, TENANT_ID
from tenants.models import Isolation, NetworkMode, Quota, QuotaIncrease, ServicePlan, Tenant
from tenants.project import Project

DRAFT: Final = "http://json-schema.org/draft-07/schema#"


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of file that has a schema."""

    title: str
    ids: Schema
    model: type[Any]
    extend: Callable[[Schema, Project], None] | None = None


def _tenant_rules(schema: Schema, project: Project) -> None:
    """What the loader asks beyond single fields, as far as JSON Schema can say it."""
    schema["properties"]["plan"] = {
        "description": schema["properties"]["plan"]["description"],
        "enum": sorted(project.plans[0]),
    }
    silo = {"properties": {"isolation": {"const": Isolation.SILO.value}}}
    dedicated = {"properties": {"network": {"const": NetworkMode.DEDICATED.value}}, "required": ["network"]}
    overrides = {"properties": {"overrides": {"minProperties": 1}}, "required": ["overrides"]}
    schema["allOf"] = [{"if": case, "then": silo} for case in (dedicated, overrides)]


SUBJECTS: Final[Mapping[str, Subject]] = {
    "registry": Subject("Tenants of one stack, by id", TENANT_ID.schema(), Tenant, _tenant_rules),
    "plans": Subject("Service plans, by id", PLAN_ID.schema(), ServicePlan),
    "quotas": Subject("Quotas of AWS, by id", PLAN_ID.schema(), Quota),
    "quota-increases": Subject("Raised quotas, by the quota's id", PLAN_ID.schema(), QuotaIncrease),
}


def schema_of(name: str, project: Project) -> Schema:
    """The schema of a kind of file: one of `SUBJECTS`."""
    subject = SUBJECTS[name]
    entry = Record(subject.model).schema()
    entry["description"] = (subject.model.__doc__ or "").splitlines()[0]
    if subject.extend:
        subject.extend(entry, project)
    return {
        "$schema": DRAFT,
        "title": subject.title,
        "type": ["object", "null"],
        "propertyNames": subject.ids,
        "additionalProperties": entry,
    }


def schema_text(name: str, project: Project) -> str:
    return json.dumps(schema_of(name, project), indent=2, ensure_ascii=False) + "\n"


def schema_file(root: Path, name: str) -> Path:
    return root / "tenants" / f"{name}.schema.json"


def stale(project: Project) -> list[str]:
    """The kinds of file whose committed schema is missing or not what the models say."""
    found: list[str] = []
    for name in SUBJECTS:
        path = schema_file(project.root, name)
        if not path.is_file() or path.read_text("utf-8") != schema_text(name, project):
            found.append(name)
    return found
