"""Events of functions: validated completely before anything is opened, with the team's files' field types.

A resource (`aws_lambda_invocation`) sends them: its input, and under `lifecycle` what happens to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from config.fields import Entry, Fault, FieldType, ListOf, Object, Problem, Text, Whole, read_named
from config.values import tree_of

LIFECYCLE: Final = "lifecycle"  # the key under which the invocation's resource says what happens to it
RECORD: Final = "record"  # the key under which `call_record` finds what to record of the call
RESUME: Final = "resume"  # the key under which `going_on` says where a round goes on from
# `revision` is there only so that a change of it calls the function again.
NOT_READ: Final = frozenset({"revision", LIFECYCLE, RECORD, RESUME})


class RequestError(ValueError):
    """The event is not one that the function serves; the text says what is wrong and never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """Where a database is, and the secret of its administrator."""

    host: str
    port: int
    database: str
    master_secret: str  # ARN


def text(pattern: str, meaning: str) -> Text:
    """Text that the pattern, which bounds its length, matches in full."""
    return Text(re.compile(pattern), meaning, longest=2048)


TENANT: Final = text(r"[a-z][a-z0-9-]{0,58}", "id of a tenant")
# As the bootstrap function makes them; with `m_` for the role that replicates it stays below 63 bytes, to
# which PostgreSQL cuts an identifier.
SQL_NAME: Final = text(r"t_[a-z][a-z0-9_]{0,58}", "name of a tenant's role and schema")
SECRET: Final = text(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+", "ARN of a secret"
)
BUCKET: Final = text(r"[a-z0-9][a-z0-9.-]{2,62}", "name of a bucket")
ADDRESS: Final[Mapping[str, FieldType]] = {
    "host": text(r"[A-Za-z0-9.-]{1,253}", "name of a server"),
    "port": Whole(1, 65535),
    "database": text(r"[a-z][a-z0-9_]{0,62}", "name of a database"),
    "masterSecret": SECRET,
}
ADDRESS_OBJECT: Final = Object(ADDRESS)

KEY: Final = text(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]{3,64}", "ARN of a key")


def each(item: FieldType) -> ListOf:
    return ListOf(item, most=1000)


# Columns that services encrypt; absent where the tenant has none (`functions.common.protected_columns`).
PROTECTED: Final = Object(
    {
        "columns": each(text(r"[^.\"]{1,63}\.[^.\"]{1,63}", "table and column, such as cards.number")),
        "keys": each(KEY),
    }
)


def address_of(given: Mapping[str, Any]) -> DatabaseAddress:
    """Of an event's fields that were read."""
    return DatabaseAddress(
        host=given["host"],
        port=given["port"],
        database=given["database"],
        master_secret=given["masterSecret"],
    )


def read_event(
    event: Mapping[str, Any],
    required: Mapping[str, FieldType],
    optional: Mapping[str, FieldType] | None = None,
    unknown: str = Fault.UNKNOWN,
) -> tuple[Mapping[str, Any], list[str]]:
    """The fields of an event, and a line for each that is wrong: its path, and never its value.

    `unknown` is what is said of a field that should not be there.
    """
    known = {name: Entry(type_, "", True, None) for name, type_ in required.items()}
    known |= {name: Entry(type_, "", False, None) for name, type_ in (optional or {}).items()}
    problems: list[Problem] = []
    given = {name: value for name, value in event.items() if name not in NOT_READ}
    root = tree_of(given)
    values = read_named(known, root, "", root, problems.append)
    lines = [f"{p.path}: {unknown if p.fault is Fault.UNKNOWN else p.fault}" for p in problems]
    return values or {}, sorted(lines)


def lifecycle_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the resource says of itself: `action`, and `prev_input` where it was changed."""
    found = event.get(LIFECYCLE)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def is_deleted(event: Mapping[str, Any]) -> bool:
    """Whether the resource ends, and nothing is to be done."""
    return lifecycle_of(event).get("action") == "delete"


def other_tenants_names(event: Mapping[str, Any]) -> list[str]:
    """What in an event is not of its tenant: role, schema and secret have the tenant's name in theirs."""
    tenant, name = event["tenant"], "t_" + event["tenant"].replace("-", "_")
    wrong = [f"{field}: expected {name}" for field in ("role", "schema") if event.get(field, name) != name]
    for field, kind in (("tenantSecret", "database"), ("webhookSecret", "webhook")):
        arn = event.get(field)
        if arn is not None and f"/tenants/{tenant}/{kind}-" not in arn:
            wrong.append(f"{field}: not a {kind} secret of tenant {tenant}")
    return wrong
