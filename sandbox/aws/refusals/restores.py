"""Rules on databases that are restored from another one to a point in time.

Sources: Amazon RDS API reference (RestoreDBInstanceToPointInTime) and user guide, "Restoring a DB instance to
a specified time"; terraform-provider-aws, `aws_db_instance`, `restore_to_point_in_time`; 2026-11.
"""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.aws import backups
from sandbox.aws.backups import INSTANCE
from sandbox.aws.key_lifecycle import KEY
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import Row

RESTORE: Final = "restoreToPointInTime"
SOURCES: Final = ("sourceDbInstanceIdentifier", "sourceDbiResourceId", "sourceDbInstanceAutomatedBackupsArn")
ELSEWHERE: Final = ("replicateSourceDb", "s3Import", "snapshotIdentifier")
CONFLICT: Final = "Conflicting configuration arguments"


@rule(INPUTS, INSTANCE, checks=(RESTORE,))
def check_restore_inputs(at: RuleContext) -> Iterator[Refusal]:
    """One source, one moment, and no other place that the data comes from."""
    given = at.known(RESTORE)
    if not given:
        return
    for other in ELSEWHERE:
        if at.inputs.get(other):
            yield Refusal(CONFLICT, f'"{RESTORE}": conflicts with {other}', RESTORE)
    if sum(1 for k in SOURCES if given.get(k)) != 1:
        words = f"Exactly one of {', '.join(SOURCES)} must be given"
        yield Refusal("InvalidParameterCombination", words, RESTORE)
    when, latest = given.get("restoreTime"), given.get("useLatestRestorableTime")
    if when and latest:
        words = f'"{RESTORE}.restoreTime": conflicts with {RESTORE}.useLatestRestorableTime'
        yield Refusal(CONFLICT, words, RESTORE)
    if not when and not latest:
        words = "Either RestoreTime or UseLatestRestorableTime must be given"
        yield Refusal("InvalidParameterCombination", words, RESTORE)
    if when and when != UNKNOWN and moment(when) is None:
        yield Refusal("InvalidParameterValue", f'"{when}" is not a valid RFC3339 date', RESTORE)


@rule(CREATE, INSTANCE, checks=(RESTORE,))
def check_restore_source(at: RuleContext) -> Iterator[Refusal]:
    """The source is there, keeps backups that reach back so far, and its key opens them."""
    given = at.known(RESTORE)
    if not given or at.before is not None:
        return
    source = source_of(at, given)
    if source is None:
        words = f"DBInstance {next((given[k] for k in SOURCES if given.get(k)), '')} not found."
        yield Refusal("DBInstanceNotFound", words, RESTORE)
        return
    kept = backups.of(at.store, source)
    if kept is None:
        words = (
            f"Point in time restore is not enabled for {source.outputs['identifier']}: it keeps no backups"
        )
        yield Refusal("PointInTimeRestoreNotEnabled", words, RESTORE)
        return
    yield from _outside(moment(given.get("restoreTime")), kept)
    key = str(source.outputs.get("kmsKeyId") or "")
    rows = at.store.find(KEY, key)
    if f":{at.store.account}:key/" in key and not (rows and rows[0].outputs.get("isEnabled", True)):
        words = f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions"
        yield Refusal("KMSKeyNotAccessibleFault", f"{words} to access it.", RESTORE)


def _outside(when: datetime.datetime | None, kept: backups.Backups) -> Iterator[Refusal]:
    words = "The specified instance cannot be restored to a time"
    if when and when > kept.latest:
        yield Refusal("InvalidParameterValue", f"{words} later than {_text(kept.latest)}", RESTORE)
    # To the second, as the earliest moment is told.
    if when and when < kept.earliest.replace(microsecond=0):
        yield Refusal("InvalidParameterValue", f"{words} earlier than {_text(kept.earliest)}", RESTORE)


def source_of(at: RuleContext, given: Mapping[str, Any]) -> Row | None:
    """Only what still exists: backups that outlive their instance are told here, and not restored."""
    word = given.get(SOURCES[0]) or given.get(SOURCES[1])
    found = at.store.find(INSTANCE, str(word), here=True) if word else []
    return found[0] if found else None


def moment(text: Any) -> datetime.datetime | None:
    """A moment as RFC 3339 writes it, with its offset; None for what is none."""
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _text(when: datetime.datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
