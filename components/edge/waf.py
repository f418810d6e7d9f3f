"""The WAF in front of the API: managed rules, and hard limits where usage plans are best effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import cloudwatch, wafv2

from components.common.by_type import by_type
from components.common.context import CellContext
from plan.edge.edge import MANAGED_RULES, RATE_RULES, EdgePlan

if TYPE_CHECKING:
    from pulumi_aws.wafv2 import WebAcl, WebAclLoggingConfiguration
else:  # their modules load the types of all that a rule may say: 0.25 s
    WebAcl = by_type("aws:wafv2/webAcl:WebAcl", "arn")
    WebAclLoggingConfiguration = by_type("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")

KEY_HEADER: Final = "x-api-key"
_REDACTED: Final = ("authorization", KEY_HEADER, "cookie")


@dataclass(frozen=True, kw_only=True)
class WafArgs:
    plan: EdgePlan
    guarded: Mapping[str, Input[str]]  # by a short word: what it stands before
    shared: CellContext


class Waf(pulumi.ComponentResource):
    """It stands before the API and before where tokens are got, and writes what it sees without secrets."""

    def __init__(self, name: str, args: WafArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:edge:Waf", name, None, opts)
        child = ResourceOptions(parent=self)
        plan, shared = args.plan, args.shared
        acl = WebAcl(
            f"{name}-acl",
            name=plan.web_acl,
            description="Before the public API",
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=[*(_managed(p, group) for p, group in MANAGED_RULES.items()), *_limits(plan)],
            visibility_config=_visible(plan.web_acl),
            opts=child,
        )
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=plan.waf_log_group,
            kms_key_id=shared.logs_key_arn,
            retention_in_days=shared.settings.audit_log_days,
            opts=child,
        )
        WebAclLoggingConfiguration(
            f"{name}-logging",
            resource_arn=acl.arn,
            log_destination_configs=[logs.arn],
            redacted_fields=[{"single_header": {"name": header}} for header in _REDACTED],
            opts=child,
        )
        for what, arn in args.guarded.items():
            wafv2.WebAclAssociation(f"{name}-{what}", resource_arn=arn, web_acl_arn=acl.arn, opts=child)
        self.register_outputs({})


def _managed(priority: int, group: str) -> wafv2.WebAclRuleArgsDict:
    return {
        "name": group,
        "priority": priority,
        "override_action": {"none": {}},  # its own actions, which block
        "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": group}},
        "visibility_config": _visible(group),
    }


def _limits(plan: EdgePlan) -> list[wafv2.WebAclRuleArgsDict]:
    """So many requests with one API key; without one, so many from one address."""
    by_key: wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": plan.key_limit,
        "evaluation_window_sec": plan.window_seconds,
        "aggregate_key_type": "CUSTOM_KEYS",
        "custom_keys": [
            {"header": {"name": KEY_HEADER, "text_transformations": [{"priority": 0, "type": "NONE"}]}}
        ],
    }
    by_address: wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": plan.address_limit,
        "evaluation_window_sec": plan.window_seconds,
        "aggregate_key_type": "IP",
        "scope_down_statement": {
            "not_statement": {
                "statement": {
                    "size_constraint_statement": {
                        "field_to_match": {"single_header": {"name": KEY_HEADER}},
                        "comparison_operator": "GT",
                        "size": 0,
                        "text_transformations": [{"priority": 0, "type": "NONE"}],
                    }
                }
            }
        },
    }
    return [
        {
            "name": rule,
            "priority": priority,
            "action": {"block": {"custom_response": {"response_code": 429}}},
            "statement": {"rate_based_statement": statement},
            "visibility_config": _visible(rule),
        }
        for (priority, rule), statement in zip(RATE_RULES.items(), (by_key, by_address), strict=True)
    ]


def _visible(metric: str) -> wafv2.WebAclVisibilityConfigArgsDict:
    return {
        "metric_name": metric,
        "cloudwatch_metrics_enabled": True,
        "sampled_requests_enabled": False,  # samples would show headers to whoever may look at the console
    }
