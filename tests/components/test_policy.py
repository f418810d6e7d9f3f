"""Policy documents: what they say, and what is refused before AWS sees it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pulumi import Output
from pulumi_aws import iam

from components.common.iam_policy import EVERYONE, Statement, document, trust
from devtools.mocks import run


def rendered(make: Callable[[], Output[str]]) -> dict[str, Any]:
    """The document that `make` returns, as a resource would be given it."""
    found = run(lambda: iam.Policy("probe", policy=make()))
    return json.loads(found.one("iam/policy:Policy", "probe").inputs["policy"])


def statement(**changes: Any) -> Statement:
    return Statement(**{"sid": "Read", "actions": ["s3:GetObject"], "resources": ["arn:x"], **changes})


def test_a_document_says_what_its_statements_say() -> None:
    assert rendered(lambda: document(statement(condition={"Bool": {"aws:SecureTransport": "true"}}))) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": ["arn:x"],
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ],
    }


def test_a_document_may_name_what_does_not_exist_yet() -> None:
    found = rendered(lambda: document(statement(resources=[Output.from_input("arn:later")])))
    assert found["Statement"][0]["Resource"] == ["arn:later"]


def test_everybody_is_written_as_a_star() -> None:
    found = rendered(lambda: document(statement(effect="Deny", principals=EVERYONE)))
    assert found["Statement"][0]["Principal"] == "*"


def test_a_policy_that_names_no_principal_has_none() -> None:
    assert "Principal" not in rendered(lambda: document(statement()))["Statement"][0]


@pytest.mark.parametrize("action", ["s3:*", "*", "s3:Get*"])
def test_an_allowed_action_is_spelled_out_and_a_refused_one_need_not_be(action: str) -> None:
    with pytest.raises(ValueError, match=r"Statement Read: an allowed action may not hold '\*'"):
        statement(actions=[action])
    assert statement(effect="Deny", actions=[action]).actions == [action]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sid": "Read it"}, "a sid is made of letters and digits"),
        ({"effect": "Permit"}, "effect is Allow or Deny, got 'Permit'"),
        ({"actions": []}, "expected at least one action"),
        ({"actions": ["GetObject"]}, r"an action reads service:Name, got \['GetObject'\]"),
        ({"actions": "s3:GetObject"}, "an action reads service:Name"),
        ({"principals": EVERYONE}, "allowing everybody needs a condition"),
    ],
)
def test_what_aws_would_refuse_late_is_refused_here(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        statement(**changes)


def test_a_sid_is_there_once() -> None:
    with pytest.raises(ValueError, match=r"sids used more than once: \['Read'\]"):
        document(statement(), statement(actions=["s3:PutObject"]))


def test_a_service_is_trusted_for_this_account_s_resources_only() -> None:
    found = rendered(lambda: trust("ecs-tasks", "lambda", account_id="1", source_arns=["arn:a"]))
    (only,) = found["Statement"]
    assert only["Principal"] == {"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]}
    assert only["Action"] == ["sts:AssumeRole"]
    assert only["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "1"},
        "ArnLike": {"aws:SourceArn": ["arn:a"]},
    }
    assert "Resource" not in only


def test_the_account_is_asked_for_even_where_no_resource_is_named() -> None:
    (only,) = rendered(lambda: trust("lambda", account_id="1"))["Statement"]
    assert only["Condition"] == {"StringEquals": {"aws:SourceAccount": "1"}}
