"""IAM policy documents as data, without a provider call for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi import Input, Output

from components.common.json_text import json_text

Condition = Mapping[str, Mapping[str, Input[Any]]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. Actions are spelled out: `*` is not a way to say what somebody may do."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[Input[str]] = ()  # none in a trust policy
    effect: str = "Allow"
    principals: Mapping[str, Sequence[Input[str]]] | None = None
    condition: Condition = field(default_factory=dict[str, Mapping[str, Input[Any]]])
    ceiling: bool = False  # of a boundary, which gives nothing: its actions may be patterns of a service's

    def __post_init__(self) -> None:
        """Refuses what AWS would refuse, late and without a place, and what this platform does."""
        actions, allow = list(self.actions), self.effect == "Allow"
        malformed = [a for a in actions if a != "*" and not re.fullmatch("[a-z0-9-]+:[A-Za-z0-9*?]+", a)]
        rules = (
            (re.fullmatch("[A-Za-z0-9]+", self.sid), "a sid is made of letters and digits"),
            (self.effect in ("Allow", "Deny"), f"effect is Allow or Deny, got {self.effect!r}"),
            (actions, "expected at least one action"),
            (not malformed, f"an action reads service:Name, got {malformed}"),
            (
                not allow or self.ceiling or not set("*?") & set("".join(actions)),
                f"an allowed action may not hold '*', got {actions}",
            ),
            (
                not allow or self.principals != EVERYONE or self.condition,
                "allowing everybody needs a condition",
            ),
        )
        wrong = [text for right, text in rules if not right]
        if wrong:
            raise ValueError(f"Statement {self.sid}: {wrong[0]}")

    def as_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, "Action": list(self.actions)}
        if self.resources:
            data["Resource"] = list(self.resources)
        if self.principals is not None:
            everyone = self.principals == EVERYONE
            data["Principal"] = "*" if everyone else {k: list(v) for k, v in self.principals.items()}
        if self.condition:
            data["Condition"] = {k: dict(v) for k, v in self.condition.items()}
        return data


# For denials, since one that names nobody refuses everybody; and for policies of VPC endpoints, which
# take no other principal, with a condition that says who it is.
EVERYONE: Mapping[str, Sequence[Input[str]]] = {"AWS": ("*",)}


def document(*statements: Statement) -> Output[str]:
    """The JSON of a policy; known at preview wherever all that it names is. Raises ValueError for a sid
    that is there twice, which AWS refuses.
    """
    twice = [sid for sid, count in Counter(s.sid for s in statements).items() if count > 1]
    if twice:
        raise ValueError(f"policy document: sids used more than once: {twice}")
    data = {"Version": "2012-10-17", "Statement": [s.as_data() for s in statements]}
    return json_text(data, compact=True)


def trust(*services: str, account_id: str, source_arns: Sequence[Input[str]] = ()) -> Output[str]:
    """Who may assume a role: AWS services, for this account's resources only (no confused deputy)."""
    condition: dict[str, Mapping[str, Input[Any]]] = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arns:
        condition["ArnLike"] = {"aws:SourceArn": list(source_arns)}
    return document(
        Statement(
            sid="Assume",
            actions=["sts:AssumeRole"],
            principals={"Service": [f"{s}.amazonaws.com" for s in services]},
            condition=condition,
        )
    )
