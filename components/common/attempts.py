"""Attempts: what makes work that was not finished differ in the next run.

With the official provider an update that failed leaves its new inputs in the state (terraform-plugin-sdk
#476, pulumi #21458, 2026-11), so that the next run may see nothing to do. So work names an attempt, another
one in each run until a record in Parameter Store says that exactly this was done; from then on it is the
recorded one, and nothing differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import pulumi
from pulumi import InvokeOptions, Output
from pulumi_aws import ssm

ATTEMPT: Final = "TENANTRY_ATTEMPT"  # names the attempts of a run, where two processes must ask for the same


@dataclass(frozen=True, kw_only=True)
class Records:
    """What was recorded as done, as it was when the run began."""

    path: str  # in Parameter Store
    values: Output[Mapping[str, str]]  # parameter → JSON


def read_records(path: str, parent: pulumi.Resource) -> Records:
    """All below a path: one question to AWS."""
    found = ssm.get_parameters_by_path_output(
        path=path, recursive=True, with_decryption=False, opts=InvokeOptions(parent=parent)
    )
    # The provider takes every value of a parameter for a secret; these hold a digest and a random word.
    values = Output.unsecret(Output.all(found.names, found.values))
    return Records(path=path, values=values.apply(lambda both: dict(zip(*both, strict=True))))


def digest(asked: str) -> str:
    """What stands in a record for what was asked."""
    return hashlib.sha256(asked.encode()).hexdigest()


def record_of(parameter: str, asked: str, recorded: Mapping[str, str]) -> Mapping[str, Any]:
    """The record of exactly this; nothing if there is none, or somebody wrote there what is no record."""
    try:
        found: object = json.loads(recorded.get(parameter, ""))
    except ValueError:
        return {}
    record: Mapping[str, Any] = cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}
    return record if record.get("asked") == digest(asked) else {}


def attempt_of(record: Mapping[str, Any]) -> str:
    """The recorded attempt, or this run's."""
    return record.get("attempt") or new_attempt()


@cache
def new_attempt() -> str:
    """One for all work of a run."""
    return os.environ.get(ATTEMPT) or secrets.token_hex(8)
