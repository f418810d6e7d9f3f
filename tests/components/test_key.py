"""Encryption keys: who may use them, how they rotate, what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from components.common.iam_policy import Statement
from components.common.key import ADMINISTER, USE, EncryptionKey, EncryptionKeyArgs, ServiceUse
from devtools.mocks import Registered, run
from tests.cells import settings_of

SETTINGS = settings_of("prod")
ROOT = f"arn:aws:iam::{SETTINGS.account_id}:root"
ROLE = f"arn:aws:iam::{SETTINGS.account_id}:role/reports"


def args(**changes: Any) -> EncryptionKeyArgs:
    given: dict[str, Any] = {
        "settings": SETTINGS,
        "alias": "tenantry/prod/x",
        "purpose": "a test",
        "users": {},
    }
    return EncryptionKeyArgs(**given | changes)


def made(**changes: Any) -> Registered:
    return run(lambda: EncryptionKey("x", args(**changes))).one("kms/key:Key", "x-key")


def statements(**changes: Any) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in json.loads(made(**changes).inputs["policy"])["Statement"]}


def test_a_key_rotates_and_is_not_lost_in_a_hurry() -> None:
    key = made()
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["rotationPeriodInDays"] == 90
    assert key.inputs["deletionWindowInDays"] == 30


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_key_is_protected_where_the_stack_protects_its_data(stack: str) -> None:
    settings = settings_of(stack)
    assert made(settings=settings).protect is settings.protect_data


def test_administrators_look_after_a_key_and_cannot_use_it() -> None:
    found = statements(users={"reports": ROLE})
    assert found["Administer"]["Principal"] == {"AWS": [ROOT]}
    assert not set(ADMINISTER) & (set(USE) - {"kms:DescribeKey"})
    assert not [a for a in ADMINISTER if "*" in a]


def test_a_key_is_used_by_whom_it_names() -> None:
    use = statements(users={"reports": ROLE, "monolith": f"{ROLE}-2"})["Use"]
    assert use["Principal"] == {"AWS": [ROLE, f"{ROLE}-2"]}
    assert set(use["Action"]) == set(USE)


def test_a_key_without_users_is_used_by_nobody() -> None:
    assert set(statements()) == {"Administer"}


def test_callers_come_through_the_named_services_of_this_account_and_region_only() -> None:
    found = statements(via=("s3", "secretsmanager"))
    mine = {
        "kms:CallerAccount": SETTINGS.account_id,
        "kms:ViaService": ["s3.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com"],
    }
    assert found["UseThroughServices"]["Condition"] == {"StringEquals": mine}
    grant = found["GrantToServices"]
    assert grant["Action"] == ["kms:CreateGrant"]
    assert grant["Condition"] == {"StringEquals": mine, "Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_service_uses_a_key_on_the_named_behalf_only() -> None:
    condition = {"StringEquals": {"aws:SourceArn": "arn:trail"}}
    use = ServiceUse(service="cloudtrail", actions=("kms:GenerateDataKey",), condition=condition)
    found = statements(services=[use])["ServiceCloudtrail"]
    assert found["Principal"] == {"Service": ["cloudtrail.amazonaws.com"]}
    assert found["Action"] == ["kms:GenerateDataKey"]
    assert found["Condition"] == condition


def test_a_regional_service_has_a_sid_that_aws_takes() -> None:
    use = ServiceUse(service="logs.eu-west-1", condition={"StringEquals": {"aws:SourceAccount": "1"}})
    assert statements(services=[use])["ServiceLogsEuWest1"]["Action"] == list(USE)


def test_a_service_without_a_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="ServiceUse sns: needs a condition"):
        ServiceUse(service="sns", condition={})


def test_further_statements_stand_beside_the_others() -> None:
    own = Statement(sid="Own", actions=["kms:Decrypt"], resources=["*"], principals={"AWS": [ROLE]})
    assert statements(extra=[own])["Own"]["Action"] == ["kms:Decrypt"]


def test_an_alias_names_the_key() -> None:
    alias = run(lambda: EncryptionKey("x", args())).one("kms/alias:Alias", "x-alias")
    assert alias.inputs["name"] == "alias/tenantry/prod/x"
    assert alias.inputs["targetKeyId"] == "x-key-key-id"


@pytest.mark.parametrize("days", [89, 2561, 0])
def test_a_rotation_that_kms_refuses_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match=rf"rotation_days: expected 90..2560, got {days}"):
        replace(args(), rotation_days=days)


@pytest.mark.parametrize("alias", ["alias/tenantry/x", "aws/tenantry", "with space", ""])
def test_an_alias_that_kms_refuses_is_refused(alias: str) -> None:
    with pytest.raises(ValueError, match=r"EncryptionKeyArgs.alias: expected"):
        replace(args(), alias=alias)
