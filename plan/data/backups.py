"""Plan of the daily snapshots of every database, in a vault that can be locked.

After a mistake, a database is restored from its own backups, to any second. The vault is for the day when
somebody has deleted those too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from plan.data.alarms import AlarmPlan, Severity
from plan.data.databases import BACKED_UP
from plan.names import PROJECT, Names
from plan.settings import NOWHERE, Settings

DAY_SECONDS: Final = 86_400
# Until a compliance lock is for ever (AWS Backup API, PutBackupVaultLockConfiguration: at least 3, 2026-11).
GRACE_DAYS: Final = 14
_FAILURES: Final = ("ABORTED", "EXPIRED", "FAILED", "PARTIAL")


class Lock(StrEnum):
    """Who may shorten what a vault promises: with `compliance` and after its grace time not AWS either."""

    NONE = "none"
    GOVERNANCE = "governance"  # those who may change the lock itself
    COMPLIANCE = "compliance"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """One rule of a backup plan. `schedule` is in UTC, times are in minutes."""

    name: str
    schedule: str
    keep_days: int
    start_minutes: int = 60
    done_minutes: int = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlan:
    """A vault, what goes into it and how long it stays."""

    name: str
    rules: tuple[RetentionPlan, ...]
    lock: Lock
    resources: tuple[str, ...]  # patterns of ARNs, and of those only what carries `tags`
    tags: Mapping[str, str]
    failed: Mapping[str, object]  # a pattern of events
    missing: AlarmPlan

    @property
    def least_days(self) -> int:
        return min(rule.keep_days for rule in self.rules)

    @property
    def most_days(self) -> int:
        return max(rule.keep_days for rule in self.rules)

    @property
    def grace_days(self) -> int | None:
        """None where the lock may be taken off again."""
        return GRACE_DAYS if self.lock is Lock.COMPLIANCE else None


def vault_name(names: Names) -> str:
    """Of a cell's vault, which the organization's backup policy names too."""
    return names.label("vault", "databases")


def backup_role(names: Names) -> str:
    """Of the role that AWS Backup works as."""
    return names.label("role", "backup")


def plan_vault(settings: Settings, names: Names) -> VaultPlan | None:
    """None where the settings ask for none. Tags choose, so that no tenant is named in what all share."""
    if not settings.vault_days:
        return None
    name = vault_name(names)
    daily = RetentionPlan(name="daily", schedule="cron(0 2 * * ? *)", keep_days=settings.vault_days)
    monthly = RetentionPlan(
        name="monthly", schedule="cron(0 4 1 * ? *)", keep_days=settings.vault_months * 31
    )
    databases = f"arn:aws:rds:{settings.region}:{settings.account_id}:db:{PROJECT}-{settings.stack}-*"
    return VaultPlan(
        name=name,
        rules=(daily, monthly) if settings.vault_months else (daily,),
        lock=Lock(settings.vault_lock),
        resources=(databases,),
        tags={**BACKED_UP, "cell": settings.stack},
        failed={
            "source": ["aws.backup"],
            "detail-type": ["Backup Job State Change"],
            "detail": {"state": list(_FAILURES), "backupVaultName": [name]},
        },
        missing=AlarmPlan(
            metric="NumberOfBackupJobsCompleted",
            statistic="Sum",
            threshold=1,  # jobs a day
            above=False,
            severity=Severity.TICKET,
            why="nothing has come into the vault for a day",
            periods=1,
        ),
    )


def settings_of_copies(settings: Settings) -> Settings | None:
    """The settings as they are in the Region that backups are copied to, or None without such a Region."""
    if settings.backup_copy_region == NOWHERE:
        return None
    return replace(settings, region=settings.backup_copy_region)
