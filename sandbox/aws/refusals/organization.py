"""Rules on the organization: its tree, and the features that it turns on.

Sources: AWS Organizations API reference and quotas (units five deep, five policies a target), IAM API
reference (features of an organization's root users), 2026-11.
"""

from collections.abc import Iterator
from typing import Final

from sandbox.aws.refusals.network import known_list, one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule

UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
ACCOUNT, ATTACHMENT = (
    "aws:organizations/account:Account",
    "aws:organizations/policyAttachment:PolicyAttachment",
)
FEATURES: Final = {"RootCredentialsManagement", "RootSessions"}
DEPTH: Final = 5
POLICIES_OF_A_TARGET: Final = 5


@rule(INPUTS, "aws:iam/organizationsFeatures:OrganizationsFeatures", checks=("enabledFeatures",))
def check_root_user_features(at: RuleContext) -> Iterator[Refusal]:
    wrong = sorted(set(known_list(at.inputs.get("enabledFeatures"))) - FEATURES)
    if wrong:
        words = f"expected enabledFeatures to be of {sorted(FEATURES)}, got {wrong}"
        yield Refusal("ValidationError", words, "enabledFeatures")


@rule(CREATE, UNIT, ACCOUNT, checks=("parentId",))
def check_parent(at: RuleContext) -> Iterator[Refusal]:
    """A root is known by its form alone: it comes with the organization."""
    parent, depth = str(at.known("parentId") or ""), 1
    while parent.startswith("ou-"):
        unit = one(at, UNIT, parent)
        if unit is None:
            yield Refusal("ParentNotFoundException", "You specified a parent that doesn't exist.", "parentId")
            return
        parent, depth = str(unit.outputs.get("parentId") or ""), depth + 1
    if at.token == UNIT and depth > DEPTH:
        words = "You have exceeded the number of levels that organizational units can be nested."
        yield Refusal("ConstraintViolationException", f"OU_DEPTH_LIMIT_EXCEEDED: {words}", "parentId")


@rule(CREATE, ATTACHMENT, checks=("targetId",))
def check_attached_policies(at: RuleContext) -> Iterator[Refusal]:
    if sum(1 for _ in at.others(ATTACHMENT, targetId=at.known("targetId"))) >= POLICIES_OF_A_TARGET:
        words = "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED: You have attached the most policies of a type."
        yield Refusal("ConstraintViolationException", words, "targetId")
