"""Detective services of the audit account, in each Region that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import guardduty, inspector2, securityhub

from components.common.waiting import after

INSPECTED = ("EC2", "ECR", "LAMBDA")


@dataclass(frozen=True, kw_only=True)
class AuditAccountArgs:
    account_id: Input[str]
    providers: Mapping[str, aws.Provider]  # Region → a door into the account there


class AuditAccount(pulumi.ComponentResource):
    """Switched on before the account is made an administrator, since AWS would else switch it on itself."""

    account_id: Output[str]  # waits until all of it is there
    detector_ids: Mapping[str, Output[str]]  # of GuardDuty, by Region

    def __init__(self, name: str, args: AuditAccountArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:organization:AuditAccount", name, None, opts)
        detectors: dict[str, Output[str]] = {}
        ready: list[Output[str]] = []
        for region, provider in args.providers.items():
            there = ResourceOptions(parent=self, provider=provider)
            detectors[region] = guardduty.Detector(
                f"{name}-guardduty-{region}",
                enable=True,
                finding_publishing_frequency="FIFTEEN_MINUTES",
                opts=there,
            ).id
            hub = securityhub.Account(
                f"{name}-security-hub-{region}",
                enable_default_standards=False,
                auto_enable_controls=True,
                control_finding_generator="SECURITY_CONTROL",
                opts=there,
            )
            inspector = inspector2.Enabler(
                f"{name}-inspector-{region}",
                account_ids=[args.account_id],
                resource_types=list(INSPECTED),
                opts=there,
            )
            ready += [detectors[region], hub.id, inspector.id]
        self.detector_ids = detectors
        self.account_id = after(Output.from_input(args.account_id), ready)
        self.register_outputs({"accountId": self.account_id})
