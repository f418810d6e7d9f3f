"""What every component of a cell needs from those before it."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Input

from plan.names import Names
from plan.settings import AccountSettings, Settings


@dataclass(frozen=True, kw_only=True)
class AccountContext:
    """What whatever stands in an account needs, be it a cell's or the organization's own."""

    settings: AccountSettings
    names: Names
    boundary_arn: Input[str]  # the permissions boundary that every role of the platform carries
    logs_key_arn: Input[str]  # encrypts log groups
    access_logs_bucket: Input[str]  # where buckets and balancers write their access logs
    alarms_topic_arn: Input[str]
    alarms_key_arn: Input[str]  # encrypts the topic above

    def for_cell(self, settings: Settings) -> CellContext:
        """The same with all that a cell's settings say."""
        return CellContext(
            settings=settings,
            names=self.names,
            boundary_arn=self.boundary_arn,
            logs_key_arn=self.logs_key_arn,
            access_logs_bucket=self.access_logs_bucket,
            alarms_topic_arn=self.alarms_topic_arn,
            alarms_key_arn=self.alarms_key_arn,
        )

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """The ARN of something whose name is planned, without waiting for it to exist."""
        where = self.settings.region if region else ""
        who = self.settings.account_id if account else ""
        return f"arn:aws:{service}:{where}:{who}:{resource}"


@dataclass(frozen=True, kw_only=True)
class CellContext(AccountContext):
    """Handed down from the account baseline; never built anywhere else but in the platform and in tests."""

    settings: Settings
