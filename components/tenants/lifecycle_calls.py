"""Calls of lifecycle functions, made by every run until the function has recorded that the work is done.

With the official provider an update of `aws.lambda.Invocation` that failed leaves its new input in the state
(terraform-plugin-sdk #476, pulumi #21458, 2026-11). Whether the next run calls again depends on the bridge:
3.120 does (tests/provider_oracle), and no state says whether a call whose reply was lost was carried out.
So the input of a call names an attempt, which is another one in each run for as long as the function's own
record in Parameter Store does not say that this was done; from then on it is the recorded one, and nothing
differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import lambda_

from components.common.attempts import Records, attempt_of, digest, read_records, record_of
from components.common.context import CellContext
from components.common.iam_policy import Statement
from components.common.json_text import json_text

RECORD: Final = "record"  # the key of an event under which its function finds what to record, and where


CallRecords: TypeAlias = Records  # what functions have recorded of their calls


def records_path(shared: CellContext) -> str:
    """Where the records of a cell begin in Parameter Store: `/tenantry/dev/calls`."""
    return "/" + shared.names.path("parameter", "calls")


def read_call_records(shared: CellContext, parent: pulumi.Resource) -> CallRecords:
    """One question to AWS for the whole cell."""
    return read_records(records_path(shared), parent)


def record_calls(shared: CellContext) -> Statement:
    """Record what was done, and forget it with the resource."""
    return Statement(
        sid="RecordCalls",
        actions=["ssm:PutParameter", "ssm:DeleteParameter"],
        resources=[shared.arn("ssm", f"parameter{records_path(shared)}/*")],
    )


def keep_call_records(shared: CellContext) -> Statement:
    """The same, and read them again, as who follows a call does."""
    record = record_calls(shared)
    return replace(record, sid="KeepCallRecords", actions=["ssm:GetParameter", *record.actions])


@dataclass(frozen=True)
class LifecycleCall:
    resource: lambda_.Invocation
    result: Output[Mapping[str, Any]]  # what the function answered


def lifecycle_call(
    name: str,
    call: str,
    *,
    function: Input[str],
    tenant: str,
    event: Mapping[str, Any],
    records: CallRecords,
    opts: ResourceOptions,
) -> LifecycleCall:
    """A call whose input changes with what is asked; `call` names it among those of its tenant."""
    parameter = f"{records.path}/{tenant}/{call}"
    asked = json_text({"tenant": tenant, **event})
    found = Output.all(asked, records.values).apply(lambda both: record_of(parameter, *both))
    resource = lambda_.Invocation(
        name,
        function_name=function,
        lifecycle_scope="CRUD",
        terraform_key="lifecycle",
        input=Output.all(asked, found).apply(lambda both: _input(parameter, *both)),
        opts=opts,
    )
    # If the function's reply was lost, the state has the answer to the call before.
    result = Output.all(resource.result, found).apply(
        lambda both: both[1].get("result") or json.loads(both[0])
    )
    return LifecycleCall(resource, result)


def _input(parameter: str, asked: str, found: Mapping[str, Any]) -> str:
    record = {"parameter": parameter, "asked": digest(asked), "attempt": attempt_of(found)}
    return json.dumps({**json.loads(asked), RECORD: record})
