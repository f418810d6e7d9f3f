"""Quotas of an account, as AWS says that they are reached; a raised one is honoured."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import Store
from tests.cells import PROJECT
from tests.sandbox.world import (
    ATTACHMENT,
    EIP,
    GROUP,
    INGRESS,
    INSTANCE,
    REGION,
    ROLE,
    TRUST,
    VPC,
    WRITER,
    World,
)


def _networks(w: World) -> dict[str, Any]:
    for i in range(5):
        w.make(VPC, cidrBlock=f"10.{i}.0.0/16")
    return {"cidrBlock": "10.9.0.0/16"}


def _addresses(w: World) -> dict[str, Any]:
    for _ in range(5):
        w.make(EIP, domain="vpc")
    return {"domain": "vpc"}


def _instances(w: World) -> dict[str, Any]:
    for i in range(40):
        w.writer(identifier=f"db{i}")
    return {**WRITER, "identifier": "one-more"}


def _policies_of_a_role(w: World) -> dict[str, Any]:
    w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    for i in range(10):
        w.make(ATTACHMENT, role="r", policyArn=f"arn:aws:iam::aws:policy/P{i}")
    return {"role": "r", "policyArn": "arn:aws:iam::aws:policy/P10"}


def _rules_of_a_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    given = {"securityGroupId": group, "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/16"}
    for port in range(60):
        w.make(INGRESS, **given, fromPort=port + 1, toPort=port + 1)
    return {**given, "fromPort": 99, "toPort": 99}


BEYOND: dict[str, tuple[str, Callable[[World], dict[str, Any]], str]] = {
    "networks beyond the quota": (
        VPC,
        _networks,
        "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    ),
    "addresses beyond the quota": (
        EIP,
        _addresses,
        "AddressLimitExceeded: The maximum number of addresses has been reached.",
    ),
    "instances beyond the quota": (INSTANCE, _instances, "InstanceQuotaExceeded: DB Instance quota exceeded"),
    "policies beyond the quota": (
        ATTACHMENT,
        _policies_of_a_role,
        "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10",
    ),
    "rules beyond the quota": (INGRESS, _rules_of_a_group, "RulesPerSecurityGroupLimitExceeded"),
}


@pytest.mark.parametrize("case", sorted(BEYOND))
def test_what_is_beyond_a_quota_is_refused_and_leaves_nothing(world: World, case: str) -> None:
    token, before, words = BEYOND[case]
    world.refuses(token, before(world), words)


def test_a_raised_quota_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_QUOTA_INCREASES", str(PROJECT / "tenants" / "quota-increases.yaml"))
    cloud = Cloud(Store(":memory:", "444455556666", REGION), {})
    for i in range(6):
        cloud.create(EIP, f"urn:pulumi:dev::p::{EIP}::{i}", {"domain": "vpc"})
    assert cloud.store.count(EIP) == 6
