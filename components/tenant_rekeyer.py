"""The Lambda that encrypts artefacts anew where a tenant was given another key."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.data_access import keys_through
from components.key import EncryptionKey, EncryptionKeyArgs
from components.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.policy import Statement
from components.shared import Shared
from plan.services import FunctionPlan


@dataclass(frozen=True, kw_only=True)
class TenantRekeyerArgs:
    plan: FunctionPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    shared: Shared


class TenantRekeyer(pulumi.ComponentResource):
    """One function for the whole cell. It gets at the keys and the bucket of those tenants only that were
    given another key.
    """

    function_name: Output[str]
    role_arn: Output[str]

    def __init__(self, name: str, args: TenantRekeyerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:TenantRekeyer", name, None, opts)
        child, shared = ResourceOptions(parent=self), args.shared
        role = function_role(f"{name}-role", "rekeyer", "Encrypts tenants' artefacts anew", shared, child)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "rekeyer"),
                purpose="Environment of the function that encrypts tenants' artefacts anew",
                users={"function": role.arn},
                via=("lambda",),
            ),
            child,
        )
        function = NetworkFunction(
            name,
            NetworkFunctionArgs(
                plan=args.plan,
                description="Encrypts a tenant's artefacts under the tenant's new key",
                role=role,
                statements=_statements(shared),
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment={"CELL": shared.settings.stack},
                shared=shared,
            ),
            child,
        )
        self.function_name, self.role_arn = function.name, role.arn
        self.register_outputs({"functionName": self.function_name, "roleArn": self.role_arn})


def _statements(shared: Shared) -> Sequence[Statement]:
    artefacts = f"arn:aws:s3:::{shared.names.bucket('t', '*')}"
    return (
        Statement(
            sid="ListArtefacts", actions=["s3:ListBucket", "s3:ListBucketVersions"], resources=[artefacts]
        ),
        Statement(
            sid="CopyArtefactsOntoThemselves",
            actions=["s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"],
            resources=[f"{artefacts}/*"],
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
    )
