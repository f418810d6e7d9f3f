"""CloudFormation's resource provider schemas, as `cfn-lint` ships them: patterns, values, lengths."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

REGION: Final = "eu-west-1"  # of whose schemas the rules are taken; Regions differ in types, hardly in rules
LIMITS: Final = {
    "minimum": "min",
    "maximum": "max",
    "minLength": "short",
    "maxLength": "long",
    "minItems": "few",
    "maxItems": "many",
}


@cache
def _providers() -> dict[str, str]:
    return json.loads(_read(f"providers/{REGION}.json"))


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of a type such as AWS::KMS::Key; KeyError where the Region has none."""
    return json.loads(_read(f"resources/{_providers()[name]}.json"))


def extension(path: str) -> Any:
    """One of cfn-lint's additions to the schemas."""
    return json.loads(_read(f"extensions/{path}.json"))


def create_only(name: str) -> list[str]:
    """Top-level properties whose change makes a new resource."""
    found = [p.removeprefix("/properties/") for p in schema(name).get("createOnlyProperties", [])]
    return sorted(p for p in found if "/" not in p)


def _read(path: str) -> str:
    return files("cfnlint").joinpath("data", "schemas", path).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Node:
    """A place in a schema."""

    name: str
    here: Mapping[str, Any]

    @classmethod
    def root(cls, name: str) -> "Node":
        return cls(name, schema(name))

    @property
    def key(self) -> str:
        return f"{self.name}#{self.here.get('$at', '')}"

    @property
    def is_structure(self) -> bool:
        return "properties" in self.here or self.here.get("type") in ("array", "object")

    @property
    def is_sensitive(self) -> bool:
        return False  # the schemas say what cannot be read, which is another thing

    def children(self) -> dict[str, "Node"]:
        return {k: self._at(v) for k, v in self.here.get("properties", {}).items()}

    def item(self) -> "Node":
        """What a list holds; the place itself where it is no list."""
        return self._at(self.here["items"]) if isinstance(self.here.get("items"), dict) else self

    def constraints(self) -> dict[str, Any]:
        found = {short: self.here[long] for long, short in LIMITS.items() if long in self.here}
        if "enum" in self.here:
            found["enum"] = self.here["enum"]
        if "pattern" in self.here and (pattern := compilable(self.here["pattern"])):
            found["search"] = pattern
        return found

    def _at(self, value: Mapping[str, Any]) -> "Node":
        while "$ref" in value:
            at = value["$ref"].removeprefix("#/")
            target: Any = schema(self.name)
            for part in at.split("/"):
                target = target[part]
            value = {**target, "$at": at}
        return Node(self.name, value)


def compilable(pattern: str) -> str | None:
    """A pattern that Python reads as the source means it; None where it cannot (`\\p{L}`)."""
    if "\\p{" in pattern:
        return None
    try:
        re.compile(pattern)
    except re.error:
        return None
    return pattern
