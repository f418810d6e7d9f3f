"""What the checks need to know of a cell: account, Region, capacity, addresses.

Read from the stack's file over the defaults that `Pulumi.yaml` declares, as the engine resolves them.
The program checks all settings itself; here only what the registry depends on is read.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from config.wording import shown
from config.yaml_reader import compose
from config.yaml_tree import Finding, Items, Map, Node, Scalar, at
from tenants.files import PROJECT_FILE, relative, stack_file
from tenants.models import QuotaProfile

BLOCK_PREFIX: Final = 21  # of a dedicated network
MOST_SHARDS: Final = 26  # they are lettered
NOWHERE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The limits of one stack."""

    stack: str
    environment: str
    account: str
    region: str
    zones: int
    nat_per_zone: bool
    network: str  # CIDR of the cell's own network
    tenant_networks: str  # CIDR that dedicated networks are cut from
    shard_capacity: int  # tenants on one shard
    shard_limit: int  # shards
    reports_replicas: int  # of the report service's database
    backup_copy_region: str  # where backups of databases are copied to; NOWHERE
    tasks: int  # most tasks of a service
    vcpus: int  # of a task
    issuer: bool  # whether tokens come from an issuer outside of the cell
    quotas: QuotaProfile  # that the account has

    @property
    def parent(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.tenant_networks)

    @property
    def blocks(self) -> int:
        """Dedicated networks that fit."""
        return 2 ** (BLOCK_PREFIX - self.parent.prefixlen)


def _text(pattern: str) -> Callable[[Node], str | None]:
    def read(node: Node) -> str | None:
        return node.text if isinstance(node, Scalar) and re.fullmatch(pattern, node.text) else None

    return read


def _account(node: Node) -> str | None:
    """In quotes, since YAML reads digits as a number, and some parsers those with a leading zero as octal."""
    return None if isinstance(node, Scalar) and node.plain else _text(r"[0-9]{12}")(node)


def _whole(least: int, most: int) -> Callable[[Node], int | None]:
    def read(node: Node) -> int | None:
        if not isinstance(node, Scalar) or not re.fullmatch(r"0|[1-9][0-9]{0,4}", node.text):
            return None
        return int(node.text) if least <= int(node.text) <= most else None

    return read


def _network(longest: int) -> Callable[[Node], str | None]:
    def read(node: Node) -> str | None:
        text = node.text if isinstance(node, Scalar) else ""
        try:
            return text if ipaddress.IPv4Network(text).prefixlen <= longest else None
        except ValueError:
            return None

    return read


def _boolean(node: Node) -> bool | None:
    return {"true": True, "false": False}.get(node.text) if isinstance(node, Scalar) else None


def _count(node: Node) -> int | None:
    return len(node.items) if isinstance(node, Items) and node.items else None


def _vcpus(node: Node) -> int | None:
    return {"1024": 1, "2048": 2, "4096": 4}.get(node.text) if isinstance(node, Scalar) else None


def _outside_issuer(node: Node) -> bool | None:
    return node.text != "cognito" if isinstance(node, Scalar) else None


def _quota_profile(node: Node) -> QuotaProfile | None:
    return {str(p): p for p in QuotaProfile}.get(node.text) if isinstance(node, Scalar) else None


# key → (field of `Cell`, what it must be, how it is read: None where it is not that)
_KEYS: Final[Mapping[str, tuple[str, str, Callable[[Node], Any]]]] = {
    "environment": ("environment", "a word such as dev or prod", _text(r"[a-z][a-z0-9-]*")),
    "accountId": ("account", "twelve digits in quotes", _account),
    "region": ("region", "an AWS Region such as eu-west-1", _text(r"[a-z]{2}(-[a-z]+)+-[1-9]")),
    "zones": ("zones", "a list of Availability Zones", _count),
    "natPerZone": ("nat_per_zone", "true or false", _boolean),
    "networkCidr": ("network", "a network such as 10.16.0.0/16", _network(28)),
    "tenantNetworks": (
        "tenant_networks",
        f"a network of at least a /{BLOCK_PREFIX}, such as 10.64.0.0/16",
        _network(BLOCK_PREFIX),
    ),
    "shardCapacity": ("shard_capacity", "a whole number from 1 to 200", _whole(1, 200)),
    "shardLimit": ("shard_limit", f"a whole number from 1 to {MOST_SHARDS}", _whole(1, MOST_SHARDS)),
    "reportsReplicas": ("reports_replicas", "a whole number from 0 to 15", _whole(0, 15)),
    "backupCopyRegion": (
        "backup_copy_region",
        "none, or an AWS Region such as eu-central-1",
        _text(rf"{NOWHERE}|[a-z]{{2}}(-[a-z]+)+-[1-9]"),
    ),
    "tasksMax": ("tasks", "a whole number from 1 to 100", _whole(1, 100)),
    "taskCpu": ("vcpus", "one of 1024, 2048, 4096", _vcpus),
    "jwtIssuer": ("issuer", "cognito, or an https address", _outside_issuer),
    "quotas": ("quotas", f"one of {', '.join(QuotaProfile)}", _quota_profile),
}

Read = Callable[[Path], bytes]


def read_cell(root: Path, stack: str, read: Read = Path.read_bytes) -> tuple[Cell | None, list[Finding]]:
    """The cell of a stack, or None with what is missing or wrong. `read` gives the bytes of a file."""
    path = stack_file(root, stack)
    file = relative(root, path)
    if not path.is_file():
        right = f"write {file} (region, environment, sizes), or rename the registry after its stack"
        return None, [
            Finding(f"tenants/{stack}.yaml", 1, 1, "", f"there is no {file} for this registry", right)
        ]
    own, findings = compose(read(path), file)
    project, more = _project(read(root / PROJECT_FILE))
    if findings or more:
        return None, [*findings, *more]
    name = at(project or Map((), 1, 1), "name")
    prefix = name.text if isinstance(name, Scalar) else ""
    values: dict[str, Any] = {}
    for key, (field, meaning, value_of) in _KEYS.items():
        node = _find(own, "config", f"{prefix}:{key}") or _find(project, "config", key, "default")
        if node is None:
            findings.append(Finding(file, 1, 1, "", f"{prefix}:{key} is missing", f"expected {meaning}"))
            continue
        values[field] = value_of(node)
        if values[field] is None:
            text = shown(node.text) if isinstance(node, Scalar) else "as it stands"
            wrong = f"{prefix}:{key} {text} is not allowed"
            findings.append(Finding(file, node.line, node.column, "", wrong, f"expected {meaning}"))
    return (None if findings else Cell(stack=stack, **values)), findings


@lru_cache(maxsize=4)
def _project(data: bytes) -> tuple[Node | None, tuple[Finding, ...]]:
    """`Pulumi.yaml`, which all stacks share, read once."""
    node, findings = compose(data, PROJECT_FILE)
    return node, tuple(findings)


def _find(node: Node | None, *path: str) -> Node | None:
    for name in path:
        if not isinstance(node, Map):
            return None
        node = next((v for k, v in node.pairs if k.text == name), None)
    return node
