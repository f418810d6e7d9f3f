"""What the checks need to know of a cell: its Region, its capacity, its addresses.

Read from the stack's file over the defaults that `Pulumi.yaml` declares, as the engine resolves them.
The program checks all settings itself; here only what the registry depends on is read.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenants.compose import compose
from tenants.files import PROJECT_FILE, relative, stack_file
from tenants.nodes import Finding, Map, Node, Scalar, at

BLOCK_PREFIX: Final = 21  # of a dedicated network
MOST_SHARDS: Final = 26  # they are lettered


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The limits of one stack."""

    stack: str
    environment: str
    region: str
    shard_capacity: int  # tenants on one shard
    shard_limit: int  # shards
    tenant_networks: str  # CIDR that dedicated networks are cut from

    @property
    def parent(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.tenant_networks)

    @property
    def blocks(self) -> int:
        """Dedicated networks that fit."""
        return 2 ** (BLOCK_PREFIX - self.parent.prefixlen)


def _network(text: str) -> bool:
    try:
        return ipaddress.IPv4Network(text).prefixlen <= BLOCK_PREFIX
    except ValueError:
        return False


def _whole(text: str, most: int) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]{0,4}", text)) and int(text) <= most


# key → (what it must be, in words and as a test)
_KEYS: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "environment": ("a word such as dev or prod", lambda t: bool(re.fullmatch(r"[a-z][a-z0-9-]*", t))),
    "region": (
        "an AWS Region such as eu-west-1",
        lambda t: bool(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[1-9]", t)),
    ),
    "shardCapacity": ("a whole number from 1 to 200", lambda t: _whole(t, 200)),
    "shardLimit": (f"a whole number from 1 to {MOST_SHARDS}", lambda t: _whole(t, MOST_SHARDS)),
    "tenantNetworks": (f"a network of at least a /{BLOCK_PREFIX}, such as 10.64.0.0/16", _network),
}


def read_cell(root: Path, stack: str) -> tuple[Cell | None, list[Finding]]:
    """The cell of a stack, or None with what is missing or wrong."""
    path = stack_file(root, stack)
    file = relative(root, path)
    if not path.is_file():
        right = f"write {file} (region, environment, sizes), or rename the registry after its stack"
        return None, [
            Finding(f"tenants/{stack}.yaml", 1, 1, "", f"there is no {file} for this registry", right)
        ]
    own, findings = compose(path.read_bytes(), file)
    project, more = compose((root / PROJECT_FILE).read_bytes(), PROJECT_FILE)
    findings += more
    if findings:
        return None, findings
    name = at(project or Map((), 1, 1), "name")
    prefix = name.text if isinstance(name, Scalar) else ""
    values: dict[str, str] = {}
    for key, (meaning, right) in _KEYS.items():
        value = _value(own, "config", f"{prefix}:{key}") or _value(project, "config", key, "default")
        if value is None:
            findings.append(Finding(file, 1, 1, "", f"{prefix}:{key} is missing", f"expected {meaning}"))
        elif not right(value.text):
            wrong = f"{prefix}:{key} {value.text!r} is not allowed"
            findings.append(Finding(file, value.line, value.column, "", wrong, f"expected {meaning}"))
        else:
            values[key] = value.text
    return (None if findings else _cell(stack, values)), findings


def _value(node: Node | None, *path: str) -> Scalar | None:
    for name in path:
        if not isinstance(node, Map):
            return None
        node = next((v for k, v in node.pairs if k.text == name), None)
    return node if isinstance(node, Scalar) else None


def _cell(stack: str, values: Mapping[str, str]) -> Cell:
    return Cell(
        stack=stack,
        environment=values["environment"],
        region=values["region"],
        shard_capacity=int(values["shardCapacity"]),
        shard_limit=int(values["shardLimit"]),
        tenant_networks=values["tenantNetworks"],
    )
