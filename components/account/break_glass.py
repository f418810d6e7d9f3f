"""The break-glass role for emergencies: needs a second factor, lasts an hour, raises an alarm."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import iam

from components.common.context import AccountContext
from components.common.iam_policy import Statement, document
from plan.account.baseline import EVIDENCE, actions

# Everything but identities and the organization. As its boundary too, so that nobody who attaches
# more to the role gives it more.
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
HOUR = 3600  # seconds


@dataclass(frozen=True, kw_only=True)
class BreakGlassArgs:
    role_name: str
    shared: AccountContext


class BreakGlass(pulumi.ComponentResource):
    """Anybody of this account whom an administrator lets assume it, if they signed in with MFA just now.

    It can repair all that the platform runs on, and can neither change who may do what nor stop the
    recording of what it does. The trail raises the alarm (`plan.account.baseline.trail_alarms`).
    """

    role_arn: Output[str]

    def __init__(self, name: str, args: BreakGlassArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:BreakGlass", name, None, opts)
        child = ResourceOptions(parent=self)
        account = args.shared.settings.account_id
        role = iam.Role(
            f"{name}-role",
            name=args.role_name,
            description="Emergency access; assuming it raises an alarm",
            assume_role_policy=document(_trust(account)),
            permissions_boundary=POWER_USER,
            max_session_duration=HOUR,
            opts=child,
        )
        iam.RolePolicyAttachment(f"{name}-repair", role=role.name, policy_arn=POWER_USER, opts=child)
        evidence = Statement(sid="Evidence", effect="Deny", actions=actions(EVIDENCE), resources=["*"])
        iam.RolePolicy(
            f"{name}-evidence", name="evidence", role=role.id, policy=document(evidence), opts=child
        )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})


def _trust(account: str) -> Statement:
    return Statement(
        sid="AssumeWithMfa",
        actions=["sts:AssumeRole", "sts:SetSourceIdentity"],
        principals={"AWS": [f"arn:aws:iam::{account}:root"]},
        condition={
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": str(HOUR)},
        },
    )
