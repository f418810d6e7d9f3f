"""One tenant's policies and another's things: every way to name them, and the ways that are nobody's."""

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.patterns import overlap
from policies.inventory import BY_ID
from policies.judge import look
from policies.model import UNKNOWN, Outcome, Plan, Resource, Verdict
from tests.policies.plans import changed, committed

RULE = BY_ID["tenants-apart"]
MINE, OTHER, ACCOUNT = "amber-pay", "cobalt-fx", "111122223333"
BUCKET = f"arn:aws:s3:::tenantry-dev-t-{OTHER}-{ACCOUNT}"
SECRETS = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret"


def of(plan: Plan, name: str) -> Resource:
    (found,) = [r for r in plan.resources if r.name == name]
    return found


def judged(plan: Plan, name: str) -> Verdict:
    return look(RULE, of(plan, name), plan)


def with_statement(**statement: Any) -> Plan:
    """The dev plan, where amber-pay's role may do one thing more."""
    plan = committed("dev")
    policy = json.loads(str(of(plan, f"{MINE}-tenant-policy").inputs["policy"]))
    policy["Statement"].append({"Sid": "More", "Effect": "Allow", **statement})
    return changed(plan, "RolePolicy", f"{MINE}-tenant-policy", {"policy": json.dumps(policy)})


@pytest.mark.parametrize(
    "resource",
    [
        f"{BUCKET}/*",
        f"{BUCKET}/{MINE}/report.pdf",  # that its own name stands in the path makes it no better
        "arn:aws:s3:::tenantry-dev-t-c*/reports/*",
        "arn:aws:s3:::tenantry-dev-t-??????-??-*/x",
        "arn:aws:s3:::tenantry-dev-t-${aws:PrincipalTag/tenant}*",
        "arn:aws:s3:::*",
        f"{SECRETS}:tenantry/dev/tenants/c*/database-??????",
        f"{SECRETS}:tenantry/dev/tenants/*",
        f"arn:aws:sns:eu-west-1:{ACCOUNT}:*",
        f"arn:aws:iam::{ACCOUNT}:role/tenantry-dev-tenant-*",
        "arn:aws:rds-db:eu-west-1:111122223333:dbuser:*/cobalt_fx",
        "*",
    ],
)
def test_a_resource_that_may_mean_anothers_is_refused(resource: str) -> None:
    verdict = judged(with_statement(Action=["x:Use"], Resource=[resource]), f"{MINE}-tenant-policy")
    assert (verdict.outcome, "statement More of tenant amber-pay" in verdict.why) == (Outcome.FAIL, True)


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["s3:GetObject"], "NotResource": ["arn:aws:s3:::elsewhere/*"]},
        {"NotAction": ["iam:PassRole"], "Resource": ["*"]},
        {
            "Action": ["kms:Decrypt"],
            "Resource": ["*"],
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        },
        {
            "Action": ["kms:Decrypt"],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": OTHER}},
        },
    ],
)
def test_anything_at_all_is_also_what_is_anothers(statement: dict[str, Any]) -> None:
    verdict = judged(with_statement(**statement), f"{MINE}-tenant-policy")
    assert (verdict.outcome, "on anything" in verdict.why) == (Outcome.FAIL, True)


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::tenantry-dev-t-{MINE}-{ACCOUNT}/*"]},
        {"Action": ["ec2:DescribeSubnets", "xray:PutTraceSegments"], "Resource": ["*"]},
        {
            "Action": ["kms:Decrypt"],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": MINE}},
        },
        {"Effect": "Deny", "Action": ["*"], "Resource": [f"{BUCKET}/*"]},
    ],
)
def test_what_is_its_own_is_let_through(statement: dict[str, Any]) -> None:
    assert judged(with_statement(**statement), f"{MINE}-tenant-policy").outcome is Outcome.PASS


def test_a_bucket_that_lets_in_another_tenants_role_is_refused() -> None:
    plan = committed("dev")
    name = f"{MINE}-tenant-artefacts-policy"
    policy = json.loads(str(of(plan, name).inputs["policy"]))
    role = f"arn:aws:iam::{ACCOUNT}:role/tenantry-dev-tenant-{OTHER}"
    policy["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": ["s3:GetObject"], "Resource": ["*"]}
    )
    verdict = judged(changed(plan, "BucketPolicy", name, {"policy": json.dumps(policy)}), name)
    assert (verdict.outcome, OTHER in verdict.why) == (Outcome.FAIL, True)


def test_a_managed_policy_is_that_of_the_roles_it_is_attached_to() -> None:
    plan = committed("dev")
    document = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/*"]}]}
    policy = Resource("urn:x::shared", "aws:iam/policy:Policy", {"policy": json.dumps(document)})
    role = of(plan, f"{MINE}-identity-role")
    attachment = Resource(
        "urn:x::attachment",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": UNKNOWN, "role": UNKNOWN},
        sources={"policyArn": (policy.urn,), "role": (role.urn,)},
    )
    alone = replace(plan, resources=(*plan.resources, policy))
    assert look(RULE, policy, alone).outcome is Outcome.PASS
    assert look(RULE, policy, replace(plan, resources=(*alone.resources, attachment))).outcome is Outcome.FAIL


@pytest.mark.parametrize(("owner", "outcome"), [(MINE, Outcome.UNKNOWN), (OTHER, Outcome.FAIL)])
def test_what_an_unknown_document_is_made_of_is_known(owner: str, outcome: Outcome) -> None:
    """In the first preview of a tenant its policy is not known yet; of whose things it is made, is."""
    plan = committed("dev")
    bucket = of(plan, f"{owner}-tenant-artefacts-bucket")
    made_of = {"policy": (bucket.urn,)}
    later = changed(plan, "RolePolicy", f"{MINE}-tenant-policy", {"policy": UNKNOWN}, sources=made_of)
    assert judged(later, f"{MINE}-tenant-policy").outcome is outcome


@given(*[st.text("ab*?", max_size=3)] * 2)
def test_patterns_overlap_where_some_text_fits_both(one: str, other: str) -> None:
    def fits(wanted: str, text: str) -> bool:
        return re.fullmatch(wanted.replace("*", ".*").replace("?", "."), text) is not None

    texts = ("".join(t) for size in range(5) for t in itertools.product("abx", repeat=size))
    assert overlap(one, other) is any(fits(one, t) and fits(other, t) for t in texts)
