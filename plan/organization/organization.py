"""The plan of the whole organization, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.settings_fields import SettingsError
from organization.models import Account, Duty, Registry, Unit
from plan.names import Names
from plan.organization.policies import KINDS, PolicyPlan, plan_policies
from plan.organization.settings import OrganizationSettings

# Services that work over all accounts at once (Organizations user guide, "Services that you can use with
# AWS Organizations", 2026-11).
SERVICE_ACCESS: Final = tuple(
    f"{service}.amazonaws.com"
    for service in (
        *("access-analyzer", "account", "backup", "cloudtrail", "config", "config-multiaccountsetup"),
        *(
            "guardduty",
            "iam",
            "inspector2",
            "malware-protection.guardduty",
            "member.org.stacksets.cloudformation",
        ),
        *("ram", "securityhub", "sso", "tagpolicies.tag"),
    )
)
# Administered from the audit account through the organization's own list of delegations. GuardDuty,
# Security Hub and Inspector have lists of their own, one in each Region.
DELEGATED: Final = ("access-analyzer", "config", "config-multiaccountsetup")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationPlan:
    """All that the components need to know; they decide nothing that is not in here."""

    settings: OrganizationSettings
    names: Names
    units: tuple[Unit, ...]  # each after the one above it
    accounts: tuple[Account, ...]
    log_archive: Account
    audit: Account
    policies: tuple[PolicyPlan, ...]
    policy_kinds: tuple[str, ...]
    service_access: tuple[str, ...]
    delegated: tuple[str, ...]
    trail_name: str
    trail_bucket: str
    access_logs_bucket: str

    @property
    def trail_arn(self) -> str:
        s = self.settings
        return f"arn:aws:cloudtrail:{s.region}:{s.account_id}:trail/{self.trail_name}"

    @property
    def tags(self) -> Mapping[str, str]:
        """On every resource, by the provider's default tags."""
        return {"project": "tenantry", "cell": self.settings.stack, "environment": "organization"}


def plan_organization(settings: OrganizationSettings, registry: Registry) -> OrganizationPlan:
    """Raises `SettingsError` where the management account is among the member accounts."""
    for account in registry.accounts:
        if account.existing == settings.account_id:
            raise SettingsError(
                f"Pulumi.{settings.stack}.yaml:\n  tenantry:accountId: {settings.account_id} is the account"
                f" {account.id} of organization/accounts.yaml; expected the management account, which is"
                " nobody's member"
            )
    names = Names(settings.stack, settings.account_id)
    return OrganizationPlan(
        settings=settings,
        names=names,
        units=tuple(sorted(registry.units, key=lambda u: (u.id.count("/"), u.id))),
        accounts=registry.accounts,
        log_archive=registry.holder(Duty.LOG_ARCHIVE),
        audit=registry.holder(Duty.AUDIT),
        policies=plan_policies(settings, registry.accounts),
        policy_kinds=KINDS,
        service_access=SERVICE_ACCESS,
        delegated=tuple(f"{service}.amazonaws.com" for service in DELEGATED),
        trail_name=names.label("any", "trail"),
        # named after the management account: the archive's own number is known only once it is made
        trail_bucket=names.bucket("trail"),
        access_logs_bucket=names.bucket("trail-access"),
    )
