"""A Lambda that works on tenants' data: one function per cell, with its own role and key.

A table entry describes each function (`tenant_mover`, `tenant_offboarder`, `tenant_rekeyer`); its memory, its
time limit and its segment of the network are in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.common.context import CellContext
from components.common.function_code import FunctionCode
from components.common.iam_policy import Statement
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.common.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.tenants.lifecycle_calls import CallRecords, record_calls
from components.tenants.lifecycle_machine import LifecycleMachine, LifecycleStarter, LifecycleStarterArgs
from plan.services.services import FunctionPlan


@dataclass(frozen=True, kw_only=True)
class WorkerKind:
    """What one of these functions is, and nobody else."""

    type: str  # the component's: it is in the URN of everything below, and never changes
    word: str  # names it, its role and its key's alias
    does: str  # "the function that …"
    role: str  # what its role is for
    description: str
    statements: Callable[
        [CellContext], Sequence[Statement]
    ]  # all that it may do beyond what every function may
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TenantWorkerArgs:
    kind: WorkerKind
    plan: FunctionPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    machine: LifecycleMachine
    records: CallRecords
    shared: CellContext


class TenantWorker(pulumi.ComponentResource):
    """Its statements go by patterns of names: a tenant's key, buckets and secrets say when they let it in.

    The program calls a function that starts the worker's executions, under the name that the worker had
    before there were any.
    """

    function_name: Output[str]  # of the starter
    function_arns: Mapping[str, Output[str]]  # of the starter and of the worker, by a word
    role_arn: Output[str]
    records: CallRecords  # of what it was called for

    def __init__(self, name: str, args: TenantWorkerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(args.kind.type, name, None, opts)
        child, kind, shared = ResourceOptions(parent=self), args.kind, args.shared
        role = function_role(f"{name}-role", kind.word, kind.role, shared, child)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", kind.word),
                purpose=f"Environment of the function that {kind.does}",
                users={"function": role.arn},
                via=("lambda",),
            ),
            child,
        )
        worker = NetworkFunction(
            f"{name}-worker",
            NetworkFunctionArgs(
                plan=args.plan,
                description=kind.description,
                role=role,
                statements=[*kind.statements(shared), record_calls(shared)],
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment={"CELL": shared.settings.stack},
                code=FunctionCode(args.plan.folder, kind.distributions),
                # Its role had one called "work" by another resource, which goes once this one is there.
                policy="lifecycle",
                shared=shared,
            ),
            child,
        )
        starter = LifecycleStarter(
            name,
            LifecycleStarterArgs(word=kind.word, worker=worker.name, machine=args.machine, shared=shared),
            child,
        )
        self.function_name, self.role_arn, self.records = starter.name, role.arn, args.records
        self.function_arns = {name: starter.arn, f"{name}-worker": worker.arn}
        self.register_outputs({"functionName": self.function_name, "roleArn": self.role_arn})


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Those of a cell. What is a tenant's lets each of them in only at its time."""

    mover: TenantWorker  # while the tenant moves
    leaver: TenantWorker  # while it leaves
    rekeyer: TenantWorker  # once it has another key than its first
