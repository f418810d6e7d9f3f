"""A cell in an account that another stack looks after makes nothing that AWS has once there."""

from dataclasses import replace

import pytest

from plan import plan_cell
from tests.cells import registry_of, settings_of
from tests.program.cell import deploy, deployed

# AWS has one of each in an account, or in an account and Region (API references, 2026-11).
ONCE = {
    "apigateway/account:Account",
    "cfg/deliveryChannel:DeliveryChannel",
    "cfg/recorder:Recorder",
    "ebs/defaultKmsKey:DefaultKmsKey",
    "ebs/encryptionByDefault:EncryptionByDefault",
    "ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
    "ec2/imageBlockPublicAccess:ImageBlockPublicAccess",
    "ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
    "ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions",
    "guardduty/detector:Detector",
    "iam/accountPasswordPolicy:AccountPasswordPolicy",
    "iam/serviceLinkedRole:ServiceLinkedRole",
    "inspector2/enabler:Enabler",
    "s3/accountPublicAccessBlock:AccountPublicAccessBlock",
    "securityhub/account:Account",
}


def found_in(scope: str) -> set[str]:
    settings = replace(settings_of("dev"), account_scope=scope)
    cell = deploy(plan_cell(settings, registry_of("dev")))
    return {r.type.removeprefix("aws:") for r in cell.resources} & ONCE


def test_a_cell_in_its_own_account_looks_after_all_of_it() -> None:
    assert {r.type.removeprefix("aws:") for r in deployed("dev").resources} >= ONCE


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        (
            "region",
            {"iam/accountPasswordPolicy", "iam/serviceLinkedRole", "s3/accountPublicAccessBlock"},
        ),
        ("none", {kind.split(":", 1)[0] for kind in ONCE}),
    ],
)
def test_what_another_stack_looks_after_is_left_to_it(scope: str, left: set[str]) -> None:
    assert {kind.split(":", 1)[0] for kind in ONCE - found_in(scope)} == left
