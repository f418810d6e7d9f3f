"""botocore's service models: what the calls of an API accept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session

from sandbox.aws.sources.cfn import compilable


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@dataclass(frozen=True)
class Node:
    """A place in the input of an operation."""

    service: str
    shape: Any

    @classmethod
    def root(cls, operation: str) -> "Node":
        """`kms.CreateKey` → its input."""
        service, name = operation.split(".")
        return cls(service, _service(service).operation_model(name).input_shape)

    @property
    def key(self) -> str:
        return f"{self.service}.{self.shape.name}"

    @property
    def is_structure(self) -> bool:
        return self.shape.type_name in ("structure", "list", "map")

    @property
    def is_sensitive(self) -> bool:
        return bool(self.shape.metadata.get("sensitive"))

    def children(self) -> Mapping[str, "Node"]:
        members = getattr(self.shape, "members", {}) if self.shape.type_name == "structure" else {}
        return {k: Node(self.service, v) for k, v in members.items()}

    def item(self) -> "Node":
        return Node(self.service, self.shape.member) if self.shape.type_name == "list" else self

    def constraints(self) -> dict[str, Any]:
        """A pattern of an API holds for the whole value; the models leave out the anchors."""
        data, kind = self.shape.metadata, self.shape.type_name
        low, high = _LIMITS.get(kind, ("", ""))
        found: dict[str, Any] = {}
        if low and "min" in data:
            found[low] = data["min"]
        if high and "max" in data:
            found[high] = data["max"]
        if data.get("enum"):
            found["enum"] = list(data["enum"])
        if "pattern" in data and (pattern := compilable(data["pattern"])):
            found["full"] = pattern
        return found


_NUMBERS = dict.fromkeys(("integer", "long", "float", "double"), ("min", "max"))
_LIMITS = {"string": ("short", "long"), "list": ("few", "many"), "map": ("few", "many"), **_NUMBERS}
