"""Policies that are wide without saying so: what a reader may miss, the rules do not."""

import json
from typing import Any

import pytest

from policies.examples import CONFIG
from policies.inventory import BY_ID
from policies.judge import look
from policies.model import Outcome, Plan, Resource

HOME, ABROAD = "111122223333", "999988887777"
OIDC = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
ISSUER = "token.actions.githubusercontent.com"


def outcome(rule: str, kind: str, place: str, **statement: Any) -> Outcome:
    text = json.dumps({"Statement": [{"Sid": "It", "Effect": "Allow", **statement}]})
    it = Resource("urn:pulumi:x::tenantry::it", kind, {place: text})
    return look(BY_ID[rule], it, Plan((it,), "x", CONFIG)).outcome


def may(rule: str, **statement: Any) -> Outcome:
    return outcome(rule, "aws:iam/rolePolicy:RolePolicy", "policy", **statement)


def trusts(rule: str, **statement: Any) -> Outcome:
    return outcome(rule, "aws:iam/role:Role", "assumeRolePolicy", **statement)


@pytest.mark.parametrize("action", ["s3:*", "s3:Get*", "iam:P?ssRole", "kms:*crypt", "*", "sts:Assume*"])
def test_actions_are_spelled_out(action: str) -> None:
    assert may("no-wildcard-actions", Action=["x:Y", action], Resource=["r"]) is Outcome.FAIL


@pytest.mark.parametrize("action", ["ec2:Describe*", "kms:List*", "s3:GetObject"])
def test_looking_at_names_and_settings_may_be_of_all_kinds(action: str) -> None:
    assert may("no-wildcard-actions", Action=action, Resource="r") is Outcome.PASS


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Resource": "*"},
        {"Action": "*:*", "Resource": "*"},
        {"Action": "IAM:*", "Resource": "*"},
        {"Action": "i*:*", "Resource": "*"},
        {"Action": "*:Put*", "Resource": "arn:aws:iam::*:role/*"},
        {"Action": "iam:*", "Resource": "arn:aws:iam::111122223333:*"},
        {"Action": "*", "NotResource": "arn:aws:s3:::x"},
        {"NotAction": "organizations:*", "Resource": "*"},
    ],
)
def test_an_administrator_by_any_spelling(statement: dict[str, Any]) -> None:
    assert may("no-administrators", **statement) is Outcome.FAIL


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        ("*", {}),
        ("arn:aws:s3:::*", {}),
        ("arn:aws:s3:::*/reports/*", {}),
        ("arn:aws:kms:eu-west-1:111122223333:key/*", {}),
        ("arn:aws:secretsmanager:*:*:secret:*", {}),
        ("*", {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        ("*", {"StringLike": {"kms:ResourceAliases": "alias/*"}}),
        ("*", {"StringEqualsIfExists": {"aws:ResourceTag/tenant": "acme"}}),
        ("*", {"ForAllValues:StringLike": {"kms:ResourceAliases": "alias/mine/*"}}),
    ],
)
def test_data_is_named(resource: str, condition: dict[str, Any]) -> None:
    actions = ["s3:Get*", "kms:Decrypt", "secretsmanager:GetSecretValue"]
    found = may("no-sensitive-wildcard-resources", Action=actions, Resource=resource, Condition=condition)
    assert found is Outcome.FAIL


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        ("arn:aws:s3:::mine/*", {}),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:mine/*", {}),
        ("*", {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/mine/*"}}),
        ("*", {"StringEquals": {"aws:ResourceTag/tenant": "acme"}}),
    ],
)
def test_a_name_or_what_is_on_it_is_enough(resource: str, condition: dict[str, Any]) -> None:
    found = may(
        "no-sensitive-wildcard-resources", Action="s3:GetObject", Resource=resource, Condition=condition
    )
    assert found is Outcome.PASS


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, Outcome.FAIL),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, Outcome.PASS),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/x-*"}}, Outcome.PASS),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, Outcome.FAIL),
        ({"StringLike": {"aws:PrincipalAccount": "1*"}}, Outcome.FAIL),
        ({"StringNotEquals": {"aws:PrincipalAccount": HOME}}, Outcome.FAIL),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0a1b2c"}}, Outcome.FAIL),
        ({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, Outcome.FAIL),
        ({"Bool": {"aws:SecureTransport": "true"}}, Outcome.FAIL),
    ],
)
def test_everybody_under_a_condition_is_somebody_if_it_says_who(
    condition: dict[str, Any], found: Outcome
) -> None:
    policy = {"Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", "Condition": condition}
    assert outcome("no-wildcard-principal", "aws:sqs/queuePolicy:QueuePolicy", "policy", **policy) is found


@pytest.mark.parametrize(
    ("subject", "operator", "audience", "found"),
    [
        ("repo:acme/platform:environment:prod", "StringEquals", True, Outcome.PASS),
        ("repo:acme/platform:ref:refs/heads/main", "StringLike", True, Outcome.PASS),
        ("repo:acme/platform:pull_request", "StringEquals", True, Outcome.PASS),
        ("repo:acme/platform:environment:prod", "StringEquals", False, Outcome.FAIL),
        ("repo:acme/platform:environment:prod", "StringNotEquals", True, Outcome.FAIL),
        ("repo:acme/platform:environment:prod", "StringEqualsIfExists", True, Outcome.FAIL),
        ("repo:acme/platform:*", "StringLike", True, Outcome.FAIL),
        ("repo:acme/platform:ref:*", "StringLike", True, Outcome.FAIL),
        ("repo:acme/*:environment:prod", "StringLike", True, Outcome.FAIL),
        ("repo:acme/platform", "StringEquals", True, Outcome.FAIL),
        ("*", "StringLike", True, Outcome.FAIL),
    ],
)
def test_a_token_is_of_one_place_and_for_us(
    subject: str, operator: str, audience: bool, found: Outcome
) -> None:
    condition: dict[str, Any] = {operator: {f"{ISSUER}:sub": subject}}
    if audience:
        condition.setdefault("StringEquals", {})[f"{ISSUER}:aud"] = "sts.amazonaws.com"
    trust = {"Principal": {"Federated": OIDC}, "Action": "sts:AssumeRoleWithWebIdentity"}
    assert trusts("token-of-one-place", **trust, Condition=condition) is found


@pytest.mark.parametrize(
    ("principal", "condition", "found"),
    [
        (f"arn:aws:iam::{HOME}:root", {}, Outcome.PASS),
        (f"arn:aws:iam::{ABROAD}:root", {}, Outcome.FAIL),
        (ABROAD, {}, Outcome.FAIL),
        (f"arn:aws:iam::{ABROAD}:root", {"StringEquals": {"sts:ExternalId": "agreed"}}, Outcome.PASS),
        (f"arn:aws:iam::{ABROAD}:root", {"StringLike": {"sts:ExternalId": "*"}}, Outcome.FAIL),
    ],
)
def test_another_account_is_named_and_bound(
    principal: str, condition: dict[str, Any], found: Outcome
) -> None:
    trust = {"Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
    assert trusts("trust-stays-at-home", **trust) is found
