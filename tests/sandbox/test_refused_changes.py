"""What is in use, protected, or would be lost, stays; and a change that AWS refuses changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.aws.cloud import CloudError
from tests.sandbox.world import (
    CERTIFICATE,
    DOMAIN,
    GROUP,
    INGRESS,
    INLINE,
    INSTANCE,
    POLICY,
    ROLE,
    SUBNET,
    SUBNETS,
    TRUST,
    VPC,
    WRITER,
    World,
    identity,
)

LINK = "aws:apigatewayv2/vpcLink:VpcLink"


def _vpc(w: World) -> str:
    return w.network()[0]


def _subnet(w: World) -> str:
    vpc, subnets = w.network()
    w.make(LINK, name="l", subnetIds=subnets, securityGroupIds=[w.make(GROUP, name="a", vpcId=vpc)])
    return subnets[0]


def _group(w: World) -> str:
    vpc, _ = w.network()
    one, other = (w.make(GROUP, name=n, vpcId=vpc) for n in "ab")
    w.make(
        INGRESS, securityGroupId=one, referencedSecurityGroupId=other, ipProtocol="tcp", fromPort=1, toPort=1
    )
    return other


def _role(w: World) -> str:
    role = w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    w.make(INLINE, name="p", role=role, policy=identity(100))
    return role


def _policy(w: World) -> str:
    policy = w.make(POLICY, name="p", policy=identity(100))
    w.make(ROLE, name="r", assumeRolePolicy=TRUST, permissionsBoundary=policy)
    return policy


def _subnets(w: World) -> str:
    made = w.make(SUBNETS, name="g", subnetIds=w.network()[1])
    w.writer(dbSubnetGroupName="g")
    return made


def _certificate(w: World) -> str:
    made = w.make(CERTIFICATE, domainName="api.example.com", validationMethod="DNS")
    w.make(DOMAIN, domainName="api.example.com", regionalCertificateArn=made)
    return made


def _protected(w: World) -> str:
    return w.writer(deletionProtection=True)


def _no_snapshot(w: World) -> str:
    return w.writer(skipFinalSnapshot=False)


def _snapshot_again(w: World) -> str:
    given = {"skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"}
    w.cloud.delete(INSTANCE, w.writer(**given))
    return w.writer(**given)


def _reader(w: World) -> str:
    w.writer()
    given = {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db"}
    return w.make(INSTANCE, **given, skipFinalSnapshot=False, finalSnapshotIdentifier="last")


STAYS: dict[str, tuple[str, Callable[[World], str], str]] = {
    "a network with subnets": (VPC, _vpc, "DependencyViolation: The vpc"),
    "a subnet with interfaces": (SUBNET, _subnet, "DependencyViolation: The subnet"),
    "a group that another names": (GROUP, _group, "DependencyViolation: resource sg-"),
    "a role with policies": (ROLE, _role, "DeleteConflict: Cannot delete entity"),
    "a policy that is a boundary": (
        POLICY,
        _policy,
        "DeleteConflict: Cannot delete a policy attached to entities.",
    ),
    "subnets of a database": (
        SUBNETS,
        _subnets,
        "InvalidDBSubnetGroupStateFault: Cannot delete the subnet group 'g'",
    ),
    "a certificate in use": (CERTIFICATE, _certificate, "ResourceInUseException"),
    "a protected database": (
        INSTANCE,
        _protected,
        "Cannot delete protected DB Instance, please disable deletion protection",
    ),
    "a database without a last snapshot": (INSTANCE, _no_snapshot, "final_snapshot_identifier is required"),
    "a snapshot of a name that is": (
        INSTANCE,
        _snapshot_again,
        "DBSnapshotAlreadyExists: Cannot create the snapshot because a snapshot with the identifier last"
        " already exists.",
    ),
    "a reader with a last snapshot": (
        INSTANCE,
        _reader,
        "can not be specified when deleting a replica instance",
    ),
}


@pytest.mark.parametrize("case", sorted(STAYS))
def test_what_is_in_use_or_would_be_lost_stays(world: World, case: str) -> None:
    token, before, words = STAYS[case]
    made = before(world)
    with pytest.raises(CloudError, match="deleting ") as refused:
        world.cloud.delete(token, made)
    assert words in str(refused.value)
    assert world.cloud.read(token, made) is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"engineVersion": "16.4"}, "Cannot upgrade postgres from 17.2 to 16.4"),
        ({"engineVersion": "18.1"}, "The AllowMajorVersionUpgrade flag must be present"),
        ({"allocatedStorage": 20}, "Invalid storage size for engine name postgres"),
    ],
)
def test_a_database_neither_shrinks_nor_grows_older(world: World, change: dict[str, Any], words: str) -> None:
    made = world.writer()
    with pytest.raises(CloudError, match=words):
        world.cloud.update(INSTANCE, made, "urn:pulumi:dev::p::t::r", {**WRITER, **change})
    row = world.cloud.read(INSTANCE, made)
    assert row is not None
    assert row.inputs["engineVersion"] == "17.2"


def test_a_reader_cannot_be_kept_while_its_source_gets_a_managed_password(world: World) -> None:
    made = world.writer()
    world.make(INSTANCE, identifier="r", instanceClass="db.t4g.medium", replicateSourceDb="db")
    given = {**{k: v for k, v in WRITER.items() if k != "password"}, "manageMasterUserPassword": True}
    with pytest.raises(CloudError, match="You can't enable ManageMasterUserPassword"):
        world.cloud.update(INSTANCE, made, "urn:pulumi:dev::p::t::r", given)
