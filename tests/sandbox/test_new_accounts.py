"""What a stack finds in an account that AWS has just made, and in one that somebody has used."""

from pathlib import Path

import pytest

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.new_accounts import CHANNEL, CONFIG, DETECTOR, GATEWAY, LINKED_ROLE, RECORDER, VPC
from sandbox.cloud.store import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"
URN = "urn:pulumi:dev::p::t::n"


def cloud(
    monkeypatch: pytest.MonkeyPatch, profile: str, path: Path | str = ":memory:", region: str = REGION
) -> Cloud:
    monkeypatch.setenv("SANDBOX_PROFILE", profile)
    return Cloud(Store(path, ACCOUNT, region), {})


def number(of: Cloud, kind: str) -> int:
    return len(of.store.in_region(kind))


def test_a_default_network_takes_the_place_of_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    new = cloud(monkeypatch, "fresh")
    (default,) = new.store.in_region(VPC)
    assert default.outputs["cidrBlock"] == "172.31.0.0/16"
    assert [r.outputs["vpcId"] for r in new.store.in_region(GATEWAY)] == [default.id]
    for i in range(4):
        new.create(VPC, f"{URN}{i}", {"cidrBlock": f"10.{i}.0.0/16"})
    with pytest.raises(CloudError, match="VpcLimitExceeded"):
        new.create(VPC, URN, {"cidrBlock": "10.9.0.0/16"})


def test_each_region_is_furnished_once_and_roles_are_the_accounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for region in (REGION, REGION, "eu-central-1"):
        found = cloud(monkeypatch, "fresh", tmp_path / "c", region)
        assert number(found, VPC) == 1
    roles = sorted(r.outputs["awsServiceName"] for r in found.store.all(LINKED_ROLE))
    assert roles == ["support.amazonaws.com", "trustedadvisor.amazonaws.com"]


def test_a_linked_role_that_is_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    new = cloud(monkeypatch, "fresh")
    with pytest.raises(CloudError, match="InvalidInput: it already exists"):
        new.create(LINKED_ROLE, URN, {"awsServiceName": "support.amazonaws.com"})


@pytest.mark.parametrize(
    ("kind", "inputs", "code"),
    [
        (RECORDER, {"name": "mine", "roleArn": "r"}, "MaxNumberOfConfigurationRecordersExceededException"),
        (CHANNEL, {"name": "mine", "s3BucketName": "b"}, "MaxNumberOfDeliveryChannelsExceededException"),
        (DETECTOR, {"enable": True}, "BadRequestException"),
        (LINKED_ROLE, {"awsServiceName": CONFIG}, "InvalidInput"),
    ],
)
def test_an_account_that_was_used_has_what_there_is_once(
    monkeypatch: pytest.MonkeyPatch, kind: str, inputs: dict[str, object], code: str
) -> None:
    monkeypatch.setattr("sandbox.aws.refusals.relations.missing", lambda *_: iter(()))
    with pytest.raises(CloudError, match=f"{code}: it already exists"):
        cloud(monkeypatch, "used").create(kind, URN, inputs)
    fresh = cloud(monkeypatch, "fresh")
    before = {row.id for row in fresh.store.all(kind)}
    made, _ = fresh.create(kind, URN, inputs)
    assert {row.id for row in fresh.store.all(kind)} - before == {made}


def test_accounts_of_other_clouds_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud(monkeypatch, "raised").store.all() == []
