"""What AWS switches on by itself in the accounts of an organization, and what it refuses there then."""

import pytest

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.member_accounts import ACCOUNT, DETECTOR, HUB
from sandbox.cloud.store import Store

REGION, MANAGEMENT = "eu-west-1", "999900001111"
GUARDDUTY, HUBS = (
    f"aws:{service}/organizationConfiguration:OrganizationConfiguration"
    for service in ("guardduty", "securityhub")
)


class Organization:
    """A management account, its audit account, and the clouds of both."""

    def __init__(self) -> None:
        self.store = Store(":memory:", MANAGEMENT, REGION)
        self.audit = self.join("audit")
        detector = self.make(self.audit, DETECTOR, enable=True)
        self.detector = detector

    def cloud(self, account: str) -> Cloud:
        return Cloud(self.store.elsewhere(account, REGION), {})

    def make(self, account: str, token: str, **inputs: object) -> str:
        return self.cloud(account).create(token, f"urn:pulumi:org::p::{token}::{account}", inputs)[0]

    def join(self, name: str) -> str:
        return self.make(MANAGEMENT, ACCOUNT, name=name, email=f"{name}@harbour.example")

    def watch(self, who: str = "ALL") -> None:
        self.make(self.audit, GUARDDUTY, detectorId=self.detector, autoEnableOrganizationMembers=who)
        self.make(self.audit, HUBS, autoEnable=True)

    def has(self, account: str, kind: str) -> int:
        return len(self.store.elsewhere(account, REGION).all(kind))


def test_all_accounts_get_a_detector_and_later_ones_a_hub_too() -> None:
    org = Organization()
    before = org.join("before")
    org.watch()
    later = org.join("later")
    assert [(org.has(a, DETECTOR), org.has(a, HUB)) for a in (before, later)] == [(1, 0), (1, 1)]
    assert org.has(org.audit, DETECTOR) == 1
    assert org.has(MANAGEMENT, DETECTOR) == 0


def test_new_accounts_alone_get_one_where_only_those_are_meant() -> None:
    org = Organization()
    before = org.join("before")
    org.watch("NEW")
    assert [org.has(a, DETECTOR) for a in (before, org.join("later"))] == [0, 1]


def test_an_account_is_watched_from_when_that_is_said() -> None:
    org = Organization()
    member = org.join("member")
    org.watch("NONE")
    assert not org.has(member, DETECTOR)
    given = {"detectorId": org.detector, "autoEnableOrganizationMembers": "ALL"}
    org.cloud(org.audit).update(GUARDDUTY, org.detector, "urn:pulumi:org::p::x::c", given)
    assert org.has(member, DETECTOR) == 1


@pytest.mark.parametrize(
    ("kind", "code"), [(DETECTOR, "BadRequestException"), (HUB, "ResourceConflictException")]
)
def test_a_second_one_is_refused_there(kind: str, code: str) -> None:
    org = Organization()
    org.watch()
    member = org.join("member")
    with pytest.raises(CloudError, match=f"{code}: it already exists"):
        org.make(member, kind, enable=True)


def test_what_the_account_has_itself_stays_and_cannot_be_deleted() -> None:
    org = Organization()
    member = org.join("member")
    own = org.make(member, DETECTOR, enable=True)
    org.cloud(org.join("free")).delete(DETECTOR, org.make(org.join("other"), DETECTOR, enable=True))
    org.watch()
    assert [r.id for r in org.store.elsewhere(member, REGION).all(DETECTOR)] == [own]
    with pytest.raises(CloudError, match="a member account cannot delete its detector"):
        org.cloud(member).delete(DETECTOR, own)
    assert org.has(member, DETECTOR) == 1


def test_an_account_outside_of_the_organization_deletes_its_own() -> None:
    org = Organization()
    org.watch()
    own = org.make("111122223333", DETECTOR, enable=True)
    org.cloud("111122223333").delete(DETECTOR, own)
    assert not org.has("111122223333", DETECTOR)


@pytest.mark.parametrize(
    ("token", "inputs", "code"),
    [
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, "OptInRequired"),
        (
            "aws:ssm/parameter:Parameter",
            {"name": "/a", "type": "String", "value": "b"},
            "SubscriptionRequired",
        ),
    ],
)
def test_an_account_has_not_all_services_in_its_first_minutes(
    token: str, inputs: dict[str, object], code: str
) -> None:
    org = Organization()
    member = org.join("young")
    org.make(member, "aws:s3/bucket:Bucket", bucket="there-at-once")
    with pytest.raises(CloudError, match=code):
        org.make(member, token, **inputs)
    org.make(MANAGEMENT, token, **inputs)
    org.store.move_clock(0.01)
    org.make(member, token, **inputs)
