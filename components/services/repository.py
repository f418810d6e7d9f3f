"""A repository for the images of a service: tags that never move, scanned, under a key of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import ecr

from components.common.context import CellContext
from components.common.iam_policy import Statement, document
from components.common.json_text import json_text
from components.common.key import EncryptionKey, EncryptionKeyArgs
from plan.services.services import RepositoryPlan

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@dataclass(frozen=True, kw_only=True)
class RepositoryArgs:
    """`puller_arn` is the role that starts the service's tasks."""

    plan: RepositoryPlan
    service: str
    puller_arn: Input[str]
    shared: CellContext


class Repository(pulumi.ComponentResource):
    """It keeps every image that has a tag: an old one may be what runs, or what a deployment goes back to."""

    url: Output[str]

    def __init__(self, name: str, args: RepositoryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:Repository", name, None, opts)
        child = ResourceOptions(parent=self)
        protect = args.shared.settings.protect_data
        repository = ecr.Repository(
            f"{name}-repository",
            name=args.plan.name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": _key(name, args, child)}],
            force_delete=not protect,
            opts=ResourceOptions(parent=self, protect=protect),
        )
        ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=json_text({"rules": [_untagged(args.plan.untagged_days)]}),
            opts=child,
        )
        pull = Statement(sid="Pull", actions=PULL, principals={"AWS": [args.puller_arn]}, resources=())
        ecr.RepositoryPolicy(f"{name}-policy", repository=repository.name, policy=document(pull), opts=child)
        self.url = repository.repository_url
        self.register_outputs({"url": self.url})


def _key(name: str, args: RepositoryArgs, child: ResourceOptions) -> Output[str]:
    shared = args.shared
    key = EncryptionKeyArgs(
        settings=shared.settings,
        alias=shared.names.path("alias", "images", args.service),
        purpose=f"Images of {args.service}",
        users={},
        via=("ecr",),
    )
    return EncryptionKey(name, key, child).arn


def _untagged(days: int) -> dict[str, object]:
    """A rule as ECR has it (user guide, "Lifecycle policy parameters", 2026-11)."""
    return {
        "rulePriority": 1,
        "description": "What no tag names",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": days,
        },
        "action": {"type": "expire"},
    }
