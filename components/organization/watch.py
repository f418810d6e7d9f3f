"""Monitors all accounts, future ones too, from the audit account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions
from pulumi_aws import accessanalyzer, guardduty, inspector2, securityhub

from components.account.detectors import FEATURES, UNUSED_DAYS
from plan.names import Names


@dataclass(frozen=True, kw_only=True)
class OrganizationWatchArgs:
    names: Names
    home: str  # the Region that findings are gathered in
    detector_ids: Mapping[str, Input[str]]  # of GuardDuty, by Region
    providers: Mapping[str, aws.Provider]  # Region → a door into the account there
    delegated: pulumi.Resource  # until it is there, the account looks after itself alone


class OrganizationWatch(pulumi.ComponentResource):
    """A new account is watched from its first minute, whatever it does itself."""

    def __init__(self, name: str, args: OrganizationWatchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:organization:Watch", name, None, opts)
        self._name, self._args = name, args
        for region in args.providers:
            self._watch(region)
        self._gather()
        self.register_outputs({})

    def _there(self, region: str) -> ResourceOptions:
        args = self._args
        return ResourceOptions(parent=self, provider=args.providers[region], depends_on=[args.delegated])

    def _watch(self, region: str) -> None:
        name, there, detector = self._name, self._there(region), self._args.detector_ids[region]
        guardduty.OrganizationConfiguration(
            f"{name}-guardduty-{region}",
            detector_id=detector,
            auto_enable_organization_members="ALL",
            opts=there,
        )
        for feature in FEATURES:
            guardduty.OrganizationConfigurationFeature(
                f"{name}-guardduty-{region}-{feature.lower().replace('_', '-')}",
                detector_id=detector,
                name=feature,
                auto_enable="ALL",
                opts=there,
            )
        securityhub.OrganizationConfiguration(
            f"{name}-security-hub-{region}", auto_enable=True, auto_enable_standards="DEFAULT", opts=there
        )
        inspector2.OrganizationConfiguration(
            f"{name}-inspector-{region}",
            auto_enable={"ec2": True, "ecr": True, "lambda_": True},
            opts=there,
        )
        for kind in ("ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS"):
            unused = kind == "ORGANIZATION_UNUSED_ACCESS"
            word = "unused-access" if unused else "external-access"
            accessanalyzer.Analyzer(
                f"{name}-{word}-{region}",
                analyzer_name=self._args.names.label("any", word),
                type=kind,
                configuration={"unused_access": {"unused_access_age": UNUSED_DAYS}} if unused else None,
                opts=there,
            )

    def _gather(self) -> None:
        """Findings of all Regions in one place."""
        others = [r for r in self._args.providers if r != self._args.home]
        if others:
            securityhub.FindingAggregator(
                f"{self._name}-findings",
                linking_mode="SPECIFIED_REGIONS",
                specified_regions=others,
                opts=self._there(self._args.home),
            )
