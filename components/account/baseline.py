"""The landing zone of a cell's account: what must exist before anything runs in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import budgets, iam

from components.account.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.account.audit_trail import AuditTrail, AuditTrailArgs
from components.account.boundary import boundary_document
from components.account.break_glass import BreakGlass, BreakGlassArgs
from components.account.config_recorder import ConfigRecorder, ConfigRecorderArgs
from components.account.defaults import AccountDefaults, AccountDefaultsArgs
from components.account.deploy_roles import DeployRoles, DeployRolesArgs
from components.account.detectors import Detectors, DetectorsArgs
from components.account.log_archive import LogArchive, LogArchiveArgs
from components.account.logs_key import logs_key
from components.common.context import AccountContext
from components.common.key import EncryptionKey
from plan.account.baseline import Duties, trail_alarms
from plan.account.deploy_roles import DeploymentPlan
from plan.names import Names
from plan.settings import AccountSettings


@dataclass(frozen=True, kw_only=True)
class AccountBaselineArgs:
    settings: AccountSettings
    names: Names
    duties: Duties
    deployment: DeploymentPlan | None = None  # None: CI has no roles here
    # Where the organization's trail writes and under what key; None: a trail of the account alone, kept here.
    organization_trail: KeptElsewhere | None = None


@dataclass(frozen=True, kw_only=True)
class KeptElsewhere:
    bucket: Input[str]
    key_arn: Input[str]


class AccountBaseline(pulumi.ComponentResource):
    """Records, detectors, defaults, a boundary for every role, and a way in for emergencies.

    Much of it exists once per account or Region. A cell has an account of its own, as a rule; where it
    shares one, `accountScope` says which stack looks after what (`plan.account.baseline.Duties`).
    """

    shared: AccountContext
    break_glass_role_arn: Output[str] | None  # None: another stack looks after the account
    trail_arn: Output[str] | None

    def __init__(self, name: str, args: AccountBaselineArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:AccountBaseline", name, None, opts)
        self._name, self._args = name, args
        self._child = child = ResourceOptions(parent=self)
        settings, names = args.settings, args.names
        trail_name = names.label("any", "trail")
        trail_arn = f"arn:aws:cloudtrail:{settings.region}:{settings.account_id}:trail/{trail_name}"
        archive = LogArchive(
            f"{name}-archive", LogArchiveArgs(settings=settings, names=names, trail_arn=trail_arn), child
        )
        self.shared = shared = self._make_shared(archive)
        kept = args.duties
        self.trail_arn = self.break_glass_role_arn = None
        if kept.account:
            self.break_glass_role_arn = self._make_break_glass()
            self.trail_arn = self._make_trail(trail_name, trail_arn, archive)
            self._make_budget()
        if kept.region:
            config = ConfigRecorderArgs(
                key_arn=archive.audit_key_arn, whole_account=kept.account, shared=shared
            )
            ConfigRecorder(f"{name}-config", config, child)
            detectors = DetectorsArgs(detection=kept.detection, shared=shared)
            Detectors(f"{name}-detectors", detectors, child)
        self.deploy_role_arns: Mapping[str, Output[str]] = {}
        if args.deployment:
            roles = DeployRolesArgs(plan=args.deployment, duties=kept)
            self.deploy_role_arns = DeployRoles(f"{name}-deploy", roles, child).role_arns
        AccountDefaults(f"{name}-defaults", AccountDefaultsArgs(duties=kept, shared=shared), child)
        self.register_outputs({"breakGlassRoleArn": self.break_glass_role_arn, "trailArn": self.trail_arn})

    def _make_shared(self, archive: LogArchive) -> AccountContext:
        args, child = self._args, self._child
        alarms = AlarmTopicArgs(settings=args.settings, names=args.names)
        topic = AlarmTopic(f"{self._name}-alarms", alarms, child)
        boundary = iam.Policy(
            f"{self._name}-boundary",
            name=args.names.label("policy", "boundary"),
            description="The most that a role of the platform can do",
            policy=boundary_document(args.settings),
            opts=child,
        )
        return AccountContext(
            settings=args.settings,
            names=args.names,
            boundary_arn=boundary.arn,
            logs_key_arn=EncryptionKey(f"{self._name}-logs", logs_key(args.settings, args.names), child).arn,
            access_logs_bucket=archive.access_logs_bucket,
            alarms_topic_arn=topic.arn,
            alarms_key_arn=topic.key_arn,
        )

    def _emergency_role(self) -> str:
        return self._args.names.label("role", "break-glass")

    def _make_break_glass(self) -> Output[str]:
        args = BreakGlassArgs(role_name=self._emergency_role(), shared=self.shared)
        return BreakGlass(f"{self._name}-break-glass", args, self._child).role_arn

    def _make_trail(self, name: str, arn: str, archive: LogArchive) -> Output[str]:
        account, elsewhere = self._args.settings.account_id, self._args.organization_trail
        args = AuditTrailArgs(
            trail_name=name,
            trail_arn=arn,
            key_arn=elsewhere.key_arn if elsewhere else archive.audit_key_arn,
            bucket=elsewhere.bucket if elsewhere else None,
            of_organization=elsewhere is not None,
            alarms=trail_alarms(f"arn:aws:iam::{account}:role/{self._emergency_role()}"),
            shared=self.shared,
        )
        return AuditTrail(f"{self._name}-trail", args, self._child).arn

    def _make_budget(self) -> None:
        """Told at four fifths of what is spent, and as soon as the month looks like going over."""
        budgets.Budget(
            f"{self._name}-budget",
            name=self._args.names.label("any", "account"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{self._args.settings.budget_usd}.0",
            limit_unit="USD",
            notifications=[
                budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    threshold=threshold,
                    threshold_type="PERCENTAGE",
                    notification_type=kind,
                    subscriber_sns_topic_arns=[self.shared.alarms_topic_arn],
                )
                for threshold, kind in ((80, "ACTUAL"), (100, "FORECASTED"))
            ],
            opts=self._child,
        )
