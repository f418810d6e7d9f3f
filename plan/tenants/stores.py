"""Stores that hold a tenant's data: under which key, who may read them, how they end, and what proves that.

The rows of plan/tenants/owned_resources.py say which there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Key(StrEnum):
    """What a store is encrypted under."""

    TENANT = "the tenant's key"
    DATABASE = "the database's: a shard's own, or the tenant's"
    SHARD = "the shard's key"
    COPY = "a key of its own, in the second Region"
    CELL = "the cell's key for logs"


class When(StrEnum):
    """When a role may read a store."""

    ALWAYS = "always"
    MOVING = "while the tenant moves"
    LEAVING = "while the tenant leaves"
    REKEYED = "once the tenant has a second key"


class StoreKind(StrEnum):
    """What erasing and the certificate of destruction call a store; a test compares the functions' words."""

    SCHEMA = "schema"
    BUCKET = "bucket"
    INSTANCE = "instance"
    SECRET = "secret"  # noqa: S105 - not a password
    KEY = "key"


PROOFS: Final[Mapping[StoreKind, str]] = {
    StoreKind.SCHEMA: "not in pg_namespace, nor its role in pg_roles, after they were dropped",
    StoreKind.BUCKET: "s3:HeadBucket does not find it",
    StoreKind.INSTANCE: "rds:DescribeDBInstances does not find it, and rds:DescribeDBSnapshots none of it by"
    " hand",
    StoreKind.SECRET: "secretsmanager:DescribeSecret does not find it, or says that it is deleted",
    StoreKind.KEY: "kms:DescribeKey does not find it, or says that its deletion date has passed",
}
"""How the certificate of destruction says that a store is gone, in its own words."""

Readers = Mapping[str, When]
"""Role of the cell, by the word in its name → when. `tenant` is the tenant's own, which services take on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What holds a tenant's data, and its end."""

    data: str
    key: Key
    readers: Readers
    erased: str
    kind: StoreKind | None = None  # None: the certificate does not look for it
    sent_as: str = ""  # the field by which the function of offboarding is told of it
    unproven: str = ""  # why the certificate does not look for it

    @property
    def proof(self) -> str:
        """How the certificate proves that it is gone, or why it does not."""
        return PROOFS[self.kind] if self.kind else f"not looked for: {self.unproven}"


WITH_THE_RUN: Final = "deleted by the run of `erasing`"
EMPTIED: Final = f"emptied of every version by the function, then {WITH_THE_RUN}"
BY_KEY: Final = "its content is under the tenant's key, and the certificate proves that this is gone"
# Secrets that services use; the break-glass role reads what no policy refuses it.
SECRET_READERS: Final[Readers] = {
    "tenant": When.ALWAYS,
    "bootstrap": When.ALWAYS,  # makes and rotates it
    "break-glass": When.ALWAYS,
}


def secret_store(data: str, readers: Readers) -> Store:
    """A secret under the tenant's key, which the certificate looks for."""
    return Store(
        data=data, key=Key.TENANT, readers=readers, erased=WITH_THE_RUN, kind=StoreKind.SECRET,
        sent_as="secrets",
    )  # fmt: skip
