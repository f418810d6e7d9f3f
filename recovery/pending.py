"""The operations that an interrupted run left pending, and how to find what they created."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from recovery.engine import Deployment, mapping, pending_operations, resources

IDS: Final = Path(__file__).with_name("ids.yaml")
PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class PendingCreate:
    """A creation that was begun. `id` is where it would be, None where nobody can know."""

    urn: str
    type: str
    parent: str | None
    provider: str | None
    id: str | None
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[1]

    @property
    def clue(self) -> str:
        """By what a person finds it in the console."""
        tags = mapping(self.inputs.get("tags"))
        known = {"Name": tags.get("Name")} | {
            k: self.inputs.get(k) for k in ("name", "description", "cidrBlock", "vpcId")
        }
        words = [f"{k} {v}" for k, v in known.items() if isinstance(v, str) and v]
        return f"{self.type.rsplit(':', 1)[1]} {self.name}" + (f" ({', '.join(words)})" if words else "")


@cache
def import_id_templates() -> Mapping[str, str]:
    return yaml.safe_load(IDS.read_text(encoding="utf-8"))


def pending_creates(deployment: Deployment) -> list[PendingCreate]:
    """The creations that were begun; those of replacements cannot be taken in beside the old one."""
    known = {r["urn"]: r for r in resources(deployment)}
    begun = [o["resource"] for o in pending_operations(deployment) if o.get("type") == "creating"]
    return [_create(r, known) for r in begun]


def other_pending_operations(deployment: Deployment) -> list[str]:
    """The other operations that were begun: the next `up` does them again."""
    found = [o for o in pending_operations(deployment) if o.get("type") != "creating"]
    return [f"{o['type']} {o['resource']['urn'].rsplit('::', 1)[1]}" for o in found]


def _create(begun: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> PendingCreate:
    inputs = mapping(begun.get("inputs"))
    provider = begun.get("provider")
    account_region = _account_and_region(known.get(str(provider).rsplit("::", 1)[0], {}))
    found = None if begun["urn"] in known else import_id(begun["type"], {**inputs, **account_region})
    return PendingCreate(begun["urn"], begun["type"], begun.get("parent"), provider, found, inputs)


def import_id(token: str, values: Mapping[str, Any]) -> str | None:
    """The id by which the provider would read it, None where its type or an input has none to offer."""
    template = import_id_templates().get(token)
    if template is None:
        return None
    needed = PLACE.findall(template)
    if not all(isinstance(values.get(word), str) and values[word] for word in needed):
        return None
    return PLACE.sub(lambda m: values[m[1]], template)


def _account_and_region(provider: Mapping[str, Any]) -> dict[str, str]:
    inputs = mapping(provider.get("inputs"))
    accounts = inputs.get("allowedAccountIds")
    accounts = json.loads(accounts) if isinstance(accounts, str) else accounts
    return {"account": str(accounts[0]) if accounts else "", "region": str(inputs.get("region", ""))}


def import_list(found: Iterable[PendingCreate]) -> dict[str, Any]:
    """What `pulumi import --file` takes."""
    names: dict[str, str] = {}
    listed: list[dict[str, str]] = []
    for create in found:
        entry = {"type": create.type, "name": create.name, "id": str(create.id)}
        if create.parent:
            entry["parent"] = f"parent{len(names)}"
            names[entry["parent"]] = create.parent
        if create.provider:
            entry["provider"] = f"provider{len(names)}"
            names[entry["provider"]] = create.provider.rsplit("::", 1)[0]
        listed.append(entry)
    return {"nameTable": names, "resources": listed}
