"""The offboarding of a tenant, one step per run, with what remains after its resources are deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.data.database import Database
from components.tenants.lifecycle_calls import lifecycle_call
from components.tenants.tenant_schemas import end_of
from components.tenants.tenant_stack import TenantStack
from components.tenants.tenant_worker import TenantWorker
from plan.tenants.offboarding import LeavingPlan
from tenants.phases import Phase

REVISION: Final = 1
# An instance of its own cannot be opened by then, for its key is gone.
NOWHERE: Final[Mapping[str, None]] = dict.fromkeys(("host", "port", "database", "masterSecret"))


@dataclass(frozen=True, kw_only=True)
class TenantOffboardingArgs:
    """`tenancy` is None from the step on that erases it, and for the one that keeps the keys: that is given
    these alone, since it comes before all that is under them. `shard` holds the tenant's schema, if one does.
    """

    plan: LeavingPlan
    tenancy: TenantStack | None
    key_arns: Sequence[Input[str]] = ()  # by number; the last is in use
    shard: Database | None
    leaver: TenantWorker
    evidence_bucket: Input[str]


class TenantOffboarding(pulumi.ComponentResource):
    """One call, whose input changes with the step. The function remembers from the call before what it is
    not told any more, because whatever bore the name is gone.
    """

    told: Output[Mapping[str, Any]]

    def __init__(self, name: str, args: TenantOffboardingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:TenantLeaving", name, None, opts)
        call = lifecycle_call(
            f"{name}-step",
            "offboarding",
            function=args.leaver.function_name,
            tenant=args.plan.tenant,
            event={
                "stage": args.plan.phase.row.request,
                "revision": REVISION,
                **EVENTS[args.plan.phase](args),
            },
            records=args.leaver.records,
            opts=ResourceOptions(parent=self, depends_on=_before(args)),
        )
        self.told = call.result
        self.register_outputs({})


def _before(args: TenantOffboardingArgs) -> Sequence[pulumi.Resource]:
    """All that the tenant has, with the changes that this step asks of it."""
    return [args.tenancy] if args.tenancy else []


def _sql(args: TenantOffboardingArgs) -> dict[str, Any]:
    return {"role": args.plan.sql, "schema": args.plan.sql}


def _export(args: TenantOffboardingArgs) -> dict[str, Any]:
    tenant = _tenancy(args).tenant
    return {
        **_sql(args),
        **end_of(tenant.database),
        "tenantSecret": tenant.database_secret_arn,
        "bucket": args.plan.artefacts,
        "handover": args.plan.handover,
        **_tenancy(args).protected,
    }


def _keep(args: TenantOffboardingArgs) -> dict[str, Any]:
    """Where a deletion of the keys is called off nothing that is under them can be changed until then."""
    return _keys(args.key_arns)


def _close(args: TenantOffboardingArgs) -> dict[str, Any]:
    tenancy = _tenancy(args)
    return {
        **_keys(tenancy.key_arns),
        "keyDays": args.plan.key_days,
        "secrets": tenancy.tenant.secret_arns,
        "evidence": args.evidence_bucket,
    }


def _erase(args: TenantOffboardingArgs) -> dict[str, Any]:
    return {
        **_sql(args),
        **_schema_place(args),
        "bucket": args.plan.artefacts,
        "handover": args.plan.handover,
        "instances": list(args.plan.instances),
        **({"copies": list(args.plan.copies)} if args.plan.copies else {}),
        "evidence": args.evidence_bucket,
    }


def _schema_place(args: TenantOffboardingArgs) -> Mapping[str, Any]:
    return end_of(args.shard) if args.shard else NOWHERE


def _certify(args: TenantOffboardingArgs) -> dict[str, Any]:
    return {"evidence": args.evidence_bucket}


def _keys(arns: Sequence[Input[str]]) -> dict[str, Any]:
    """All of them have one end. Who had one key only is told of as before there were others, so that no call
    of theirs is made again.
    """
    *earlier, in_use = arns
    return {"keyArn": in_use, **({"earlierKeys": earlier} if earlier else {})}


def _tenancy(args: TenantOffboardingArgs) -> TenantStack:
    if args.tenancy is None:
        raise ValueError(f"tenant {args.plan.tenant}: {args.plan.phase} needs what it has")
    return args.tenancy


EVENTS: Final = {
    Phase.EXPORTED: _export,
    Phase.RETAINED: _keep,
    Phase.CLOSING: _close,
    Phase.ERASING: _erase,
    Phase.ERASED: _certify,
}
