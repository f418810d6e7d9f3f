"""Rules on backups: every database has them, they are kept, and nobody can delete them."""

from collections.abc import Mapping
from typing import Any, Final, cast

from iam.patterns import overlap
from policies.checks import all_of, at_least, companion, each, in_prod, listed, one_of, unless
from policies.control_ids import BACKUP, DELETION, EVIDENCE
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Made, Ref, Rule
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, KEY, example
from policies.rules.tenancy import arns_of
from policies.tags import tags_of

INSTANCE: Final = "aws:rds/instance:Instance"
SCHEME: Final = "aws:backup/plan:Plan"
SELECTION: Final = "aws:backup/selection:Selection"
VAULT: Final = "aws:backup/vault:Vault"
LOCK: Final = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
OBJECT_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
TRAIL: Final = "aws:cloudtrail/trail:Trail"
LEAST_DAYS: Final = 7
LEAST_DAYS_PROD: Final = 30
AUDIT_DAYS: Final = 365  # PCI DSS 4.0.1, 10.5.1
_TAG: Final = "aws:ResourceTag/"


def _kept(resource: Resource, plan: Plan) -> Verdict:
    least = LEAST_DAYS_PROD if plan.prod else LEAST_DAYS

    def one(rule: Mapping[str, Any], place: str) -> Verdict:
        lifecycle: Mapping[str, Any] = rule.get("lifecycle") or {}
        days = lifecycle.get("deleteAfter")
        if days is None:
            return PASS  # for ever
        if days is UNKNOWN:
            return cannot_tell(f"{place}.lifecycle.deleteAfter is not known before the update")
        return (
            PASS if days >= least else fail(f"{place} deletes after {days:g} days, expected {least} or more")
        )

    return each("rules", one)(resource, plan)


def _backed_up(resource: Resource, plan: Plan) -> Verdict:
    """Some selection of a backup plan means this database, by its ARN and its tags."""
    arns, tags = tuple(arns_of(resource, plan)), tags_of(resource, plan)
    found = [_selects(selection, arns, tags) for selection in plan.of(SELECTION)]
    if PASS in found:
        return PASS
    return worst(
        [fail("no selection of a backup plan means it")] if not any(found) else [v for v in found if v]
    )


def _selects(selection: Resource, arns: tuple[str, ...], tags: Mapping[str, Any] | None) -> Verdict | None:
    """A pass where it means the database, a doubt where that is not known yet, None where it does not."""
    wanted = selection.get("resources", ())
    asked = selection.get("conditions", ())
    if UNKNOWN in (wanted, asked) or UNKNOWN in listed(wanted) or tags is None:
        return cannot_tell(f"what {selection.name} means is not known before the update")
    if not any(overlap(str(w), arn) for w in listed(wanted) for arn in arns):
        return None
    pairs = [pair for c in listed(asked) for pair in _equals(c)]
    for pair in pairs:
        given = tags.get(str(pair.get("key", "")).removeprefix(_TAG))
        if given is UNKNOWN:
            return cannot_tell(f"whether its tags are those of {selection.name}")
        if given != pair.get("value"):
            return None
    return PASS


def _equals(condition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(cast("list[Mapping[str, Any]]", condition.get("stringEquals") or ()))


def _archive_locked(resource: Resource, plan: Plan) -> Verdict:
    """The bucket of the trail lets nobody, not even its owner, delete what is in it for a year."""
    buckets = plan.source(resource, "s3BucketName", BUCKET_TYPE)
    if not buckets:
        return cannot_tell("s3BucketName names no bucket of this plan")
    retention = "rule.defaultRetention"
    locked = all_of(one_of(f"{retention}.mode", "COMPLIANCE"), at_least(f"{retention}.days", AUDIT_DAYS))
    return companion(OBJECT_LOCK, "bucket", locked)(buckets[0], plan)


def _plan_of(days: int) -> dict[str, Any]:
    rule = {"ruleName": "daily", "targetVaultName": "example", "schedule": "cron(0 2 * * ? *)"}
    return {"name": "example", "rules": [{**rule, "lifecycle": {"deleteAfter": days}}]}


def _locked(mode: str) -> tuple[Made, ...]:
    rule = {"defaultRetention": {"mode": mode, "days": 400}}
    inputs = {"bucket": Ref("bucket", "id"), "objectLockEnabled": "Enabled", "rule": rule}
    return (BUCKET, Made(OBJECT_LOCK, "object-lock", inputs))


_SELECTION_INPUTS: Final = {
    "name": "databases",
    "planId": "example",
    "iamRoleArn": "arn:aws:iam::111122223333:role/example",
    "resources": ["arn:aws:rds:eu-west-1:111122223333:db:example-*"],
    "conditions": [{"stringEquals": [{"key": f"{_TAG}backup", "value": "daily"}]}],
}
_DATABASE: Final = {"instanceClass": "db.t4g.medium", "identifier": "example-it"}
_VAULT_INPUTS: Final = {"name": "example", "kmsKeyArn": Ref("key")}
_TRAIL: Final = {"s3BucketName": Ref("bucket", "id"), "enableLogFileValidation": True}


def _vault_lock(days: int) -> tuple[Made, ...]:
    return (Made(LOCK, "lock", {"backupVaultName": Ref("it", "id"), "minRetentionDays": days}),)


RULES: Final = (
    Rule(
        id="backup-plan-keeps",
        title=f"Backup plans keep snapshots for {LEAST_DAYS} days, in prod for {LEAST_DAYS_PROD} or more",
        types=(SCHEME,),
        check=_kept,
        remedy="Raise the days in plan/data/backups.py.",
        controls=BACKUP,
        good=example(SCHEME, _plan_of(90)),
        bad=example(SCHEME, _plan_of(3)),
    ),
    Rule(
        id="database-in-backup-plan",
        title="Every database of prod is in a backup plan, besides its own backups",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        check=in_prod(unless("replicateSourceDb", _backed_up)),
        remedy="Give it the tags that the plan's selection asks for (components.data.database does).",
        controls=BACKUP,
        whole_plan=True,
        good=example(
            INSTANCE,
            {**_DATABASE, "tags": {"backup": "daily"}},
            after=(Made(SELECTION, "selection", _SELECTION_INPUTS),),
        ),
        bad=example(
            INSTANCE,
            {**_DATABASE, "tags": {"backup": "no"}},
            after=(Made(SELECTION, "selection", _SELECTION_INPUTS),),
        ),
    ),
    Rule(
        id="vault-locked",
        title=f"Backups of prod cannot be deleted within {LEAST_DAYS_PROD} days, whatever the permissions",
        types=(VAULT,),
        check=in_prod(companion(LOCK, "backupVaultName", at_least("minRetentionDays", LEAST_DAYS_PROD))),
        remedy="Set tenantry:vaultLock.",
        controls=(*BACKUP, *DELETION, "DORA:12.2"),
        whole_plan=True,
        good=example(VAULT, _VAULT_INPUTS, KEY, after=_vault_lock(90)),
        bad=example(VAULT, _VAULT_INPUTS, KEY, after=_vault_lock(1)),
    ),
    Rule(
        id="trail-archive-locked",
        title=f"Audit logs of prod cannot be deleted within {AUDIT_DAYS} days, whatever the permissions",
        types=(TRAIL,),
        check=in_prod(_archive_locked),
        remedy="Lock the trail's bucket in compliance mode, as components/account/log_archive.py does.",
        controls=EVIDENCE,
        whole_plan=True,
        good=example(TRAIL, _TRAIL, *_locked("COMPLIANCE")),
        bad=example(TRAIL, _TRAIL, *_locked("GOVERNANCE")),
    ),
)
