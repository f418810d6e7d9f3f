"""Quotas of an account, as AWS says that they are reached; a raised one is honoured."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.refusals.quotas import LIMITS, QUOTAS
from sandbox.cloud.profile import Profile, ProfileError
from sandbox.cloud.store import Store
from tenants.project import Project
from tests.cells import PROJECT, ROOT
from tests.sandbox.world import (
    ATTACHMENT,
    EIP,
    FUNCTION,
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


def test_a_quota_that_is_raised_for_a_whole_account_is_honoured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the product counts it, whose roles and buckets are an account's."""
    increases = tmp_path / "quota-increases.yaml"
    increases.write_text("networks: {raised: {'444455556666': 7}}\n", "utf-8")
    monkeypatch.setenv("SANDBOX_QUOTA_INCREASES", str(increases))
    cloud = Cloud(Store(":memory:", "444455556666", REGION), {})
    for i in range(6):
        cloud.create(VPC, f"urn:pulumi:dev::p::{VPC}::{i}", {"cidrBlock": f"10.{i}.0.0/16"})
    assert cloud.store.count(VPC) == 6


MADE = {"runtime": "python3.12", "handler": "a.b", "timeout": 60}


def concurrency(monkeypatch: pytest.MonkeyPatch, profile: str) -> Callable[[str, int | None], str]:
    """How a function that reserves concurrency is made in an account of this profile."""
    monkeypatch.setenv("SANDBOX_PROFILE", profile)
    world = World()
    role = world.arn(ROLE, world.make(ROLE, name="r", assumeRolePolicy=TRUST))

    def make(name: str, reserved: int | None) -> str:
        more = {} if reserved is None else {"reservedConcurrentExecutions": reserved}
        return world.make(FUNCTION, name=name, role=role, **MADE, **more)

    return make


def test_a_new_account_has_no_concurrency_to_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    make = concurrency(monkeypatch, "fresh")
    words = r"UnreservedConcurrentExecution below its minimum value of \[10\]\.$"
    with pytest.raises(CloudError, match=words):
        make("f", 1)
    assert make("g", None) == "g"  # one that reserves nothing runs there


def test_a_hundred_of_the_concurrency_stay_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    make = concurrency(monkeypatch, "raised")
    make("f", 800)
    with pytest.raises(CloudError, match=r"minimum value of \[100\]\.$"):
        make("g", 101)
    assert make("g", 100) == "g"


def test_a_reservation_may_shrink_but_not_grow_beyond_the_quota(world: World) -> None:
    role = world.arn(ROLE, world.make(ROLE, name="r", assumeRolePolicy=TRUST))
    given = {"name": "f", "role": role, **MADE}
    world.make(FUNCTION, **given, reservedConcurrentExecutions=900)
    urn = f"urn:pulumi:dev::p::{FUNCTION}::r"
    with pytest.raises(CloudError, match=r"updating LAMBDA Function \(f\): InvalidParameterValueException"):
        world.cloud.update(FUNCTION, "f", urn, {**given, "reservedConcurrentExecutions": 901})
    assert world.cloud.update(FUNCTION, "f", urn, {**given, "reservedConcurrentExecutions": 10})


def test_a_cloud_stays_what_it_was_made_as(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANDBOX_PROFILE", "fresh")
    first = Store(tmp_path / "c", "111122223333", REGION)
    monkeypatch.setenv("SANDBOX_PROFILE", "raised")
    later = Store(tmp_path / "c", "444455556666", REGION)
    assert {first.profile, later.profile} == {Profile.FRESH}
    monkeypatch.delenv("SANDBOX_PROFILE")
    assert Store(tmp_path / "d", "111122223333", REGION).profile is Profile.RAISED


def test_a_profile_that_there_is_not_makes_no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANDBOX_PROFILE", "frsh")
    with pytest.raises(ProfileError, match="'frsh' is not allowed; expected one of fresh, used, raised"):
        Store(tmp_path / "c", "111122223333", REGION)
    with closing(sqlite3.connect(tmp_path / "c")) as db:
        assert not db.execute("SELECT 1 FROM sqlite_master").fetchall()


def table(file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(file.read_text("utf-8"))


def test_the_product_counts_on_the_quotas_that_the_sandbox_holds_to() -> None:
    """Two files, since the sandbox reads none of the product's: what both have must be the same number."""
    product, held = Project(PROJECT).quotas[0], table(QUOTAS)
    assert {id_: held[id_]["value"] for id_ in product if id_ in held} == {
        id_: quota.value for id_, quota in product.items() if id_ in held
    }
    new = {id_: quota["fresh"]["value"] for id_, quota in held.items() if "fresh" in quota}
    assert new == {id_: quota.fresh.value for id_, quota in product.items() if quota.fresh and id_ in new}
    # What the sandbox does not count: by the zone, by the destination of copies, by the second; tasks, which
    # do not run in it.
    assert product.keys() - held.keys() == {
        "fargate-vcpus",
        "nat-gateways-of-a-zone",
        "backup-replications",
        "requests-per-second",
    }


def test_each_quota_has_a_source_and_a_date_and_counts_something() -> None:
    held = table(QUOTAS)
    assert {limit["quota"] for limit in table(LIMITS).values()} == set(held)
    for id_, quota in held.items():
        assert quota["source"].startswith("https://docs.aws.amazon.com/"), id_
        assert isinstance(quota["dated"], date), id_


OPENED = """
import sys
opened = []
sys.addaudithook(lambda name, args: opened.append(str(args[0])) if name == "open" else None)
from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import Store
Cloud(Store(":memory:", "444455556666", "eu-west-1"), {}).create(
    "aws:ec2/eip:Eip", "urn:pulumi:dev::p::aws:ec2/eip:Eip::a", {"domain": "vpc"}
)
print("\\n".join(opened))
"""


def test_the_sandbox_opens_no_file_of_the_product_but_the_iam_judge() -> None:
    """Whole process, from import to a resource made."""
    answer = subprocess.run(
        [sys.executable, "-B", "-c", OPENED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    rooms = {
        m[1] for line in answer.splitlines() if (m := re.match(rf"{re.escape(str(ROOT))}/([^/.]+)/", line))
    }
    assert "sandbox" in rooms
    assert rooms <= {"sandbox", "iam"}
