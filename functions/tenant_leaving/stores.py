"""The kinds of store that an erasure reports, and how the certificate of destruction looks for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from functions.tenant_leaving.keys import gone
from functions.tenant_leaving.tools import Tools


class StoreKind(StrEnum):
    """What reports and certificates call them; those of plan/tenants/stores.py, as a test holds."""

    SCHEMA = "schema"
    BUCKET = "bucket"
    INSTANCE = "instance"
    SECRET = "secret"  # noqa: S105 - not a password
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Proof:
    """`looked` is the certificate's sentence; `left` names what is still there of a store."""

    looked: str
    left: Callable[[str, Tools], Sequence[str]]


def _bucket(name: str, tools: Tools) -> Sequence[str]:
    return [f"bucket {name}"] if tools.objects.exists(name) else []


def _instance(name: str, tools: Tools) -> Sequence[str]:
    there = [f"instance {name}"] if tools.databases.instance(name) else []
    return there + [f"snapshot {s.name}" for s in tools.databases.snapshots(name) if s.kind == "manual"]


def _secret(arn: str, tools: Tools) -> Sequence[str]:
    return [f"secret {arn}"] if tools.secrets.exists(arn) else []


def _key(arn: str, tools: Tools) -> Sequence[str]:
    return [] if gone(tools.keys.describe(arn), tools.now()) else [f"key {arn}"]


PROOFS: Final[Mapping[StoreKind, Proof]] = {
    # Looked for by `erase`, in the session that dropped it.
    StoreKind.SCHEMA: Proof(
        "not in pg_namespace, nor its role in pg_roles, after they were dropped", lambda _name, _tools: []
    ),
    StoreKind.BUCKET: Proof("s3:HeadBucket does not find it", _bucket),
    StoreKind.INSTANCE: Proof(
        "rds:DescribeDBInstances does not find it, and rds:DescribeDBSnapshots none of it by hand", _instance
    ),
    StoreKind.SECRET: Proof(
        "secretsmanager:DescribeSecret does not find it, or says that it is deleted", _secret
    ),
    StoreKind.KEY: Proof("kms:DescribeKey does not find it, or says that its deletion date has passed", _key),
}
