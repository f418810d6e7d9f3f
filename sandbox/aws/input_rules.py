"""Compiles `input_rules.json`: what public sources say about the inputs of each described type.

`python -m sandbox.aws.input_rules` writes the file from the installed `pulumi_aws` (kinds and nesting), from
the schemas of `cfn-lint` and from botocore's models, as `sources.yaml` maps them; a test says when it is
stale. The plugin reads the file alone: neither package is imported when it runs.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sandbox.aws.sources import api, cfn, sdk, tables
from sandbox.aws.type_descriptions import described

FILE: Final = Path(__file__).with_name("input_rules.json")
MAPPING: Final = Path(__file__).with_name("sources.yaml")
DEPTH: Final = 4  # of nesting; WAF's statements hold statements without end
SECRET: Final = re.compile(r"password|privatekey|secret(string|binary|key)|token$", re.IGNORECASE)
Source = tuple[str, cfn.Node | api.Node]


@cache
def mapping() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(MAPPING.read_text(encoding="utf-8"))


class Compiler:
    """Types and the nested classes that they reach, each written once."""

    def __init__(self) -> None:
        self.classes: dict[str, dict[str, Any]] = {}
        self.token, self.module = "", ""
        self.roots: list[Source] = []
        self.names: dict[str, Any] = {}

    def type(self, token: str) -> dict[str, Any]:
        how = mapping().get(token) or {}
        self.token, self.module = token, sdk.module_of(token)
        self.roots, self.names = [*_roots(how)], how.get("names", {})
        skipped = set(how.get("skip", []))
        return {
            name: self.rule(field, [] if name in skipped else self.matching(name, name, self.roots), name)
            for name, field in sorted(sdk.inputs(token).items())
        }

    def matching(self, path: str, name: str, sources: list[Source]) -> list[Source]:
        """The places that mean an input: those that the mapping names, else that of the same name."""
        if path in self.names:
            paths = _several(self.names[path])
            return [(by, n) for by, root in self.roots for p in paths if (n := _walk(root, p))]
        return [(by, same) for by, node in sources if (same := _same(name, node))]

    def rule(self, field: sdk.Field, sources: list[Source], path: str) -> dict[str, Any]:
        made: dict[str, Any] = {"kind": field.kind}
        if field.listed:
            made["listed"] = True
        if field.required:
            made["required"] = True
        if any(node.is_sensitive for _, node in sources) or SECRET.search(field.name):
            made["secret"] = True
        inner = [(by, node.item()) for by, node in sources]
        if found := _merged(field, sources, False):
            made["checks"] = found
        if field.listed and (found := _merged(field, inner, True)):
            made["each"] = found
        if field.owner and path.count(".") < DEPTH:
            made["of"] = self.nested(field.owner, inner, path)
        return made

    def nested(self, owner: str, sources: list[Source], path: str) -> str:
        is_named = any(n.startswith(f"{path}.") for n in self.names)
        prefix = [f"{self.token}.{path}"] if is_named else []
        key = "|".join([f"{self.module}.{owner}", *prefix, *(n.key for _, n in sources)])
        if key not in self.classes:
            self.classes[key] = {}
            self.classes[key] = {
                name: self.rule(field, self.matching(f"{path}.{name}", name, sources), f"{path}.{name}")
                for name, field in sorted(sdk.nested(self.module, owner).items())
            }
        return key


def _roots(how: dict[str, Any]) -> Iterable[Source]:
    if "cfn" in how:
        yield "cfn", cfn.Node.root(how["cfn"])
    for operation in _several(how.get("api", [])):
        yield "api", api.Node.root(operation)


def _walk(node: Any, path: str) -> Any:
    for part in path.split("."):
        node = node.item().children().get(part)
        if node is None:
            return None
    return node


def _same(name: str, node: Any) -> Any:
    children = {k.lower(): v for k, v in node.children().items()}
    low = name.lower()
    singular = f"{low[:-3]}y" if low.endswith("ies") else low.removesuffix("s")
    return next((children[n] for n in (low, f"{low}s", singular) if n in children), None)


def _fitting(field: sdk.Field, node: Any, each: bool = False) -> dict[str, Any]:
    """The constraints that can be put to a value of this kind: no length of a list to a text."""
    about_items = {"few", "many"}
    found = node.constraints()
    if field.listed and not each:
        return {k: v for k, v in found.items() if k in about_items}
    if field.kind in ("object", "map"):
        return {k: v for k, v in found.items() if k in about_items} if field.kind == "map" else {}
    if node.is_structure or field.kind == "boolean":
        return {}
    return {k: v for k, v in found.items() if k not in about_items}


def _merged(field: sdk.Field, sources: list[Source], each: bool) -> list[dict[str, Any]]:
    """What the sources say, once where they agree; a value that either of them names is one."""
    found: list[dict[str, Any]] = []
    for by, node in sources:
        rule = _fitting(field, node, each)
        for other in found:
            if "enum" in rule and "enum" in other:
                other["enum"] = sorted({*other["enum"], *rule.pop("enum")}, key=str)
                other["by"] = "+".join(sorted({*other["by"].split("+"), by}))
            rule = {k: v for k, v in rule.items() if other.get(k) != v}
        if rule:
            found.append({"by": by, **rule})
    return found


def _several(value: Any) -> list[str]:
    return cast("list[str]", value) if isinstance(value, list) else [value]


def compiled() -> dict[str, Any]:
    compiler = Compiler()
    types = {token: compiler.type(token) for token in described()}
    return {"types": types, "classes": compiler.classes, "tables": tables.all_tables()}


def render() -> str:
    """One line a type or class: small, and a change shows where it is."""
    found = compiled()
    parts = [f"{json.dumps(part)}: {_lines(found[part])}" for part in ("types", "classes", "tables")]
    return "{" + ",\n".join(parts) + "}\n"


def _lines(entries: dict[str, Any]) -> str:
    rows = (
        f"{json.dumps(k)}: {json.dumps(v, sort_keys=True, separators=(',', ':'))}"
        for k, v in sorted(entries.items())
    )
    return "{\n" + ",\n".join(rows) + "\n}"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
