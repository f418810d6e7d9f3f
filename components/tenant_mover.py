"""The Lambda that moves a tenant's data from one database to another, inside the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.data_access import (
    HOMES,
    RESTORED,
    keys_of_secrets,
    keys_through,
    master_secrets,
    tenant_secrets,
)
from components.function_code import POSTGRES_DRIVER, FunctionCode
from components.key import EncryptionKey, EncryptionKeyArgs
from components.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.policy import Statement
from components.shared import Shared
from plan.services import FunctionPlan

CODE: Final = FunctionCode("tenant_data", POSTGRES_DRIVER, imports=("tenant_bootstrap",))
DUMPS: Final = "moves/"  # in a tenant's bucket: the last dump of a place that it has left


@dataclass(frozen=True, kw_only=True)
class TenantMoverArgs:
    plan: FunctionPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    shared: Shared


class TenantMover(pulumi.ComponentResource):
    """One function for the whole cell. It gets at a tenant's key and bucket only while that tenant moves."""

    function_name: Output[str]
    role_arn: Output[str]

    def __init__(self, name: str, args: TenantMoverArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:TenantMover", name, None, opts)
        child, shared = ResourceOptions(parent=self), args.shared
        role = function_role(f"{name}-role", "mover", "Moves tenants between databases", shared, child)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "mover"),
                purpose="Environment of the function that moves tenants",
                users={"function": role.arn},
                via=("lambda",),
            ),
            child,
        )
        function = NetworkFunction(
            name,
            NetworkFunctionArgs(
                plan=args.plan,
                description="Moves a tenant's data from one database to another",
                role=role,
                statements=_statements(shared),
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment={"CELL": shared.settings.stack},
                code=CODE,
                shared=shared,
            ),
            child,
        )
        self.function_name, self.role_arn = function.name, role.arn
        self.register_outputs({"functionName": self.function_name, "roleArn": self.role_arn})


def _statements(shared: Shared) -> Sequence[Statement]:
    return (
        tenant_secrets(shared, ("database",)),
        *master_secrets(shared, (*HOMES, RESTORED)),
        keys_of_secrets(shared),
        Statement(
            sid="KeepLastDumps",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[f"arn:aws:s3:::{shared.names.bucket('t', '*')}/{DUMPS}*"],
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
    )
