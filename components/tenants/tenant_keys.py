"""What follows from a tenant's new key: artefacts are re-encrypted, and the rest is listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.tenants.lifecycle_calls import lifecycle_call
from components.tenants.tenant_key_and_role import TenantKeyAndRole
from components.tenants.tenant_worker import TenantWorker
from plan.tenants.tenant import TenantPlan

# Raise it when the function has to go over every bucket again.
REVISION: Final = 1


@dataclass(frozen=True, kw_only=True)
class TenantKeysArgs:
    plan: TenantPlan
    identity: TenantKeyAndRole
    bucket: Input[str]  # known once its default is the new key
    rekeyer: TenantWorker


def follow_key(name: str, args: TenantKeysArgs, parent: pulumi.Resource) -> Output[Mapping[str, Any]] | None:
    """A call for each new key, gone on with by the next run where it was cut short; None before the second
    key.
    """
    if not args.plan.keys.turned:
        return None
    keys = args.identity.keys
    call = lifecycle_call(
        f"{name}-rekey",
        "rekey",
        function=args.rekeyer.function_name,
        tenant=args.plan.id,
        event={"bucket": args.bucket, "keyArn": args.identity.key.arn, "revision": REVISION},
        records=args.rekeyer.records,
        # The earlier keys too have to let the function in.
        opts=ResourceOptions(parent=parent, depends_on=list(keys.values())),
    )
    return Output.all(
        inUse=args.plan.keys.current.number,
        keys={str(number): key.arn for number, key in keys.items()},
        artefacts=call.result,
        left=[left.plain() for left in args.plan.keys.left],
    )
