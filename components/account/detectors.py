"""Detective services of the account: GuardDuty, Security Hub, Access Analyzer, Inspector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import accessanalyzer, guardduty, inspector2, securityhub

from components.common.alarm_event import AlarmEventArgs, alarm_event
from components.common.context import AccountContext
from plan.account.baseline import Detection

# What GuardDuty looks at beside the trail, the flow logs and DNS, which it always does.
FEATURES: Final = ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS")
STANDARDS: Final[Mapping[str, str]] = {
    "foundational": "aws-foundational-security-best-practices/v/1.0.0",
    "pci-dss": "pci-dss/v/4.0.1",
}
# What Inspector looks for known vulnerabilities in, as an organization has it for its accounts: the provider
# switches off whatever else is on (inspector2/enabler.go of terraform-provider-aws, read 2026-11-29), and a
# member account may not. A cell has no instances, so that EC2 costs nothing.
SCANNED: Final = ("EC2", "ECR", "LAMBDA")
HIGH: Final = 7  # GuardDuty's severities from here on are high and critical
UNUSED_DAYS: Final = 90  # access that nobody used for so long is a finding


@dataclass(frozen=True, kw_only=True)
class DetectorsArgs:
    detection: Detection
    shared: AccountContext


class Detectors(pulumi.ComponentResource):
    """Once per account and Region. What GuardDuty thinks serious goes to the alarms' topic, whoever made it.

    Inspector and the analyzers are the account's own in any case: an organization's auto-enable covers only
    accounts that are made later, and enabling Inspector twice is no error (`enabling-inspector-twice` of
    sandbox/aws/assumptions.yaml: assumed, its API names none).
    """

    def __init__(self, name: str, args: DetectorsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:Detectors", name, None, opts)
        self._name, self._shared = name, args.shared
        self._child = ResourceOptions(parent=self)
        # A member account of an organization cannot switch off what that watches.
        staying = args.detection is not Detection.OWN
        self._detecting = ResourceOptions(parent=self, retain_on_delete=True) if staying else self._child
        if args.detection is not Detection.ORGANIZATION:
            self._make_guardduty()
            self._make_security_hub()
        self._alarm_of_findings()
        self._make_analyzers()
        inspector2.Enabler(
            f"{name}-inspector",
            account_ids=[args.shared.settings.account_id],
            resource_types=list(SCANNED),
            opts=self._detecting,
        )
        self.register_outputs({})

    def _make_guardduty(self) -> None:
        detector = guardduty.Detector(
            f"{self._name}-guardduty",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            opts=self._detecting,
        )
        for feature in FEATURES:
            guardduty.DetectorFeature(
                f"{self._name}-guardduty-{feature.lower().replace('_', '-')}",
                detector_id=detector.id,
                name=feature,
                status="ENABLED",
                opts=self._detecting,
            )

    def _alarm_of_findings(self) -> None:
        pattern = {
            "source": ["aws.guardduty"],
            "detail-type": ["GuardDuty Finding"],
            "detail": {"severity": [{"numeric": [">=", HIGH]}]},
        }
        serious = AlarmEventArgs(
            label="guardduty-findings",
            description="Findings of GuardDuty that are serious",
            pattern=pattern,
            shared=self._shared,
        )
        alarm_event(f"{self._name}-guardduty-findings", serious, self._child)

    def _make_security_hub(self) -> None:
        hub = securityhub.Account(
            f"{self._name}-security-hub",
            enable_default_standards=False,
            auto_enable_controls=True,
            control_finding_generator="SECURITY_CONTROL",
            opts=self._detecting,
        )
        region = self._shared.settings.region
        for short, standard in STANDARDS.items():
            securityhub.StandardsSubscription(
                f"{self._name}-{short}",
                standards_arn=f"arn:aws:securityhub:{region}::standards/{standard}",
                opts=ResourceOptions.merge(self._detecting, ResourceOptions(depends_on=[hub])),
            )

    def _make_analyzers(self) -> None:
        """Who outside can reach what is here, and who inside has what nobody uses."""
        label = self._shared.names.label
        accessanalyzer.Analyzer(
            f"{self._name}-external-access",
            analyzer_name=label("any", "external-access"),
            type="ACCOUNT",
            opts=self._child,
        )
        accessanalyzer.Analyzer(
            f"{self._name}-unused-access",
            analyzer_name=label("any", "unused-access"),
            type="ACCOUNT_UNUSED_ACCESS",
            configuration={"unused_access": {"unused_access_age": UNUSED_DAYS}},
            opts=self._child,
        )
